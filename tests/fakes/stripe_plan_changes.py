"""Another price in the midst of a subscription: at once with or without proration, or at the period's end.

https://docs.stripe.com/billing/subscriptions/change-price and
https://docs.stripe.com/api/subscription_schedules/object
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakes import stripe_invoices
from tests.fakes.stripe_errors import declined, invalid
from tests.fakes.stripe_invoices import blank
from tests.fakes.stripe_lifecycle import collect, set_period, updating
from tests.fakes.stripe_lines import change_lines, credit_line, line, period_lines
from tests.fakes.stripe_lists import matching, page
from tests.fakes.stripe_payments import card_of
from tests.fakes.stripe_routes import endpoint
from tests.fakes.stripe_state import State


@dataclass
class Change:
    """What one item of a subscription becomes."""

    item: dict
    price: dict
    quantity: int
    behavior: str = "create_prorations"
    when: int = 0
    from_now: bool = False


def starts_anew(state: State, subscription: dict, change: Change) -> bool:
    """Whether the change begins a new period: another interval does, where no trial runs."""
    if subscription["status"] == "trialing":
        return False
    old = state.get("price", change.item["price"])["recurring"]
    new = change.price["recurring"]
    same = all(old[name] == new[name] for name in ("interval", "interval_count"))
    return change.from_now or not same


def prorations(state: State, subscription: dict, change: Change) -> list[dict]:
    """What the change gives back and costs until the period ends."""
    if change.behavior == "none" or subscription["status"] in {"trialing", "paused"}:
        return []
    when = change.when or state.now()
    if starts_anew(state, subscription, change):
        return [credit_line(state, change.item, when)]
    return change_lines(state, change.item, change.price, change.quantity, when)


def apply(state: State, subscription: dict, change: Change, payment_behavior: str = "") -> dict | None:
    """Make the change. The invoice that has to be collected now is handed back, if there is one.

    Args:
        state: The account.
        subscription: The item's.
        change: What to do.
        payment_behavior: `error_if_incomplete` refuses a change that cannot be paid.
    """
    lines = prorations(state, subscription, change)
    anew = starts_anew(state, subscription, change)
    at_once = anew or (change.behavior == "always_invoice" and bool(lines))
    if at_once and payment_behavior == "error_if_incomplete":
        _refuse_unpayable(state, subscription)
    change.item.update(price=change.price["id"], quantity=change.quantity)
    if anew:
        subscription["billing_cycle_anchor"] = state.now()
        set_period(state, subscription, state.now())
        lines += period_lines(state, subscription)
    if not at_once:
        subscription["_pending"] += lines
        return None
    lines = subscription["_pending"] + lines
    subscription["_pending"] = []
    invoice = stripe_invoices.make(state, subscription, "subscription_update", lines)
    stripe_invoices.finalize(state, invoice)
    return invoice


def _refuse_unpayable(state: State, subscription: dict) -> None:
    card = card_of(state, state.get("customer", subscription["customer"]), subscription)
    if card is None or card["id"] in state.failing:
        raise declined("card_declined", "Your card was declined.", "generic_decline")


def change_now(state: State, subscription: dict, change: Change) -> None:
    """Make the change and collect what it costs."""
    with updating(state, subscription):
        invoice = apply(state, subscription, change)
    if invoice is not None:
        collect(state, subscription, invoice)


def change_later(state: State, subscription: dict, change: Change) -> dict:
    """Let a schedule make the change when the period ends."""
    item = change.item
    start, end = item["current_period_start"], item["current_period_end"]
    schedule = state.make(
        "subscription_schedule",
        "sub_sched_1",
        customer=subscription["customer"],
        current_phase={"start_date": start, "end_date": end},
        default_settings={},
        end_behavior="release",
        phases=[
            _phase(item["price"], item["quantity"], start, end),
            _phase(change.price["id"], change.quantity, end, None),
        ],
        status="active",
        subscription=subscription["id"],
    )
    state.emit("subscription_schedule.created", schedule)
    with updating(state, subscription):
        subscription["schedule"] = schedule["id"]
    subscription["_change"] = {"item": item["id"], "price": change.price["id"], "quantity": change.quantity}
    return schedule


def _phase(price: str, quantity: int, start: int, end: int | None) -> dict:
    return {
        "items": [{"price": price, "plan": price, "quantity": quantity, "metadata": {}}],
        "start_date": start,
        "end_date": end,
        "metadata": {},
        "proration_behavior": "none",
    }


def make_scheduled(state: State, subscription: dict) -> None:
    """Make what was put off until the period's end, which is now."""
    wanted = subscription["_change"]
    if wanted is None:
        return
    for item in subscription["items"]["data"]:
        if item["id"] == wanted["item"]:
            item.update(price=wanted["price"], quantity=wanted["quantity"])
    subscription["billing_cycle_anchor"] = item["current_period_end"]
    release(state, subscription)


