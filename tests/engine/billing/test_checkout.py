"""Buying a plan: one subscription a person, had as soon as it is paid."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from rexec.accounts.models import User
from rexec.billing import checkout, manage, returning
from rexec.billing import jobs as billing_jobs
from rexec.billing.errors import (
    CheckoutOvertaken,
    NothingToManage,
    StripeBusy,
    StripeUnreachable,
    UnknownChoice,
)
from rexec.billing.gateway import stripe
from rexec.errors import NotFound
from rexec.extensions import db
from tests.engine.billing.conftest import HERE
from tests.support.stacks import on_postgres


def test_who_pays_and_comes_back_has_the_plan_at_once(buyer, fake):
    assert buyer.plan == "free"
    url = buyer.choose("pro", "year")
    assert url.startswith(f"{fake.url}/c/pay/cs_")
    buyer.pay()
    assert buyer.come_back() == "Your plan is Pro."
    assert buyer.plan == "pro"
    row = buyer.subscription
    assert (row.status, row.plan, row.interval, row.amount, row.currency) == (
        "active",
        "pro",
        "year",
        9000,
        "usd",
    )


def test_coming_back_twice_asks_stripe_once(buyer, fake):
    buyer.buy()
    before = len(fake.requests)
    assert buyer.come_back() == "Your plan is Pro."
    assert len(fake.requests) == before


def test_a_stranger_cannot_open_the_way_back(buyer, new_buyer):
    buyer.choose()
    buyer.pay()
    stranger = new_buyer()
    with pytest.raises(NotFound):
        returning.come_back(stranger.id, buyer.session_id, stripe())
    assert stranger.plan == buyer.plan == "free"


def test_who_comes_back_without_paying_is_told_so(buyer):
    buyer.choose()
    assert buyer.come_back() == returning.UNFINISHED
    assert buyer.plan == "free"


def test_a_buyer_who_never_comes_back_is_found_by_looking(buyer, work):
    buyer.choose()
    buyer.pay()
    billing_jobs.look()
    work()
    assert buyer.plan == "pro"
    assert not checkout.account_of(buyer.id).checkout_open


def test_an_open_checkout_is_looked_at_every_minute(buyer):
    """With one look at most before it and the fetch after it, two minutes are kept."""
    assert billing_jobs.OPEN_EVERY_S <= 60


def test_the_same_choice_in_two_tabs_is_one_checkout(buyer):
    assert buyer.choose() == buyer.choose()


def test_another_choice_closes_the_checkout_before(buyer, fake):
    buyer.choose("pro")
    first = buyer.session_id
    buyer.choose("team")
    assert fake.object(first)["status"] == "expired"
    assert fake.object(buyer.session_id)["status"] == "open"


def test_a_checkout_paid_in_the_other_tab_leads_to_the_portal(buyer, fake):
    buyer.choose("pro")
    buyer.pay()
    url = buyer.choose("team")
    assert url.startswith(f"{fake.url}/p/session/")
    assert buyer.plan == "pro"
    assert len(fake.subscriptions(buyer.customer)) == 1


def test_a_choice_that_came_to_nothing_does_not_rename_the_checkout_of_another(buyer, fake, monkeypatch):
    before = checkout.account_of(buyer.id)
    buyer.choose("pro")
    first = buyer.session_id
    # The other tab has looked before this one opened its checkout.
    monkeypatch.setattr(checkout, "account_of", lambda _user_id: before)
    fake.fail_next(status=429, times=9, path=f"/v1/checkout/sessions/{first}")
    with pytest.raises(StripeBusy):
        buyer.choose("team")
    monkeypatch.undo()
    fake.release()
    buyer.choose("team")
    assert buyer.session_id != first
    assert fake.object(first)["status"] == "expired"


@on_postgres
def test_two_tabs_at_the_same_moment_open_one_checkout(app, buyer, fake):
    buyer.choose()
    checkout.close(buyer.id, buyer.session_id, stripe())
    both = Barrier(2)

    def press(plan):
        with app.app_context():
            both.wait(10)
            try:
                return buyer.choose(plan)
            except CheckoutOvertaken as error:
                return error
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as threads:
        answers = [future.result(30) for future in [threads.submit(press, plan) for plan in ("pro", "team")]]
    open_ones = [each for each in fake.sessions() if each["status"] == "open"]
    assert len(open_ones) == 1
    assert open_ones[0]["url"] in answers
    assert buyer.session_id == open_ones[0]["id"]


def test_who_subscribes_is_asked_to_confirm_the_change(buyer, fake):
    buyer.buy("pro")
    before = len(fake.sessions())
    assert buyer.choose("team").startswith(f"{fake.url}/p/session/")
    assert len(fake.sessions()) == before


def test_the_customer_is_the_same_for_every_checkout(buyer, fake):
    buyer.choose("pro")
    customer = buyer.customer
    buyer.choose("team")
    assert buyer.customer == customer
    assert fake.count("POST", "/v1/customers") == 1


def test_a_customer_deleted_in_the_dashboard_is_made_anew(buyer, fake):
    buyer.choose()
    first = buyer.customer
    checkout.close(buyer.id, buyer.session_id, stripe())
    fake.delete_customer(first)
    buyer.buy()
    assert buyer.customer != first
    assert buyer.plan == "pro"


def test_a_crash_after_the_customer_was_made_makes_no_second_one(buyer, fake):
    buyer.choose()
    customer = buyer.customer
    account = checkout.account_of(buyer.id)
    checkout.close(buyer.id, buyer.session_id, stripe())
    db.session.merge(account).customer_id = None
    db.session.commit()
    buyer.choose()
    assert buyer.customer == customer


def test_a_customer_that_stripe_failed_to_make_is_asked_for_anew(buyer, fake, impatient):
    fake.fail_next(status=500, path="/v1/customers")
    with pytest.raises(StripeUnreachable):
        buyer.choose()
    assert buyer.choose().startswith(f"{fake.url}/c/pay/")


def test_who_changed_the_address_while_stripe_made_a_customer_can_buy(buyer, fake, impatient):
    fake.drop_next(path="/v1/customers", executed=True)
    with pytest.raises(StripeUnreachable):
        buyer.choose()
    db.session.get(User, buyer.id).email = "moved@example.com"
    db.session.commit()
    assert buyer.choose().startswith(f"{fake.url}/c/pay/")


@pytest.mark.parametrize(
    ("plan", "interval"), [("free", "month"), ("platinum", "month"), ("pro", "week"), ("", "month")]
)
def test_what_is_not_for_sale_is_refused_without_asking_stripe(buyer, fake, plan, interval):
    with pytest.raises(UnknownChoice):
        buyer.choose(plan, interval)
    assert fake.requests == []


def test_stripe_is_told_who_buys_what_and_nothing_it_would_refuse(buyer, fake):
    buyer.choose()
    session = fake.object(buyer.session_id)
    assert session["client_reference_id"] == str(buyer.id)
    assert session["customer"] == buyer.customer
    assert session["allow_promotion_codes"] is True
    assert (session["automatic_tax"] or {}).get("enabled") in {False, None}
    assert "{CHECKOUT_SESSION_ID}" in session["success_url"]
    for call in fake.requests:
        assert call.version == "2026-10-28.endive"
        assert call.idempotency_key or call.method == "GET"
        assert call.status in {200, 404}


def test_a_change_that_the_portal_does_not_take_leads_to_its_front_page(buyer, fake):
    buyer.buy("team")
    [configuration] = fake.portal_configurations()
    off = {"features": {"subscription_update": {"enabled": False}}}
    fake.by_hand.billing_portal.configurations.update(configuration["id"], off)
    assert buyer.choose("pro").startswith(f"{fake.url}/p/session/")


@pytest.mark.parametrize("status", ["active", "paused"])
def test_who_subscribed_by_a_customer_that_is_gone_buys_anew(buyer, fake, status):
    buyer.buy("team")
    fake.set_status(buyer.subscription.stripe_id, status)
    first = buyer.customer
    fake.delete_customer(first)
    assert buyer.choose("pro").startswith(f"{fake.url}/c/pay/")
    assert buyer.customer != first
    buyer.pay()
    buyer.come_back()
    assert buyer.plan == "pro"


def test_the_portal_of_a_customer_that_is_gone_has_nothing_to_show(buyer, fake):
    buyer.buy("team")
    fake.delete_customer(buyer.customer)
    with pytest.raises(NothingToManage):
        manage.portal_url(buyer.id, "card", HERE, stripe())
    assert buyer.plan == "free"
