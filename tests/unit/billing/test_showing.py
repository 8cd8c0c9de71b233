"""What the billing page says about payments, from rows alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rexec.accounts import service
from rexec.billing import showing
from rexec.billing.models import BillingAccount, Subscription
from rexec.extensions import db
from tests.support.page_user import PageUser, visible
from tests.support.settings import make_settings

ENDS = datetime(2027, 3, 9, tzinfo=UTC)
NOVEMBER = 1_794_000_000


@pytest.fixture
def settings():
    return make_settings(stripe_secret_key="sk_test_1", stripe_webhook_secret="whsec_1")


@pytest.fixture
def owner(app):
    person = PageUser(app)
    person.sign_up()
    return person


@pytest.fixture
def pays(owner):
    """Makes the person somebody who pays; fields of the subscription and of the account are set."""

    def make(*, account=None, paid_until=None, entitles=True, **fields):
        user = service.find(owner.email)
        if db.session.get(BillingAccount, user.id) is None:
            db.session.add(BillingAccount(user_id=user.id, customer_id="cus_1", **(account or {})))
        values = {
            "status": "active",
            "plan": "pro",
            "interval": "month",
            "amount": 900,
            "currency": "usd",
            "period_ends_at": ENDS,
            **fields,
        }
        number = db.session.query(Subscription).count()
        db.session.add(Subscription(stripe_id=f"sub_{number}", user_id=user.id, **values))
        user.paid_plan, user.paid_until = (values["plan"] if entitles else None), paid_until
        db.session.commit()
        return visible(owner.get("/billing"))

    return make


def test_who_pays_nothing_is_offered_the_plans(owner):
    page = owner.get("/billing")
    assert "Choose Pro" in visible(page)
    assert "Choose Team" in visible(page)
    assert page.text.count("button accent") == 1
    assert "Cards, invoices and cancelling" not in visible(page)
    assert "Whoever runs this service" not in visible(page)


def test_what_is_paid_and_when_it_renews(pays):
    text = pays()
    assert "Plan now: Pro You pay $9 a month. It renews on 9 March 2027." in text
    assert "Change to Team" in text
    assert "Cancel the subscription" in text


def test_the_next_invoice_may_be_another_amount(pays):
    text = pays(account={"upcoming": {"total": 450, "currency": "usd", "at": NOVEMBER}})
    assert "The next invoice of $4.50 comes on 6 November 2026." in text


def test_what_is_cancelled_says_until_when_it_is_had(pays):
    text = pays(ends_at=ENDS)
    assert "It is cancelled and ends on 9 March 2027; after that nothing is charged." in text
    assert "Cancel the subscription" not in text


def test_what_is_overdue_says_how_long_it_stays_and_is_said_on_other_pages(pays, owner):
    text = pays(status="past_due", overdue_since=ENDS, paid_until=ENDS)
    assert "The last payment failed. Your plan stays until 9 March 2027." in text
    assert "Mend the payment" in text
    assert "The last payment failed." in visible(owner.get("/containers"))


@pytest.mark.parametrize(
    ("status", "says"),
    [("unpaid", "Your subscription is unpaid."), ("paused", "Your subscription is paused.")],
)
def test_what_entitles_to_nothing_says_why(pays, status, says):
    text = pays(status=status, entitles=False)
    assert says in text
    assert "Plan now: Free" in text


def test_a_plan_that_is_not_offered_any_more_is_said(pays):
    assert "You pay for a plan that is not offered any more." in pays(plan="gold")


def test_two_subscriptions_are_one_too_many(pays):
    pays()
    assert "You have more than one subscription." in pays(plan="team")


def test_what_is_over_is_not_looked_after(pays):
    text = pays(status="canceled", entitles=False)
    assert "Choose Pro" in text


def test_the_switch_shows_prices_by_the_year_and_remembers_what_is_paid(pays, owner):
    assert "$90 a year" in visible(owner.get("/billing?interval=year"))
    assert "$290 a year" in pays(interval="year", amount=9000)
    assert "Pay by the month" in visible(owner.get("/billing?interval=month"))


def test_invoices_are_listed_with_their_pages(pays, owner):
    kept = {
        "id": "in_1",
        "number": "A-1",
        "status": "open",
        "total": 900,
        "currency": "usd",
        "created": NOVEMBER,
        "hosted_invoice_url": "https://invoice.stripe.com/i/1",
        "invoice_pdf": None,
    }
    text = pays(account={"invoices": [kept]})
    assert "6 November 2026 A-1 unpaid $9 View" in text
    page = owner.get("/billing").text
    assert 'href="https://invoice.stripe.com/i/1"' in page
    assert "PDF" not in page


def test_forms_may_lead_to_stripes_own_pages(owner):
    policy = owner.get("/billing").headers["Content-Security-Policy"]
    assert "form-action 'self' https://checkout.stripe.com https://billing.stripe.com;" in policy


def test_the_page_takes_at_most_six_queries(pays, owner, queries):
    pays()
    queries.clear()
    owner.get("/billing")
    assert len(queries) <= 6, queries


class TestWithoutAKey:
    @pytest.fixture
    def settings(self):
        return make_settings()

    def test_plans_are_shown_without_buttons(self, owner):
        page = owner.get("/billing")
        assert "Choose Pro" not in visible(page)
        assert "$9 a month" in visible(page)
        assert "Whoever runs this service changes plans" in visible(page)

    @pytest.mark.parametrize("where", ["checkout", "portal"])
    def test_nothing_can_be_bought(self, owner, where):
        answer = owner.post(f"/billing/{where}", {"plan": "pro"})
        assert answer.status_code == 409
        assert "This service takes no payments." in visible(answer)

    def test_the_way_back_leads_nowhere(self, owner):
        assert owner.get("/billing/return").status_code == 409


def test_yearly_prices_have_no_switch_where_no_plan_has_one(app, monkeypatch):
    assert showing.sold_by_the_year()
    monkeypatch.setattr(showing.plans, "for_sale", list)
    assert not showing.sold_by_the_year()


@pytest.mark.parametrize("where", ["checkout", "portal"])
def test_a_stranger_who_wants_to_pay_is_asked_to_log_in(app, where):
    answer = PageUser(app).post(f"/billing/{where}", {"plan": "pro"})
    assert answer.status_code == 303
    assert answer.location.startswith("/login")


def test_a_stranger_who_comes_back_is_asked_to_log_in_and_led_on(app):
    answer = PageUser(app).get("/billing/return?session_id=cs_test_1")
    assert answer.location == "/login?next=/billing/return?session_id%3Dcs_test_1"


def test_who_tries_too_often_is_told_to_wait(owner):
    statuses = [owner.post("/billing/checkout", {"plan": "platinum"}).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]
