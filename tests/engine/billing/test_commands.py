"""`rexec billing`: what Stripe lacks, and where it differs."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from rexec.cli import cli
from rexec.extensions import db
from tests.support.stacks import on_sqlite

pytestmark = on_sqlite


@pytest.fixture
def rexec(app, monkeypatch):
    """Runs a command with the test's application; hands back exit code and output."""
    monkeypatch.setattr("rexec.cli.open_app", lambda: app)

    def run(*arguments):
        done = CliRunner().invoke(cli, arguments)
        db.session.rollback()
        return done.exit_code, done.output

    return run


def test_sync_shows_what_it_would_make_then_makes_it(rexec, fake):
    code, said = rexec("billing", "sync")
    assert code == 0
    assert "would: make the price of Pro: $9 a month\n" in said
    assert "rexec billing sync --apply does it" in said
    assert fake.prices() == []
    assert "done: set the customer portal up\n" in rexec("billing", "sync", "--apply")[1]
    assert rexec("billing", "sync") == (0, "Stripe sells what the plans say.\n")


def test_reconcile_prints_differences_and_stores_stripes_word(rexec, buyer, fake):
    buyer.buy()
    assert rexec("billing", "reconcile") == (0, "Nothing differs.\n")
    subscription = buyer.subscription.stripe_id
    fake.cancel_subscription(subscription)
    code, said = rexec("billing", "reconcile")
    assert code == 1
    assert f"{subscription}: status is active here and canceled at Stripe" in said
    assert buyer.plan == "pro"
    assert rexec("billing", "reconcile", "--apply")[0] == 0
    assert buyer.plan == "free"
    assert rexec("billing", "reconcile") == (0, "Nothing differs.\n")


def test_a_subscription_made_in_the_dashboard_is_a_difference(rexec, buyer, fake):
    buyer.buy("pro")
    made = fake.create_subscription(buyer.customer, fake.price_of("rexec_team_month"))
    code, said = rexec("billing", "reconcile", "--apply")
    assert code == 0
    assert f"{made['id']} is active at Stripe and not known here" in said
    assert buyer.plan == "team"


def test_without_a_key_it_says_so(rexec, app):
    from rexec.billing.gateway import EXTENSION

    app.extensions[EXTENSION] = None
    code, said = rexec("billing", "reconcile")
    assert code == 1
    assert "This service takes no payments." in said


def test_while_stripe_is_away_it_says_so(rexec, fake):
    fake.down()
    code, said = rexec("billing", "sync")
    assert code == 1
    assert "The payment service does not answer." in said
