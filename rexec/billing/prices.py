"""Plans as Stripe sells them: a product for each, a price for each interval, found by its lookup key.

A price's amount never changes at Stripe. Where a plan's did, a new price is made and takes the lookup key;
who subscribed before keeps the old one, whose metadata says which plan it is for.
Source: https://docs.stripe.com/products-prices/manage-prices
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rexec.billing import plans
from rexec.billing.gateway import StripeGateway, idempotency_key
from rexec.billing.money import money
from rexec.billing.plans import Plan

INTERVALS = ("month", "year")
MARK = "rexec_plan"
"""Metadata that says which plan a price or product is for."""


@dataclass(frozen=True)
class Change:
    """Something that Stripe lacks or has otherwise.

    Args:
        text: What would be done, for the operator.
        apply: Does it.
    """

    text: str
    apply: Callable[[], Any]


@dataclass
class Catalogue:
    """What Stripe holds of our plans.

    Args:
        prices: Plan and interval -> id of the price.
        products: Plan -> id of the product.
        changes: What is missing or different, in the order it has to be done.
        key: Makes the changes' idempotency keys differ from those of the same changes before.
    """

    prices: dict[tuple[str, str], str] = field(default_factory=dict)
    products: dict[str, str] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    key: str | None = None


def lookup_key(plan: str, interval: str) -> str:
    """The name under which a price is found, whatever its id."""
    return f"rexec_{plan}_{interval}"


def product_id(plan: str) -> str:
    """The id of a product of our own making."""
    return f"rexec_{plan}"


def plan_of_price(price: dict[str, Any]) -> str | None:
    """Which plan a price is for; None where it is none of ours. The plan need not be in the file any more.

    Args:
        price: As Stripe has it, its product an id or an object.
    """
    marked = (price.get("metadata") or {}).get(MARK)
    if marked:
        return str(marked)
    for key, mark in _marks():
        if price.get("lookup_key") == key or _id(price.get("product")) == key:
            return mark
    return None


def _marks() -> list[tuple[str, str]]:
    keys = [(lookup_key(plan.key, interval), plan.key) for plan in plans.all() for interval in INTERVALS]
    return keys + [(product_id(plan.key), plan.key) for plan in plans.all()]


def _id(thing: Any) -> str | None:
    return thing.get("id") if isinstance(thing, dict) else thing


def look(gateway: StripeGateway, *, again: bool = False) -> Catalogue:
    """Compare the plans with what Stripe sells.

    Args:
        gateway: Stripe.
        again: Have the changes made anew, though they were made a moment ago.

    Raises:
        StripeError: Stripe could not be asked.
    """
    found = Catalogue(key=secrets.token_hex(20) if again else None)
    sold = [plan for plan in plans.for_sale() if plan.price_cents]
    keys = [lookup_key(plan.key, each) for plan in sold for each in INTERVALS if plan.price(each)]
    by_key = {price["lookup_key"]: price for price in gateway.find_prices(keys)} if keys else {}
    for plan in sold:
        mine = {each: by_key.get(lookup_key(plan.key, each)) for each in INTERVALS if plan.price(each)}
        _look_at_product(gateway, found, plan, [price for price in mine.values() if price])
        for interval, price in mine.items():
            _look_at_price(gateway, found, plan, interval, price)
    return found


def _look_at_product(
    gateway: StripeGateway, found: Catalogue, plan: Plan, prices: list[dict[str, Any]]
) -> None:
    product = prices[0]["product"] if prices else gateway.find_product(product_id(plan.key))
    fields = {"name": plan.name, "metadata": {MARK: plan.key}}
    if product is None:
        found.products[plan.key] = product_id(plan.key)
        made = {**fields, "id": product_id(plan.key)}
        found.changes.append(Change(f"make the product {plan.name}", lambda: gateway.create_product(made)))
        return
    found.products[plan.key] = product["id"]
    if product["name"] != plan.name or not product["active"]:
        wanted = {**fields, "active": True}
        text = f"name the product {product['name']} {plan.name}, and have it for sale"
        found.changes.append(Change(text, lambda: gateway.update_product(product["id"], wanted)))


def _look_at_price(
    gateway: StripeGateway, found: Catalogue, plan: Plan, interval: str, price: dict[str, Any] | None
) -> None:
    amount = plan.price(interval)
    if price is not None and (price["unit_amount"], price["currency"]) == (amount, plan.currency):
        found.prices[plan.key, interval] = price["id"]
        return
    fields = {
        "product": found.products[plan.key],
        "currency": plan.currency,
        "unit_amount": amount,
        "recurring": {"interval": interval},
        "lookup_key": lookup_key(plan.key, interval),
        "transfer_lookup_key": True,
        "metadata": {MARK: plan.key},
        "nickname": f"{plan.name}, by the {interval}",
    }
    words = f"{money(amount or 0, plan.currency)} a {interval}"
    if price is None:
        text = f"make the price of {plan.name}: {words}"
    else:
        text = (
            f"make a new price of {plan.name}: {words} in place of "
            f"{money(price['unit_amount'] or 0, price['currency'])}; who subscribed keeps the old one"
        )
        if MARK not in (price.get("metadata") or {}):
            # Without its lookup key nothing else would say what its subscribers paid for.
            marked = {"metadata": {MARK: plan.key}}
            mark = f"mark the old price of {plan.name} as its own"
            found.changes.append(Change(mark, lambda: gateway.update_price(price["id"], marked)))
    key = idempotency_key(found.key, fields) if found.key else None
    found.changes.append(Change(text, lambda: gateway.create_price(fields, key=key)))
