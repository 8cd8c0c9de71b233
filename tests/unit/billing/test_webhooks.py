"""Events of Stripe's: who may bring them, and that each is stored once."""

from __future__ import annotations

import json
import time

import pytest
from sqlalchemy import func, select
from stripe import WebhookSignature

from rexec.billing import events
from rexec.billing.errors import StripeUnreachable
from rexec.billing.models import BillingAccount, StripeEvent
from rexec.errors import NotFound
from rexec.extensions import db
from rexec.jobs.models import Operation
from tests.support.factories import make_user
from tests.support.settings import make_settings

SECRET = "whsec_of_the_test"
OTHER = "whsec_that_is_on_its_way_out"


@pytest.fixture
def settings():
    return make_settings(stripe_secret_key="sk_test_1", stripe_webhook_secret=f"{SECRET},{OTHER}")


@pytest.fixture
def payer(app):
    user = make_user()
    db.session.add(BillingAccount(user_id=user.id, customer_id="cus_1"))
    db.session.commit()
    return user.id


def event(event_id="evt_1", kind="customer.subscription.updated", *, livemode=False, **thing):
    thing = {"id": "sub_1", "customer": "cus_1", **thing}
    return json.dumps({"id": event_id, "type": kind, "livemode": livemode, "data": {"object": thing}})


def send(client, body, secret=SECRET, timestamp=None, header=None):
    signature = WebhookSignature.generate_signature_header(body, secret, timestamp)
    headers = {"Stripe-Signature": header if header is not None else signature}
    return client.post("/webhooks/stripe", data=body, headers=headers, content_type="application/json")


def stored():
    return [(row.event_id, row.state, row.user_id) for row in db.session.scalars(select(StripeEvent))]


def operations():
    return [(row.kind, row.subject) for row in db.session.scalars(select(Operation))]


def test_a_signed_event_is_stored_and_followed_by_one_fetch(client, payer):
    answer = send(client, event())
    assert (answer.status_code, answer.json) == (200, {"received": "stored"})
    assert stored() == [("evt_1", "stored", payer)]
    assert operations() == [("billing.sync", f"billing:{payer}")]


def test_the_same_event_again_changes_nothing(client, payer):
    send(client, event())
    assert send(client, event()).json == {"received": "again"}
    assert len(stored()) == len(operations()) == 1


def test_several_events_of_a_person_are_followed_by_one_fetch(client, payer):
    for number in range(5):
        send(client, event(f"evt_{number}"))
    assert len(stored()) == 5
    assert len(operations()) == 1


def test_any_of_the_secrets_may_have_signed(client, payer):
    assert send(client, event(), secret=OTHER).status_code == 200


@pytest.mark.parametrize(
    "broken",
    [
        {"secret": "whsec_of_somebody_else"},
        {"header": ""},
        {"header": "t=1,v1="},
        {"header": "nonsense"},
        {"timestamp": 1},
        {"timestamp": int(time.time()) - 301},
    ],
)
def test_a_bad_old_or_missing_signature_is_refused(client, payer, broken):
    answer = send(client, event(), **broken)
    assert (answer.status_code, answer.json) == (400, {"error": "bad_webhook"})
    assert stored() == []


def test_a_body_that_was_changed_is_refused(client, payer):
    signature = WebhookSignature.generate_signature_header(event(), SECRET)
    assert send(client, event("evt_2"), header=signature).status_code == 400


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"id": "evt_1", "type": "invoice.paid"}', "no json"])
def test_what_is_no_event_is_refused_though_it_is_signed(client, payer, body):
    assert send(client, body).status_code == 400


def test_an_event_that_is_no_reason_to_fetch_is_forgotten(client, payer):
    assert send(client, event(kind="customer.created")).json == {"received": "ignored"}
    assert stored() == []


def test_an_event_of_the_other_mode_is_noted_and_not_followed(client, payer):
    assert send(client, event(livemode=True)).json == {"received": "ignored"}
    assert stored() == [("evt_1", "ignored", None)]
    assert operations() == []


def test_an_event_about_somebody_elses_customer_is_noted_and_not_followed(client, payer):
    assert send(client, event(customer="cus_2")).json == {"received": "ignored"}
    assert operations() == []


def test_a_deleted_customer_is_looked_for_by_its_own_id(client, payer):
    body = event(kind="customer.deleted", id="cus_1", customer=None)
    assert send(client, body).json == {"received": "stored"}
    assert operations() == [("billing.sync", f"billing:{payer}")]


def test_whose_payment_is_disputed_has_to_be_found_out(client, payer):
    body = event(kind="charge.dispute.created", id="dp_1", charge="ch_1", customer=None)
    assert send(client, body).json == {"received": "stored"}
    row_id = db.session.scalar(select(StripeEvent.id))
    assert operations() == [("billing.event", f"stripe-event:{row_id}")]


def test_no_form_token_is_asked_for_and_a_page_is_not_there(client, payer):
    assert client.get("/webhooks/stripe").status_code == 405


class TestWithoutASecret:
    @pytest.fixture
    def settings(self):
        return make_settings(stripe_secret_key="sk_test_1")

    def test_there_is_no_such_address(self, client, payer):
        assert send(client, event()).status_code == 404


class TestWithoutAKey:
    @pytest.fixture
    def settings(self):
        return make_settings(stripe_webhook_secret=SECRET)

    def test_there_is_no_such_address(self, client, payer):
        assert send(client, event()).status_code == 404


def test_a_failed_event_is_replayed_once(client, payer):
    send(client, event())
    db.session.query(Operation).delete()
    events.note_failed(payer, StripeUnreachable())
    failed = events.failed()
    assert [(row.event_id, row.error_code) for row in failed] == [("evt_1", "stripe_unreachable")]
    row_id = failed[0].id
    events.replay(row_id)
    assert stored() == [("evt_1", "stored", payer)]
    assert operations() == [("billing.sync", f"billing:{payer}")]
    with pytest.raises(NotFound):
        events.replay(row_id)


def test_what_was_handled_long_ago_is_forgotten(client, payer):
    for number in range(3):
        send(client, event(f"evt_{number}"))
    rows = list(db.session.scalars(select(StripeEvent)))
    for row in rows:
        row.received_at -= events.KEEP * 2
    rows[0].state, rows[1].state = "done", "failed"
    db.session.commit()
    events.forget_old()
    assert db.session.scalar(select(func.count()).select_from(StripeEvent)) == 2


class TestWithALiveKey:
    @pytest.fixture
    def settings(self):
        return make_settings(stripe_secret_key="sk_live_1", stripe_webhook_secret=SECRET)

    def test_an_event_of_the_test_mode_is_noted_and_not_followed(self, client, payer):
        assert send(client, event()).json == {"received": "ignored"}
        assert stored() == [("evt_1", "ignored", None)]
        assert operations() == []

    def test_an_event_for_real_money_is_followed(self, client, payer):
        assert send(client, event(livemode=True)).json == {"received": "stored"}
        assert operations() == [("billing.sync", f"billing:{payer}")]
