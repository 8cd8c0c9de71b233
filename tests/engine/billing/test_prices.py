"""Plans as Stripe sells them: made where missing, changed where different, left alone otherwise."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest

from rexec.billing import plans, shop, sync
from rexec.billing.gateway import stripe
from rexec.extensions import db


@pytest.fixture
def reprice(app):
    """Changes a price in the operator's file."""

    def change(key, **values):
        changed = [dataclasses.replace(plan, **values) if plan.key == key else plan for plan in plans.all()]
        app.extensions[plans.EXTENSION] = tuple(changed)

    return change


def keys(fake):
    return {price["lookup_key"]: price["unit_amount"] for price in fake.prices() if price["lookup_key"]}


def test_a_dry_run_says_what_it_would_make_and_makes_nothing(app, fake):
    said = shop.sync(stripe(), apply=False)
    assert "make the product Pro" in said
    assert "make the price of Team: $290 a year" in said
    assert fake.prices() == []


def test_what_is_missing_is_made_once(app, fake):
    shop.sync(stripe(), apply=True)
    assert keys(fake) == {
        "rexec_pro_month": 900,
        "rexec_pro_year": 9000,
        "rexec_team_month": 2900,
        "rexec_team_year": 29000,
    }
    assert len(fake.portal_configurations()) == 1
    assert shop.sync(stripe(), apply=True) == []
    assert len(fake.portal_configurations()) == 1


def test_two_instances_at_once_make_one_of_each(app, fake):
    def run():
        with app.app_context():
            try:
                shop.sync(stripe(), apply=True)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(run) for _ in range(2)]:
            future.result(30)
    sold = [price for price in fake.prices() if price["active"] and price["lookup_key"]]
    assert len(sold) == 4
    assert len({price["product"] for price in sold}) == 2


def test_a_changed_price_gets_a_successor_and_subscribers_keep_the_old_one(buyer, fake, reprice):
    buyer.buy("pro")
    old = buyer.subscription.price_id
    reprice("pro", price_cents=1200)
    said = shop.sync(stripe(), apply=True)
    assert "make a new price of Pro: $12 a month in place of $9; who subscribed keeps the old one" in said
    assert keys(fake)["rexec_pro_month"] == 1200
    sync.refresh(buyer.id, stripe())
    assert (buyer.subscription.price_id, buyer.subscription.amount, buyer.plan) == (old, 900, "pro")


def test_a_price_that_the_operator_made_is_used_and_known_after_it_lost_its_key(buyer, fake, reprice):
    fake.make_price(900, lookup_key="rexec_pro_month")
    buyer.buy("pro")
    reprice("pro", price_cents=1500)
    shop.sync(stripe(), apply=True)
    sync.refresh(buyer.id, stripe())
    assert buyer.plan == "pro"


def test_a_renamed_plan_renames_its_product(app, fake, reprice):
    shop.sync(stripe(), apply=True)
    reprice("team", name="Crew")
    assert shop.sync(stripe(), apply=True) == ["name the product Team Crew, and have it for sale"]


def test_the_portal_offers_what_is_for_sale(app, fake, reprice):
    shop.sync(stripe(), apply=True)
    features = fake.portal_configurations()[0]["features"]
    assert len(features["subscription_update"]["products"]) == 2
    assert features["subscription_cancel"]["mode"] == "at_period_end"
    reprice("pro", price_cents=1200)
    assert "let the customer portal offer the plans as they are now" in shop.sync(stripe(), apply=True)
    assert len(fake.portal_configurations()) == 1


def test_a_checkout_goes_on_when_a_price_was_archived_in_the_dashboard(buyer, fake):
    buyer.choose("pro")
    for price in fake.prices():
        fake.by_hand.prices.update(price["id"], {"active": False})
    assert buyer.choose("team").startswith(f"{fake.url}/c/pay/")
