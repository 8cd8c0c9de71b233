"""What happens to a subscription: it starts, is paid, is not paid, pauses, resumes, ends.

https://docs.stripe.com/billing/subscriptions/overview#subscription-lifecycle
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from tests.fakes import stripe_invoices, stripe_shapes
from tests.fakes.stripe_intervals import next_end
from tests.fakes.stripe_lines import period_lines
from tests.fakes.stripe_payments import DAY
from tests.fakes.stripe_state import State

OVER = frozenset({"canceled", "incomplete_expired"})
"""States without return."""
OWING = frozenset({"past_due", "unpaid", "incomplete"})


@contextlib.contextmanager
def updating(state: State, subscription: dict) -> Iterator[None]:
    """Tell of what changes in the block, if anything does."""
    before = state.view(subscription)
    yield
    state.emit("customer.subscription.updated", subscription, before=before)


def item_of(state: State, subscription: dict, price: dict, quantity: int, **values: object) -> dict:
    """An item; https://docs.stripe.com/api/subscription_items/object."""
    return stripe_shapes.shape(
        "subscription_item",
        id=state.identifier("si_", 14),
        created=state.now(),
        metadata=values.get("metadata") or {},
        price=price["id"],
        quantity=quantity,
        subscription=subscription["id"],
        tax_rates=[],
    )


def billing_mode(kind: str) -> dict:
    """`flexible`, as new subscriptions have it, or `classic`."""
    flexible = {"proration_discounts": "included"} if kind == "flexible" else None
    return {"type": kind, "flexible": flexible, "updated_at": None}


def blank(state: State, customer: dict, currency: str) -> dict:
    """A subscription without items, in no table yet; https://docs.stripe.com/api/subscriptions/object."""
    name = state.identifier("sub_1", 23)
    return stripe_shapes.shape(
        "subscription",
        id=name,
        automatic_tax={"enabled": False, "disabled_reason": None, "liability": None},
        billing_cycle_anchor=state.now(),
        billing_mode=billing_mode("flexible"),
        cancel_at_period_end=False,
        cancellation_details=dict.fromkeys(("comment", "feedback", "feedback_option", "reason")),
        collection_method="charge_automatically",
        created=state.now(),
        currency=currency,
        customer=customer["id"],
        default_tax_rates=[],
        invoice_settings={
            **dict.fromkeys(("account_tax_ids", "custom_fields", "description", "footer")),
            "issuer": {"type": "self"},
        },
        items=stripe_shapes.listing(f"/v1/subscription_items?subscription={name}", []),
        livemode=False,
        metadata={},
        payment_settings={
            **dict.fromkeys(("payment_method_options", "payment_method_types")),
            "save_default_payment_method": "off",
        },
        start_date=state.now(),
        status="incomplete",
        trial_settings={
            "end_behavior": {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}
        },
        _pending=[],
        _retries=0,
        _announced=False,
        _change=None,
    )


def view_subscription(state: State, _thing: dict, seen: dict) -> None:
    """Items show their prices whole, and the plan that older clients know."""
    for item in seen["items"]["data"]:
        price = state.view(state.get("price", item["price"]))
        item["price"] = price
        item["plan"] = plan_of(price)


def plan_of(price: dict) -> dict:
    """The older form of a price; https://docs.stripe.com/api/plans/object."""
    recurring = price["recurring"]
    return stripe_shapes.shape(
        "plan",
        active=price["active"],
        amount=price["unit_amount"],
        amount_decimal=price["unit_amount_decimal"],
        billing_scheme=price["billing_scheme"],
        created=price["created"],
        currency=price["currency"],
        id=price["id"],
        interval=recurring["interval"],
        interval_count=recurring["interval_count"],
        livemode=False,
        metadata=price["metadata"],
        nickname=price["nickname"],
        product=price["product"],
        usage_type=recurring["usage_type"],
    )


def set_period(state: State, subscription: dict, start: int, end: int | None = None) -> None:
    """Give every item its period: to the next end of the billing cycle, or until a moment."""
    anchor = subscription["billing_cycle_anchor"]
    for item in subscription["items"]["data"]:
        recurring = state.get("price", item["price"])["recurring"]
        item["current_period_start"] = start
        item["current_period_end"] = next_end(anchor, recurring, start) if end is None else end


def period_end(subscription: dict) -> int:
    """When the current period ends; items may differ, the first to end counts."""
    return min(item["current_period_end"] for item in subscription["items"]["data"])


