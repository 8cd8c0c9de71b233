"""How payments are put into words: what is paid for, what each plan's button does, the last invoices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from rexec.billing import compare, plans
from rexec.billing.entitlement import ENTITLING, OVERDUE, is_live
from rexec.billing.gateway import is_on
from rexec.billing.models import BillingAccount, Subscription
from rexec.billing.money import money
from rexec.billing.plans import Plan
from rexec.extensions import db
from rexec.web.filters import date_words

INVOICE_WORDS = {"paid": "paid", "open": "unpaid", "void": "void", "uncollectible": "written off"}
INVOICE_SHAPES = {"paid": "ok", "open": "warning"}


@dataclass(frozen=True)
class Button:
    """What can be done about a plan: the words, and where the form leads (`checkout` or `cancel`)."""

    text: str
    leads: str


@dataclass(frozen=True)
class Card:
    """One plan beside the others."""

    plan: Plan
    interval: str
    price: str
    per: str
    is_yours: bool
    button: Button | None
    is_main: bool
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Invoice:
    """One invoice of the past; its addresses are Stripe's."""

    number: str
    at: datetime
    amount: str
    status: str
    shape: str
    page: str | None
    pdf: str | None


@dataclass(frozen=True)
class Notice:
    """Something the person should act on, and the portal's page for it."""

    kind: str
    text: str
    hint: str
    action: str
    flow: str


@dataclass(frozen=True)
class Payments:
    """What a person pays, as their page says it.

    Args:
        is_on: Whether the operator takes payments.
        subscription: The one to look after.
        lines: What happens next with it, in sentences.
        notices: What has to be acted upon.
        invoices: The last ones, newest first.
        can_manage: Whether Stripe's portal has something to show.
    """

    is_on: bool
    subscription: Subscription | None
    lines: Sequence[str]
    notices: Sequence[Notice]
    invoices: Sequence[Invoice]
    can_manage: bool


def payments(user_id: int, paid_until: datetime | None) -> Payments:
    """What a person pays, from our rows, in two queries.

    Args:
        user_id: Whose.
        paid_until: When their plan ends unless a payment comes.
    """
    account = db.session.get(BillingAccount, user_id)
    rows = db.session.scalars(
        select(Subscription).where(Subscription.user_id == user_id).order_by(Subscription.begun_at.desc())
    ).all()
    live = [row for row in rows if is_live(row.status)]
    first = live[0] if live else None
    upcoming = (account.upcoming if account else None) or {}
    return Payments(
        is_on=is_on(),
        subscription=first,
        lines=_lines(first, upcoming) if first else (),
        notices=_notices(live, paid_until),
        invoices=[_invoice(each) for each in (account.invoices if account else None) or ()],
        can_manage=is_on() and account is not None and account.customer_id is not None,
    )


def _lines(row: Subscription, upcoming: dict[str, Any]) -> list[str]:
    price = f"{money(row.amount, row.currency)} a {row.interval}" if row.amount and row.currency else ""
    lines = [f"You pay {price}."] if price else []
    if row.ends_at is not None:
        lines.append(f"It is cancelled and ends on {date_words(row.ends_at)}; after that nothing is charged.")
    elif row.status in ENTITLING and upcoming.get("at"):
        at = datetime.fromtimestamp(upcoming["at"], UTC)
        total = money(upcoming["total"], upcoming["currency"])
        lines.append(f"The next invoice of {total} comes on {date_words(at)}.")
    elif row.status in ENTITLING and row.period_ends_at is not None:
        lines.append(f"It renews on {date_words(row.period_ends_at)}.")
    return lines


def _notices(live: Sequence[Subscription], paid_until: datetime | None) -> list[Notice]:
    found = []
    statuses = {row.status for row in live}
    if OVERDUE in statuses:
        until = f"Your plan stays until {date_words(paid_until)}." if paid_until else "Your plan has ended."
        hint = f"{until} Containers and their files are kept in any case."
        found.append(Notice("warn", "The last payment failed.", hint, "Mend the payment", "card"))
    if "unpaid" in statuses:
        hint = "Pay the open invoice to have your plan back; containers and their files are kept."
        found.append(Notice("bad", "Your subscription is unpaid.", hint, "Look after it", ""))
    if "paused" in statuses:
        hint = "Resume it to have your plan back; containers and their files are kept."
        found.append(Notice("warn", "Your subscription is paused.", hint, "Look after it", ""))
    if any(row.status in ENTITLING and plans.get(row.plan) is None for row in live):
        hint = "The operator has been told. Nothing you have is removed."
        found.append(Notice("warn", "You pay for a plan that is not offered any more.", hint, "", ""))
    if len(live) > 1:
        hint = "The larger plan counts. Cancel the other one."
        found.append(Notice("warn", "You have more than one subscription.", hint, "Look after them", ""))
    return found


def _invoice(kept: dict[str, Any]) -> Invoice:
    status = kept["status"]
    return Invoice(
        number=kept.get("number") or kept["id"],
        at=datetime.fromtimestamp(kept["created"], UTC),
        amount=money(kept["total"], kept["currency"]),
        status=INVOICE_WORDS.get(status, status),
        shape=INVOICE_SHAPES.get(status, "stopped"),
        page=kept.get("hosted_invoice_url"),
        pdf=kept.get("invoice_pdf"),
    )


def sold_by_the_year() -> bool:
    """Whether any plan has a yearly price, so that there is something to switch."""
    return any(plan.price("year") for plan in plans.for_sale())


def cards(present: Plan | None, paid: Payments, interval: str) -> list[Card]:
    """The plans side by side, what differs only, each with what can be done about it.

    Args:
        present: The plan that counts for the person.
        paid: What they pay.
        interval: By which prices are shown.
    """
    offered = plans.all()
    currency = next((plan.currency for plan in plans.for_sale()), "usd")
    main = plans.next_larger(present, present.containers + 1 if present else 1)
    rows = [row for row in compare.rows(offered) if row.label not in compare.PRICES]
    return [
        Card(
            plan=plan,
            interval=shown,
            price=money(amount or 0, plan.currency if amount else currency),
            per=f"a {shown}" if amount else "",
            is_yours=plan == present,
            button=_button(plan, present, paid, shown) if paid.is_on else None,
            is_main=plan == main and paid.subscription is None,
            rows=[(row.label, row.values[number]) for row in rows],
        )
        for number, plan in enumerate(offered)
        for shown in [interval if plan.price(interval) else "month"]
        for amount in [plan.price(shown)]
    ]


def _button(plan: Plan, present: Plan | None, paid: Payments, interval: str) -> Button | None:
    mine = paid.subscription
    if plan.is_free:
        cancels = mine is not None and mine.ends_at is None
        return Button("Cancel the subscription", "cancel") if cancels else None
    if mine is None:
        larger = present is None or plans.size(plan) > plans.size(present)
        return Button(f"Choose {plan.name}", "checkout") if larger else None
    if mine.plan != plan.key:
        return Button(f"Change to {plan.name}", "checkout")
    if mine.interval != interval and plan.price(interval):
        return Button(f"Pay by the {interval}", "checkout")
    return None
