"""What counts is what Stripe says now: order, repeats and losses of events do not matter."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rexec.accounts.models import User
from rexec.admin.payments import payments
from rexec.billing import events, showing, sync, webhooks
from rexec.billing import jobs as billing_jobs
from rexec.billing.entitlement import GRACE
from rexec.billing.gateway import stripe
from rexec.billing.models import BillingAccount, StripeEvent
from rexec.billing.signals import plan_changed
from rexec.extensions import db, utcnow
from tests.fakes.stripe_server import signed
from tests.support.shop import WEBHOOK_SECRET


def tell(event):
    """Hand an event over as Stripe would."""
    body, header = signed(event, WEBHOOK_SECRET)
    return webhooks.receive(body, header, [WEBHOOK_SECRET], is_live=False)


def since(fake, number):
    return [event for event in fake.events[number:] if event["type"] in webhooks.KINDS]


@pytest.fixture
def heard(app):
    """Whom was told that a plan changed."""
    told = []

    def note(_sender, *, user_id):
        told.append(user_id)

    plan_changed.connect(note)
    yield told
    plan_changed.disconnect(note)


def test_a_cancelled_subscription_takes_the_plan(buyer, fake, work, heard):
    buyer.buy()
    before = len(fake.events)
    fake.cancel_subscription(buyer.subscription.stripe_id)
    for event in since(fake, before):
        tell(event)
    work()
    assert buyer.plan == "free"
    assert buyer.subscription.status == "canceled"
    assert heard == [buyer.id, buyer.id]


def test_events_in_reverse_order_end_at_what_stripe_says(buyer, fake, work):
    buyer.buy()
    before = len(fake.events)
    subscription = buyer.subscription.stripe_id
    fake.fail_card(buyer.customer)
    fake.renew(subscription)
    fake.mend_card(buyer.customer)
    fake.cancel_subscription(subscription)
    told = since(fake, before)
    assert len(told) >= 3
    for event in reversed(told):
        tell(event)
        work()
    assert buyer.plan == "free"


def test_an_event_that_says_otherwise_is_not_believed(buyer, fake, work):
    buyer.buy()
    event = dict(next(each for each in fake.events if each["type"] == "customer.subscription.created"))
    event["id"] = "evt_made_up"
    event["data"] = {"object": {**event["data"]["object"], "status": "canceled"}}
    tell(event)
    work()
    assert buyer.plan == "pro"


def test_a_lost_event_is_made_up_for_by_looking(buyer, fake, work):
    buyer.buy()
    work()
    fake.cancel_subscription(buyer.subscription.stripe_id)
    billing_jobs.look()
    work()
    assert buyer.plan == "pro"
    account = db.session.get(BillingAccount, buyer.id)
    account.synced_at = utcnow() - billing_jobs.LIVE_EVERY_TOLD - timedelta(seconds=1)
    db.session.commit()
    billing_jobs.look()
    work()
    assert buyer.plan == "free"


def test_an_event_stored_by_a_process_that_died_is_followed_later(buyer, fake, work):
    buyer.buy()
    work()
    fake.cancel_subscription(buyer.subscription.stripe_id)
    row = StripeEvent(event_id="evt_left", kind="customer.subscription.deleted", user_id=buyer.id)
    row.received_at = utcnow() - timedelta(seconds=billing_jobs.OPEN_EVERY_S + 1)
    db.session.add(row)
    db.session.commit()
    billing_jobs.look()
    work()
    assert buyer.plan == "free"
    assert db.session.query(StripeEvent).filter_by(event_id="evt_left").one().state == "done"


def test_fifty_events_of_a_person_are_one_fetch(buyer, fake, work):
    buyer.buy()
    work()
    event = next(each for each in fake.events if each["type"] == "customer.subscription.created")
    for number in range(50):
        assert tell({**event, "id": f"evt_{number}"}) == "stored"
        assert tell({**event, "id": f"evt_{number}"}) == "again"
    before = fake.count("GET", "/v1/subscriptions")
    assert work() == 1
    assert fake.count("GET", "/v1/subscriptions") == before + 1
    assert db.session.query(StripeEvent).filter_by(state="done").count() == 50


def test_an_answer_that_was_overtaken_is_thrown_away(buyer, fake):
    buyer.buy()
    old = [sync.read(each) for each in stripe().subscriptions(buyer.customer)]
    _, number = sync._begin(buyer.id)
    fake.cancel_subscription(buyer.subscription.stripe_id)
    sync.refresh(buyer.id, stripe())
    assert buyer.plan == "free"
    sync.store(buyer.id, number, old)
    assert buyer.plan == "free"


def test_an_overdue_plan_is_kept_for_seven_days_then_taken_without_stripe(buyer, fake, work, heard):
    buyer.buy()
    fake.fail_card(buyer.customer)
    fake.renew(buyer.subscription.stripe_id)
    sync.refresh(buyer.id, stripe())
    row = buyer.subscription
    assert (row.status, buyer.plan) == ("past_due", "pro")
    since_when = row.overdue_since
    user = db.session.get(User, buyer.id)
    assert user.paid_until == since_when + GRACE
    row.overdue_since = utcnow() - GRACE
    user.paid_until = utcnow() - timedelta(seconds=1)
    db.session.commit()
    assert buyer.plan == "free"
    fake.down()
    heard.clear()
    billing_jobs.lapse()
    assert heard == [buyer.id]
    assert db.session.get(User, buyer.id, populate_existing=True).paid_plan is None
    billing_jobs.lapse()
    assert heard == [buyer.id]


def test_a_payment_that_is_mended_keeps_the_plan(buyer, fake):
    buyer.buy()
    fake.fail_card(buyer.customer)
    fake.renew(buyer.subscription.stripe_id)
    sync.refresh(buyer.id, stripe())
    fake.set_status(buyer.subscription.stripe_id, "active")
    sync.refresh(buyer.id, stripe())
    assert buyer.plan == "pro"
    assert buyer.subscription.overdue_since is None


@pytest.mark.parametrize("status", ["unpaid", "paused", "canceled", "incomplete_expired", "incomplete"])
def test_what_is_not_paid_falls_to_free(buyer, fake, status):
    buyer.buy()
    fake.set_status(buyer.subscription.stripe_id, status)
    sync.refresh(buyer.id, stripe())
    assert buyer.plan == "free"


def test_a_customer_deleted_in_the_dashboard_has_nothing(buyer, fake, work):
    buyer.buy()
    before = len(fake.events)
    fake.delete_customer(buyer.customer)
    for event in since(fake, before):
        tell(event)
    work()
    assert buyer.plan == "free"
    assert buyer.subscription.status == "canceled"


def test_a_death_while_a_customer_is_forgotten_leaves_nobody_a_plan_for_nothing(buyer, monkeypatch):
    """As after a change of the key: the new account at Stripe has no such customer."""
    buyer.buy()
    db.session.execute(db.update(BillingAccount).values(customer_id="cus_ofAnotherAccount"))
    db.session.commit()

    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    for step in ("store", "forget_customer"):
        monkeypatch.setattr(sync, step, killed)
        with pytest.raises(Killed):
            sync.refresh(buyer.id, stripe())
        db.session.rollback()
        monkeypatch.undo()
    sync.refresh(buyer.id, stripe())
    assert buyer.plan == "free"
    assert buyer.subscription.status == "canceled"


def test_a_price_that_belongs_to_no_plan_entitles_to_nothing_and_admins_see_it(buyer, fake, app):
    buyer.buy()
    fake.change_price(buyer.subscription.stripe_id, fake.make_price(4200))
    sync.refresh(buyer.id, stripe())
    assert buyer.plan == "free"
    assert buyer.subscription.plan is None
    [payer] = payments().payers
    assert payer.is_unknown


def test_a_disputed_payment_is_noted_beside_whoever_made_it(buyer, fake, work):
    buyer.buy()
    work()
    before = len(fake.events)
    fake.dispute(buyer.customer)
    [event] = since(fake, before)
    assert tell(event) == "stored"
    work()
    assert db.session.get(BillingAccount, buyer.id, populate_existing=True).disputed_at is not None
    assert events.failed() == []


def test_the_page_has_the_next_invoice_and_the_last_ones_from_rows(buyer, fake, work):
    buyer.buy("team")
    work()
    before = len(fake.requests)
    paid = showing.payments(buyer.id, None)
    assert len(fake.requests) == before
    assert [(each.amount, each.status) for each in paid.invoices] == [("$29", "paid")]
    assert any("next invoice of $29" in line for line in paid.lines)
