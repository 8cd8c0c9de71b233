"""Whatever is told, lost, repeated or told late: in the end the entitlement is what Stripe says."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from rexec.billing import jobs as billing_jobs
from rexec.billing import webhooks
from rexec.billing.entitlement import GRACE
from rexec.billing.models import BillingAccount
from rexec.extensions import db
from tests.engine.billing.conftest import HERE, Buyer
from tests.fakes.stripe_server import signed
from tests.support.shop import WEBHOOK_SECRET
from tests.support.stacks import on_sqlite

STATUSES = ("active", "past_due", "unpaid", "paused", "canceled")
SIZES = {"pro": 1, "team": 2}

happenings = strategies.one_of(
    strategies.tuples(strategies.just("buy"), strategies.sampled_from(("pro", "team"))),
    strategies.tuples(strategies.just("status"), strategies.sampled_from(STATUSES)),
    strategies.tuples(strategies.just("price"), strategies.sampled_from(("pro", "team"))),
    strategies.tuples(strategies.just("delete"), strategies.just("")),
    strategies.tuples(strategies.just("work"), strategies.just("")),
)
tellings = strategies.sampled_from(("told", "lost", "twice", "late"))


class Life:
    """A buyer to whom things happen at Stripe, and who is told of them badly."""

    def __init__(self, fake, work):
        self.fake, self.work = fake, work
        self.buyer = Buyer(fake)
        self.late = []

    def living(self):
        account = db.session.get(BillingAccount, self.buyer.id, populate_existing=True)
        customer = account.customer_id if account else None
        db.session.rollback()
        every = self.fake.subscriptions(customer) if customer else []
        return [each for each in every if each["status"] != "canceled"]

    def happen(self, what, which):
        """Let one thing happen, where it can."""
        living = self.living()
        if what == "buy" and not living:
            url = self.buyer.choose(which)
            assert url != HERE
            if "/c/pay/" in url:
                self.buyer.pay()
        elif what == "status" and living:
            self.fake.set_status(living[0]["id"], which)
        elif what == "price" and living:
            prices = {price["lookup_key"]: price["id"] for price in self.fake.prices()}
            self.fake.change_price(living[0]["id"], prices[f"rexec_{which}_month"])
        elif what == "delete" and living:
            self.fake.delete_customer(living[0]["customer"])
        elif what == "work":
            self.work()

    def tell(self, events, how):
        """Tell of what happened, or not, or twice, or after everything else."""
        if how == "late":
            self.late += events
        elif how != "lost":
            for event in events * (2 if how == "twice" else 1):
                self.hear(event)

    def hear(self, event):
        body, header = signed(event, WEBHOOK_SECRET)
        webhooks.receive(body, header, [WEBHOOK_SECRET], is_live=False)

    def end(self):
        """What was late arrives in reverse, and the look that comes round by itself comes round."""
        for event in reversed(self.late):
            self.hear(event)
            self.work()
        billing_jobs.queue([self.buyer.id])
        self.work()

    def owed(self):
        """The plan by what Stripe holds, reckoned without our code."""
        marks = {price["id"]: price["metadata"]["rexec_plan"] for price in self.fake.prices()}
        best = "free"
        for each in self.living():
            plan = marks[each["items"]["data"][0]["price"]["id"]]
            if self.entitles(each) and SIZES[plan] > SIZES.get(best, 0):
                best = plan
        return best

    def entitles(self, subscription):
        if subscription["status"] == "past_due":
            invoice = self.fake.object(subscription["latest_invoice"])
            made = invoice["status_transitions"]["finalized_at"] or invoice["created"]
            return datetime.fromtimestamp(made, UTC) + GRACE > datetime.now(UTC)
        return subscription["status"] in {"active", "trialing"}


@pytest.fixture
def lives(app, fake, work):
    return lambda: Life(fake, work)


@on_sqlite
@given(strategies.lists(strategies.tuples(happenings, tellings), min_size=1, max_size=10))
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_entitlement_ends_equal_to_what_stripe_says(lives, story):
    life = lives()
    for (what, which), how in story:
        before = len(life.fake.events)
        life.happen(what, which)
        told = [event for event in life.fake.events[before:] if event["type"] in webhooks.KINDS]
        life.tell(told, how)
    life.end()
    assert life.buyer.plan == life.owed()