def release(state: State, subscription: dict) -> None:
    """Take a subscription out of its schedule; https://docs.stripe.com/api/subscription_schedules/release."""
    schedule = state.tables["subscription_schedule"].get(subscription["schedule"] or "")
    subscription.update(schedule=None, _change=None)
    if schedule is not None:
        schedule.update(
            status="released",
            released_at=state.now(),
            released_subscription=subscription["id"],
            subscription=None,
            current_phase=None,
        )
        state.emit("subscription_schedule.released", schedule)


@endpoint("GET", "/v1/subscription_schedules/{}", "SubscriptionScheduleRetrieveParams")
def retrieve_schedule(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/subscription_schedules/retrieve."""
    return state.view(state.get("subscription_schedule", name))


@endpoint("GET", "/v1/subscription_schedules", "SubscriptionScheduleListParams")
def list_schedules(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/subscription_schedules/list."""
    found = matching(state.all("subscription_schedule"), customer=params.get("customer"))
    return page(state, "/v1/subscription_schedules", found, params)


@endpoint("POST", "/v1/subscription_schedules/{}/release", "SubscriptionScheduleReleaseParams")
def release_schedule(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/subscription_schedules/release."""
    schedule = state.get("subscription_schedule", name)
    if schedule["status"] not in {"active", "not_started"}:
        raise invalid(f"You cannot release a subscription schedule that is currently `{schedule['status']}`.")
    subscription = state.get("subscription", schedule["subscription"])
    with updating(state, subscription):
        release(state, subscription)
    return state.view(schedule)


@endpoint("POST", "/v1/invoices/create_preview", "InvoiceCreatePreviewParams")
def preview(state: State, params: dict) -> dict:
    """What the next invoice will say; https://docs.stripe.com/api/invoices/create_preview."""
    if "subscription" not in params:
        raise invalid("You must pass either `subscription` or `subscription_details`.", "subscription")
    subscription = state.get("subscription", params["subscription"], "subscription")
    if subscription["status"] == "canceled":
        raise invalid("No upcoming invoices for customer", "", "invoice_upcoming_none")
    details = params.get("subscription_details", {})
    changes = changes_of(state, subscription, details)
    lines = list(subscription["_pending"])
    at_once = details.get("proration_behavior") == "always_invoice"
    for change in changes:
        lines += prorations(state, subscription, change)
        at_once = at_once or starts_anew(state, subscription, change)
        if starts_anew(state, subscription, change):
            lines.append(_next_line(state, change, state.now()))
    if not at_once:
        ends = subscription["cancel_at_period_end"] or details.get("cancel_at_period_end")
        lines += [] if ends else _next_period(state, subscription, changes)
    invoice = blank(state, subscription, "upcoming", lines, state.identifier("upcoming_in_1"))
    invoice["ending_balance"] = min(0, invoice["starting_balance"] + invoice["total"])
    return state.view(invoice)


def _next_period(state: State, subscription: dict, changes: list[Change]) -> list[dict]:
    by_item = {change.item["id"]: change for change in changes}
    lines = []
    for item in subscription["items"]["data"]:
        price = state.get("price", item["price"])
        change = by_item.get(item["id"]) or Change(item, price, item["quantity"])
        lines.append(_next_line(state, change, item["current_period_end"]))
    return lines


def _next_line(state: State, change: Change, start: int) -> dict:
    from tests.fakes.stripe_intervals import after
    from tests.fakes.stripe_lines import amount_of

    later = {**change.item, "quantity": change.quantity}
    period = (start, after(start, change.price["recurring"]))
    return line(state, later, change.price, amount_of(change.price, change.quantity), period)


def changes_of(state: State, subscription: dict, params: dict) -> list[Change]:
    """The changes that `items` and `proration_behavior` ask for.

    Raises:
        ApiError: An item or a price is not there, or not for this.
    """
    changes = []
    for number, wanted in enumerate(params.get("items", [])):
        at = f"items[{number}]"
        own = [each for each in subscription["items"]["data"] if each["id"] == wanted.get("id")]
        if not own:
            if "id" in wanted:
                raise invalid(f"No such subscription item: '{wanted['id']}'", f"{at}[id]", "resource_missing")
            raise invalid("This fake keeps subscriptions of one item: pass its id.", at)
        price = state.get("price", wanted.get("price", own[0]["price"]), f"{at}[price]")
        check_price(price, subscription["currency"], f"{at}[price]")
        changes.append(
            Change(
                own[0],
                price,
                wanted.get("quantity", own[0]["quantity"]),
                params.get("proration_behavior", "create_prorations"),
                params.get("proration_date", 0),
                _from_now(params.get("billing_cycle_anchor")),
            )
        )
    return changes


def _from_now(anchor: object) -> bool:
    return anchor == "now" or (isinstance(anchor, dict) and anchor.get("type") == "now")


def check_price(price: dict, currency: str, param: str) -> None:
    """Refuse a price that no subscription can have.

    Raises:
        ApiError: It is archived, not recurring, or of another currency.
    """
    if price["type"] != "recurring":
        raise invalid(
            "The price specified is set to `type=one_time` but this field only accepts prices with "
            "`type=recurring`.",
            param,
        )
    if not price["active"]:
        raise invalid("The price specified is inactive. This field only accepts active prices.", param)
    if price["currency"] != currency:
        raise invalid("The price's currency is not the subscription's.", param)
