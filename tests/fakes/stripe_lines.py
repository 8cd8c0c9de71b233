"""Lines of invoices: what a period costs, and what a change in its midst gives back and costs.

https://docs.stripe.com/api/invoice-line-item/object and https://docs.stripe.com/billing/subscriptions/prorations
"""

from __future__ import annotations

from tests.fakes import stripe_shapes
from tests.fakes.stripe_state import State


def amount_of(price: dict, quantity: int) -> int:
    """What a price costs, so many times."""
    return (price["unit_amount"] or 0) * quantity


def line(
    state: State,
    item: dict,
    price: dict,
    amount: int,
    period: tuple[int, int],
    *,
    proration: bool = False,
    description: str = "",
) -> dict:
    """One line.

    Args:
        state: The account.
        item: The subscription's item.
        price: What is bought.
        amount: In the currency's smallest unit; negative for what is given back.
        period: Its start and end.
        proration: Whether it comes from a change in the midst of a period.
        description: For the customer.
    """
    quantity = item["quantity"]
    return stripe_shapes.shape(
        "line_item",
        id=state.identifier("il_"),
        amount=amount,
        subtotal=amount,
        currency=price["currency"],
        description=description or f"{quantity} × {_name(state, price)}",
        discountable=not proration,
        livemode=False,
        metadata={},
        parent=_parent(item, state.identifier("ii_") if proration else None),
        period={"start": period[0], "end": period[1]},
        pricing=_pricing(price),
        quantity=quantity,
        quantity_decimal=str(quantity),
        taxes=[],
    )


def _pricing(price: dict) -> dict:
    return {
        "type": "price_details",
        "price_details": {"price": price["id"], "product": price["product"]},
        "unit_amount_decimal": price["unit_amount_decimal"],
    }


def _parent(item: dict, proration: str | None) -> dict:
    """What a line is for; the id of a proration's invoice item says that it is one."""
    details = {
        "invoice_item": proration,
        "proration": proration is not None,
        "proration_details": {"credited_items": None},
        "subscription": item["subscription"],
        "subscription_item": item["id"],
    }
    return {
        "type": "subscription_item_details",
        "invoice_item_details": None,
        "subscription_item_details": details,
    }


def period_lines(state: State, subscription: dict, *, free: bool = False) -> list[dict]:
    """The current period of every item."""
    lines = []
    for item in subscription["items"]["data"]:
        price = state.get("price", item["price"])
        amount = 0 if free else amount_of(price, item["quantity"])
        period = (item["current_period_start"], item["current_period_end"])
        lines.append(line(state, item, price, amount, period))
    return lines


def change_lines(state: State, item: dict, price: dict, quantity: int, when: int) -> list[dict]:
    """What a change gives back and costs until the end of the current period.

    Args:
        state: The account.
        item: As it is before the change.
        price: Afterwards; of the same interval.
        quantity: Afterwards.
        when: The moment of the change.
    """
    old = state.get("price", item["price"])
    start, end = item["current_period_start"], item["current_period_end"]
    share = max(0.0, min(1.0, (end - when) / max(1, end - start)))
    later = {**item, "quantity": quantity}
    return [
        _credit(state, item, old, share, (when, end)),
        line(
            state,
            later,
            price,
            round(amount_of(price, quantity) * share),
            (when, end),
            proration=True,
            description=f"Remaining time on {_name(state, price)}",
        ),
    ]


def credit_line(state: State, item: dict, when: int) -> dict:
    """What the unused rest of the current period gives back."""
    start, end = item["current_period_start"], item["current_period_end"]
    share = max(0.0, min(1.0, (end - when) / max(1, end - start)))
    return _credit(state, item, state.get("price", item["price"]), share, (when, end))


def _credit(state: State, item: dict, price: dict, share: float, period: tuple[int, int]) -> dict:
    amount = -round(amount_of(price, item["quantity"]) * share)
    description = f"Unused time on {_name(state, price)}"
    return line(state, item, price, amount, period, proration=True, description=description)


def _name(state: State, price: dict) -> str:
    return str(state.get("product", price["product"])["name"])
