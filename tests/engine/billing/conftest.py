"""Payments on real databases, with the real library of Stripe's, against a server that plays Stripe."""

from __future__ import annotations

import dataclasses

import pytest

from rexec import jobs
from rexec.accounts.models import User
from rexec.billing import checkout, gateway, returning, service
from rexec.billing.gateway import stripe
from rexec.billing.models import Subscription
from rexec.extensions import db, utcnow
from rexec.jobs import rows
from rexec.jobs.models import Operation
from rexec.jobs.runner import Runner
from tests.support.factories import make_user
from tests.support.shop import WEBHOOK_SECRET, fake, hooked, shop_server
from tests.support.stripe_account import StripeAccount

__all__ = ["fake", "hooked", "shop_server"]

HERE = "http://127.0.0.1:1"


@pytest.fixture
def settings(settings, fake):
    """Settings whose payments go to the fake."""
    return dataclasses.replace(
        settings,
        stripe_secret_key=fake.key,
        stripe_api_base=fake.url,
        stripe_webhook_secret=WEBHOOK_SECRET,
    )


@pytest.fixture
def impatient(monkeypatch):
    """Tries once, and gives up on a silent Stripe sooner, but not on one that a busy machine makes slow."""
    monkeypatch.setattr(gateway, "READ_S", 3.0)
    monkeypatch.setattr(gateway, "RETRIES", 0)


class Silent:
    """A bell that nobody hears: these tests run the work themselves."""

    def ring(self, *_: object) -> None:
        """Nobody to wake."""

    def ring_later(self, *_: object) -> None:
        """Nobody to wake later."""

    def pending(self, *_: object) -> int:
        """Nothing rung is unanswered."""
        return 0


@pytest.fixture
def work(app):
    """Runs the queued work on payments, in this thread, until nothing is due."""
    app.extensions[jobs.backends.EXTENSION] = Silent()
    runner = Runner(app, Silent())

    def run():
        done = 0
        while waiting := rows.due("billing"):
            for row in waiting:
                runner.work(row.operation_id, "billing")
                done += 1
            assert done < 500, "the work never ends"
        db.session.rollback()
        return done

    yield run
    runner.stop(1)


class Buyer:
    """Somebody with an account who goes to Stripe and comes back."""

    def __init__(self, fake: StripeAccount) -> None:
        self.fake = fake
        self.id = make_user().id

    @property
    def plan(self) -> str | None:
        """The key of the plan that counts."""
        db.session.rollback()
        user = db.session.get(User, self.id, populate_existing=True)
        plan = service.plan_of(user)
        return plan.key if plan else None

    def choose(self, plan: str = "pro", interval: str = "month") -> str:
        """Press the button of a plan; the address that it leads to."""
        return checkout.begin(self.id, plan, interval, HERE, stripe())

    @property
    def session_id(self) -> str:
        """The last checkout."""
        found = checkout.account_of(self.id).checkout_session_id
        assert found
        return found

    @property
    def customer(self) -> str:
        """The customer at Stripe."""
        found = checkout.account_of(self.id).customer_id
        assert found
        return found

    def pay(self) -> None:
        """Pay the open checkout, and not come back."""
        self.fake.pay_checkout(self.session_id)

    def come_back(self, session_id: str | None = None) -> str:
        """Open the page that Stripe leads back to."""
        return returning.come_back(self.id, session_id or self.session_id, stripe())

    def buy(self, plan: str = "pro", interval: str = "month") -> Buyer:
        """Choose, pay, come back."""
        self.choose(plan, interval)
        self.pay()
        self.come_back()
        return self

    @property
    def subscription(self) -> Subscription:
        """The subscription as it is stored; there is one."""
        db.session.rollback()
        return db.session.query(Subscription).filter_by(user_id=self.id).one()


@pytest.fixture
def buyer(app, fake):
    """Somebody who has no plan yet."""
    return Buyer(fake)


@pytest.fixture
def new_buyer(app, fake):
    """Makes more of them."""
    return lambda: Buyer(fake)


@pytest.fixture
def make_due(app):
    """Lets all queued work be due now, as if time had passed."""

    def run():
        db.session.query(Operation).filter_by(state="queued").update({"not_before": utcnow()})
        db.session.commit()

    return run
