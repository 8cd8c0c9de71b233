"""Objects with every field that the official library types, so that no client misses one.

https://docs.stripe.com/api
"""

from __future__ import annotations

import copy
import functools
import inspect
import typing

import stripe

INCLUDABLE = {
    ("checkout.session", "line_items"),
    ("customer", "sources"),
    ("customer", "subscriptions"),
    ("customer", "tax"),
    ("customer", "tax_ids"),
    ("customer", "cash_balance"),
    ("customer", "invoice_credit_balance"),
    ("price", "currency_options"),
    ("price", "tiers"),
    ("charge", "refunds"),
    ("invoice", "payments"),
}
"""Fields that an answer has only where they are expanded; https://docs.stripe.com/api/expanding_objects."""

CLASSES = {
    each.OBJECT_NAME: each
    for each in (
        stripe.BalanceTransaction,
        stripe.Charge,
        stripe.Customer,
        stripe.Dispute,
        stripe.Event,
        stripe.Invoice,
        stripe.InvoiceLineItem,
        stripe.InvoicePayment,
        stripe.LineItem,
        stripe.PaymentIntent,
        stripe.PaymentMethod,
        stripe.Plan,
        stripe.Price,
        stripe.Product,
        stripe.Subscription,
        stripe.SubscriptionItem,
        stripe.SubscriptionSchedule,
        stripe.billing_portal.Configuration,
        stripe.billing_portal.Session,
        stripe.checkout.Session,
    )
}
"""The library's classes by the name in an object's `object`."""


@functools.cache
def _empty(kind: str) -> dict:
    result: dict[str, object] = {}
    for name, hint in inspect.get_annotations(CLASSES[kind]).items():
        if name in {"OBJECT_NAME", "deleted"} or (kind, name) in INCLUDABLE:
            continue
        result[name] = [] if typing.get_origin(hint) is list else None
    return {**result, "object": kind}


def shape(kind: str, **values: object) -> dict:
    """An object whose fields are empty, but for these.

    Args:
        kind: Its `object`, such as `checkout.session`.
        values: Fields that are known.
    """
    return {**copy.deepcopy(_empty(kind)), **values}


def lacking(thing: dict) -> list[str]:
    """The fields that the library says are always there, and that are empty."""
    hints = inspect.get_annotations(CLASSES[thing["object"]])
    needed = [name for name, hint in hints.items() if type(None) not in typing.get_args(hint)]
    return [name for name in needed if name != "OBJECT_NAME" and thing.get(name) is None]


@functools.cache
def can_expand(kind: str, name: str) -> bool:
    """Whether a field is an id that the library types as expandable."""
    if (kind, name) in INCLUDABLE:
        return True
    if kind not in CLASSES:
        return False
    return _is_reference(inspect.get_annotations(CLASSES[kind]).get(name))


def _is_reference(hint: object) -> bool:
    parts = typing.get_args(hint)
    if str in parts and any(isinstance(part, typing.ForwardRef) for part in parts):
        return True
    return any(_is_reference(part) for part in parts)


def listing(url: str, data: list, *, has_more: bool = False) -> dict:
    """A list; https://docs.stripe.com/api/pagination."""
    return {"object": "list", "url": url, "has_more": has_more, "data": data}
