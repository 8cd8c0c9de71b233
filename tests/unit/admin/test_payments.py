"""What admins see of payments, and what they can do about events that failed."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from rexec.accounts import service
from rexec.billing.models import BillingAccount, StripeEvent, Subscription
from rexec.extensions import db, utcnow
from rexec.jobs.models import Operation
from tests.support.factories import make_user
from tests.support.page_user import PageUser, visible


@pytest.fixture
def admin(app):
    person = PageUser(app)
    person.sign_up()
    service.find(person.email).is_admin = True
    db.session.commit()
    return person


def subscribe(email, **fields):
    user = make_user(email)
    disputed = fields.pop("disputed_at", None)
    db.session.add(BillingAccount(user_id=user.id, customer_id=f"cus_{user.id}", disputed_at=disputed))
    values = {
        "status": "active",
        "plan": "pro",
        "interval": "month",
        "amount": 900,
        "currency": "usd",
        **fields,
    }
    db.session.add(Subscription(stripe_id=f"sub_{user.id}", user_id=user.id, **values))
    db.session.commit()
    return user


def test_only_admins_see_payments(app):
    person = PageUser(app)
    person.sign_up()
    assert person.get("/admin/billing").status_code == 404
    assert person.post("/admin/billing/events/1/replay").status_code == 404


def test_without_a_key_the_page_says_how_to_have_payments(admin):
    assert "Set STRIPE_SECRET_KEY" in visible(admin.get("/admin/billing"))


def test_subscriptions_are_listed_with_whose_they_are(admin):
    subscribe("maria@example.com", period_ends_at=utcnow())
    subscribe("gone@example.com", status="canceled")
    text = visible(admin.get("/admin/billing"))
    assert "maria@example.com Pro active $9 a month renews" in text
    assert "gone@example.com" not in text
    assert "1 subscription" in text


def test_a_dispute_and_a_price_of_no_plan_are_marked(admin):
    subscribe("maria@example.com", disputed_at=utcnow())
    subscribe("igor@example.com", plan=None, price_id="price_9")
    text = visible(admin.get("/admin/billing"))
    assert "disputes a payment" in text
    assert "unknown (price_9)" in text


def test_a_failed_event_is_shown_with_its_reason_and_replayed(admin):
    user = subscribe("maria@example.com")
    row = StripeEvent(event_id="evt_1", kind="invoice.paid", user_id=user.id, state="failed")
    row.error_code, row.error_message = "stripe_key", "Payments cannot be taken right now."
    db.session.add(row)
    db.session.commit()
    text = visible(admin.get("/admin/billing"))
    assert "invoice.paid evt_1 Payments cannot be taken right now. Code stripe_key" in text
    answer = admin.post(f"/admin/billing/events/{row.id}/replay")
    assert answer.location == "/admin/billing"
    assert db.session.scalar(select(Operation.kind)) == "billing.sync"
    assert admin.post(f"/admin/billing/events/{row.id}/replay").status_code == 404


def test_many_subscriptions_are_shown_page_by_page(admin, monkeypatch):
    from rexec.admin import payments

    for number in range(3):
        subscribe(f"p{number}@example.com")
    assert [payer.email for payer in payments.payments(2, per_page=2).payers] == ["p0@example.com"]
    assert payments.payments(9, per_page=2).page == 2