def start(state: State, subscription: dict, *, trial_end: int | None = None, collect: bool = True) -> dict:
    """Let a subscription with items begin: its first invoice is made and collected.

    Args:
        state: The account.
        subscription: Not in its table yet.
        trial_end: When a trial ends, if there is one.
        collect: Whether to try to collect the invoice.
    """
    now, place = state.now(), state.mark()
    state.tables["subscription"][subscription["id"]] = subscription
    set_period(state, subscription, now, trial_end)
    if trial_end is not None:
        subscription.update(trial_start=now, trial_end=trial_end, billing_cycle_anchor=trial_end)
        subscription["status"] = "trialing"
    lines = period_lines(state, subscription, free=trial_end is not None)
    invoice = stripe_invoices.make(state, subscription, "subscription_create", lines)
    stripe_invoices.finalize(state, invoice)
    if collect or invoice["amount_due"] == 0:
        stripe_invoices.pay(state, invoice)
    state.emit("customer.subscription.created", subscription, at=place)
    subscription["_announced"] = True
    return subscription


def settled(state: State, invoice: dict) -> None:
    """A paid invoice mends a subscription that owed it."""
    subscription = state.tables["subscription"].get(stripe_invoices.subscription_of(invoice) or "")
    if subscription is None or subscription["latest_invoice"] != invoice["id"]:
        return
    if subscription["status"] == "incomplete" and not subscription["_announced"]:
        # The first payment worked at once: the subscription is created active.
        subscription["status"] = "active"
        return
    if subscription["status"] in OWING:
        with updating(state, subscription):
            subscription["status"] = "active"
            subscription["_retries"] = 0


stripe_invoices.WHEN_PAID.append(settled)


def collect(state: State, subscription: dict, invoice: dict) -> None:
    """Try to collect an invoice; what fails is tried again by the retry rules."""
    if stripe_invoices.pay(state, invoice):
        return
    with updating(state, subscription):
        subscription["status"] = "past_due"
    _plan_retry(state, subscription, invoice)


def _plan_retry(state: State, subscription: dict, invoice: dict) -> None:
    done = subscription["_retries"]
    if done < len(state.retry_days):
        invoice["next_payment_attempt"] = state.now() + state.retry_days[done] * DAY
    else:
        invoice["next_payment_attempt"] = None
        give_up(state, subscription)


def retry(state: State, subscription: dict, invoice: dict) -> None:
    """Try again to collect an open invoice; https://docs.stripe.com/billing/revenue-recovery/smart-retries."""
    subscription["_retries"] += 1
    if not stripe_invoices.pay(state, invoice):
        _plan_retry(state, subscription, invoice)


def give_up(state: State, subscription: dict) -> None:
    """After the last retry the account's setting decides: canceled, unpaid or past_due."""
    if state.after_retries == "canceled":
        cancel(state, subscription, reason="payment_failed")
    elif state.after_retries == "unpaid":
        with updating(state, subscription):
            subscription["status"] = "unpaid"


def cancel(state: State, subscription: dict, *, reason: str = "cancellation_requested") -> None:
    """End a subscription at once; https://docs.stripe.com/billing/subscriptions/cancel."""
    now = state.now()
    subscription.update(status="canceled", ended_at=now, schedule=None, pause_collection=None)
    subscription["canceled_at"] = subscription["canceled_at"] or now
    subscription["cancellation_details"]["reason"] = reason
    subscription["_pending"] = []
    for invoice in state.all("invoice"):
        if stripe_invoices.subscription_of(invoice) == subscription["id"] and invoice["status"] == "open":
            invoice.update(auto_advance=False, next_payment_attempt=None)
    state.emit("customer.subscription.deleted", subscription)


def pause(state: State, subscription: dict, why: str = "pause_requested") -> None:
    """Let a subscription rest: status `paused`; https://docs.stripe.com/billing/subscriptions/pause."""
    before = state.view(subscription)
    subscription["status"] = "paused"
    subscription["status_details"] = {
        "paused": {"type": "subscription", "transitioned_at": state.now(), "subscription": {"type": why}}
    }
    state.emit("customer.subscription.updated", subscription, before=before)
    state.emit("customer.subscription.paused", subscription)


def resume(state: State, subscription: dict, *, anchor: str = "now") -> bool:
    """Let a paused subscription go on, paid from now, and say whether it does.

    Args:
        state: The account.
        subscription: A paused one.
        anchor: `now` begins a new period and asks for its price; `unchanged` keeps the period.
    """
    before = state.view(subscription)
    if anchor == "now":
        now = state.now()
        subscription["billing_cycle_anchor"] = now
        set_period(state, subscription, now)
        invoice = stripe_invoices.make(
            state, subscription, "subscription_update", period_lines(state, subscription)
        )
        stripe_invoices.finalize(state, invoice)
        if not stripe_invoices.pay(state, invoice):
            return False
    subscription.update(status="active", status_details=None)
    state.emit("customer.subscription.updated", subscription, before=before)
    state.emit("customer.subscription.resumed", subscription)
    return True
