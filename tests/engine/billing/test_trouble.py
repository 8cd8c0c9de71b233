"""Stripe down, busy, refusing: the page says so, and nobody loses or gains a plan by it."""

from __future__ import annotations

import pytest
import stripe as library

from rexec import jobs
from rexec.billing import events, gateway, sync
from rexec.billing import jobs as billing_jobs
from rexec.billing.errors import (
    StripeBusy,
    StripeError,
    StripeKeyRefused,
    StripeNotFound,
    StripeRefused,
    StripeUnreachable,
)
from rexec.billing.gateway import StripeGateway, stripe
from rexec.billing.models import StripeEvent
from rexec.billing.webhooks import subject
from rexec.extensions import db
from rexec.jobs.models import Operation
from tests.support.page_user import PageUser, visible


def test_a_busy_stripe_is_asked_again_by_the_work_that_waits(buyer, fake, work, make_due):
    buyer.choose()
    buyer.pay()
    fake.fail_next(status=429, times=1)
    with pytest.raises(StripeBusy):
        buyer.come_back()
    billing_jobs.look()
    fake.fail_next(status=429, times=1)
    work()
    assert buyer.plan == "free"
    make_due()
    work()
    assert buyer.plan == "pro"


def test_a_stripe_that_fails_twice_is_asked_a_third_time(buyer, fake):
    buyer.choose()
    buyer.pay()
    fake.fail_next(status=500, times=2)
    assert buyer.come_back() == "Your plan is Pro."


@pytest.mark.parametrize(
    ("break_it", "raises"),
    [
        (lambda fake: fake.fail_next(status=429, times=99), StripeBusy),
        (lambda fake: fake.fail_next(status=500, times=99), StripeUnreachable),
        (lambda fake: fake.down(), StripeUnreachable),
        (lambda fake: fake.hang(), StripeUnreachable),
        (lambda fake: fake.revoke_key(), StripeKeyRefused),
    ],
    ids=["429", "500", "refused", "silent", "revoked"],
)
def test_what_somebody_has_is_not_touched(buyer, fake, impatient, break_it, raises):
    buyer.buy()
    app_gateway = StripeGateway(fake.key, api_base=fake.url)
    break_it(fake)
    with pytest.raises(raises):
        sync.refresh(buyer.id, app_gateway)
    assert buyer.plan == "pro"
    assert buyer.subscription.status == "active"


def test_every_error_of_the_library_becomes_one_of_ours():
    def every(kind):
        yield kind
        for below in kind.__subclasses__():
            yield from every(below)

    for kind in every(library.StripeError):
        error = kind.__new__(kind)
        library.StripeError.__init__(error, "words", http_status=400)
        assert isinstance(gateway.translate(error), StripeError), kind


def test_no_key_and_no_words_of_stripes_are_shown(buyer, fake):
    fake.revoke_key()
    with pytest.raises(StripeKeyRefused) as refused:
        buyer.choose()
    shown = f"{refused.value.message} {refused.value.hint}"
    assert fake.key not in shown
    assert "STRIPE_SECRET_KEY" in shown


def test_a_missing_object_and_a_bad_request_are_different(app, fake):
    with pytest.raises(StripeNotFound):
        stripe().checkout("cs_test_nowhere")
    with pytest.raises(StripeRefused):
        stripe().create_portal_configuration({"features": {}, "no_such_thing": 1})


class TestPages:
    @pytest.fixture
    def person(self, app, impatient):
        person = PageUser(app)
        person.sign_up()
        return person

    @pytest.mark.parametrize("where", ["checkout", "portal"])
    def test_the_page_says_that_stripe_does_not_answer_and_shows_the_rest(self, person, fake, where):
        if where == "portal":
            person.post("/billing/checkout", {"plan": "pro"})
        fake.down()
        answer = person.post(f"/billing/{where}", {"plan": "team", "flow": "card"})
        assert answer.status_code == 503
        assert "The payment service does not answer." in visible(answer)
        assert "Plan now: Free" in visible(answer)

    def test_the_page_itself_asks_stripe_nothing(self, person, fake):
        person.post("/billing/checkout", {"plan": "pro"})
        before = len(fake.requests)
        assert person.get("/billing").status_code == 200
        assert len(fake.requests) == before

    def test_coming_back_while_stripe_is_away_promises_to_look_again(self, person, fake):
        person.post("/billing/checkout", {"plan": "pro"})
        session_id = fake.sessions()[0]["id"]
        fake.pay_checkout(session_id)
        fake.down()
        answer = person.get(f"/billing/return?session_id={session_id}")
        assert answer.status_code == 303
        assert "applied by itself within two minutes" in visible(person.get("/billing"))
        assert db.session.query(Operation).filter_by(kind="billing.sync", state="queued").count() == 1

    def test_the_way_back_of_a_stranger_is_not_there(self, person):
        assert person.get("/billing/return?session_id=cs_test_1").status_code == 404

    def test_an_unknown_plan_is_refused_on_the_page(self, person):
        answer = person.post("/billing/checkout", {"plan": "platinum"})
        assert answer.status_code == 422
        assert "Choose one of the plans" in visible(answer)

    def test_the_portal_has_nothing_for_who_never_bought(self, person):
        answer = person.post("/billing/portal")
        assert answer.status_code == 409

    def test_a_form_without_its_token_is_refused(self, person, fake):
        answer = person.client.post("/billing/checkout", data={"plan": "pro"})
        assert answer.status_code == 400
        assert fake.requests == []

    def test_forms_may_lead_to_stripe_from_this_page_alone(self, person, fake):
        assert f"form-action 'self' {fake.url};" in person.get("/billing").headers["Content-Security-Policy"]
        assert "form-action 'self';" in person.get("/account").headers["Content-Security-Policy"]


def test_a_revoked_key_fails_the_event_which_can_be_replayed(buyer, fake, work, app):
    buyer.buy()
    work()
    fake.cancel_subscription(buyer.subscription.stripe_id)
    db.session.add(StripeEvent(event_id="evt_1", kind="customer.subscription.deleted", user_id=buyer.id))
    jobs.add("billing.sync", subject(buyer.id))
    db.session.commit()
    fake.revoke_key()
    work()
    [failed] = events.failed()
    assert failed.error_code == "stripe_key"
    assert buyer.plan == "pro"
    app.extensions[gateway.EXTENSION] = StripeGateway(fake.add_key(), api_base=fake.url)
    events.replay(failed.id)
    work()
    assert events.failed() == []
    assert buyer.plan == "free"


def test_an_event_that_failed_is_covered_by_the_next_fetch(buyer, fake, work, app):
    buyer.buy()
    work()
    db.session.add(StripeEvent(event_id="evt_1", kind="customer.subscription.updated", user_id=buyer.id))
    for key in (None, fake.add_key()):
        if key is None:
            fake.revoke_key()
        else:
            app.extensions[gateway.EXTENSION] = StripeGateway(key, api_base=fake.url)
        jobs.add("billing.sync", subject(buyer.id))
        db.session.commit()
        work()
        assert [event.event_id for event in events.failed()] == ([] if key else ["evt_1"])


def test_an_event_waits_while_stripe_is_away(buyer, fake, work, make_due, monkeypatch):
    buyer.buy()
    work()
    fake.cancel_subscription(buyer.subscription.stripe_id)
    jobs.add("billing.sync", subject(buyer.id))
    db.session.commit()
    fake.down()
    work()
    assert buyer.plan == "pro"
    assert db.session.query(Operation).filter_by(kind="billing.sync", state="queued").count() == 1
    fake.up()
    make_due()
    work()
    assert buyer.plan == "free"
