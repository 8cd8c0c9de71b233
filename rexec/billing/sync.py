"""Fetching what Stripe says of a person, and storing it together with what it entitles to.

Whatever the reason to look, the answer is stored whole: order, repeats and losses of events do not matter.
Two fetches at once cannot leave the older answer behind: each takes a number before it asks, and an answer
is thrown away when one with a higher number is stored.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, select, update

from rexec.accounts.models import User
from rexec.billing import plans
from rexec.billing.entitlement import ENTITLING, OVERDUE, Entitlement, entitlement
from rexec.billing.errors import StripeNotFound
from rexec.billing.gateway import StripeGateway
from rexec.billing.models import BillingAccount, Subscription
from rexec.billing.prices import plan_of_price
from rexec.billing.signals import plan_changed
from rexec.extensions import db, utcnow

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Fetched:
    """A subscription as Stripe has it, in our words; see `models.Subscription`."""

    stripe_id: str
    status: str
    plan: str | None
    item_id: str | None
    price_id: str | None
    interval: str | None
    amount: int | None
    currency: str | None
    period_ends_at: datetime | None
    ends_at: datetime | None
    overdue_since: datetime | None
    begun_at: datetime


def read(subscription: dict[str, Any]) -> Fetched:
    """What counts of a subscription.

    Args:
        subscription: With its latest invoice; https://docs.stripe.com/api/subscriptions/object.
    """
    items = subscription["items"]["data"]
    item = items[0] if items else {}
    price = item.get("price") or {}
    period_end = _moment(item.get("current_period_end"))
    return Fetched(
        stripe_id=subscription["id"],
        status=subscription["status"],
        plan=plan_of_price(price),
        item_id=item.get("id"),
        price_id=price.get("id"),
        interval=(price.get("recurring") or {}).get("interval"),
        amount=price.get("unit_amount"),
        currency=price.get("currency"),
        period_ends_at=period_end,
        ends_at=_moment(subscription.get("cancel_at"))
        or (period_end if subscription.get("cancel_at_period_end") else None),
        overdue_since=_overdue_since(subscription),
        begun_at=_moment(subscription["created"]) or utcnow(),
    )


def _overdue_since(subscription: dict[str, Any]) -> datetime | None:
    if subscription["status"] != OVERDUE:
        return None
    invoice = subscription.get("latest_invoice") or {}
    made = (invoice.get("status_transitions") or {}).get("finalized_at") or invoice.get("created")
    return _moment(made) or utcnow()


def _moment(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def refresh(user_id: int, gateway: StripeGateway) -> bool:
    """Fetch a person's subscriptions and store them. Commits, and tells what follows.

    Args:
        user_id: Whose.
        gateway: Stripe.

    Returns:
        False where Stripe knows no customer of this person.

    Raises:
        StripeError: Stripe could not be asked; nothing is changed then.
    """
    begun = _begin(user_id)
    if begun is None:
        return False
    customer_id, number = begun
    try:
        fetched = [read(each) for each in gateway.subscriptions(customer_id)]
    except StripeNotFound:
        log.warning("the customer of account %d is gone at Stripe", user_id)
        # In this order: of somebody without a customer nobody asks again.
        store(user_id, number, [])
        forget_customer(user_id, customer_id)
    else:
        store(user_id, number, fetched)
    return True


def _begin(user_id: int) -> tuple[str, int] | None:
    """The customer, and the number of the fetch that begins; None where there is no customer."""
    row = db.session.execute(
        update(BillingAccount)
        .where(BillingAccount.user_id == user_id, BillingAccount.customer_id.is_not(None))
        .values(fetches_begun=BillingAccount.fetches_begun + 1)
        .returning(BillingAccount.customer_id, BillingAccount.fetches_begun)
    ).first()
    db.session.commit()
    return (str(row[0]), row[1]) if row else None


def forget_customer(user_id: int, customer_id: str) -> None:
    """Let the next checkout make a new customer, because this one was deleted at Stripe. Commits."""
    db.session.execute(
        update(BillingAccount)
        .where(BillingAccount.user_id == user_id, BillingAccount.customer_id == customer_id)
        .values(customer_id=None, customer_number=BillingAccount.customer_number + 1, checkout_open=False)
    )
    db.session.commit()


def store(user_id: int, number: int, fetched: Iterable[Fetched]) -> None:
    """Store what a fetch found, unless a newer one is stored. Commits, and tells what follows.

    Args:
        user_id: Whose.
        number: Of the fetch.
        fetched: All subscriptions of this person; one that is stored and not among them is over.
    """
    now = utcnow()
    newest = update(BillingAccount).where(
        BillingAccount.user_id == user_id, BillingAccount.fetch_stored < number
    )
    # The first statement locks the row: whoever stores for this person at the same time waits here.
    stored = db.session.execute(newest.values(fetch_stored=number, synced_at=now))
    if not cast("CursorResult[Any]", stored).rowcount:
        db.session.rollback()
        return
    rows = {row.stripe_id: row for row in _rows(user_id)}
    for each in fetched:
        if each.status in ENTITLING and plans.get(each.plan) is None:
            log.warning("account %d pays the price %s, which is of no plan", user_id, each.price_id)
        row = rows.pop(each.stripe_id, None)
        if row is None:
            row = Subscription(stripe_id=each.stripe_id, user_id=user_id)
            db.session.add(row)
        _fill(row, each, now)
    for row in rows.values():
        row.status = "canceled"
    db.session.flush()
    changed = _entitle(user_id, entitlement(_rows(user_id), now))
    db.session.commit()
    if changed:
        plan_changed.send(store, user_id=user_id)


def _rows(user_id: int) -> list[Subscription]:
    return list(db.session.scalars(select(Subscription).where(Subscription.user_id == user_id)))


def _fill(row: Subscription, each: Fetched, now: datetime) -> None:
    # The invoice of a later period does not lengthen the time that an unpaid one had.
    overdue = (row.overdue_since if row.status == OVERDUE else None) or each.overdue_since
    for name, value in vars(each).items():
        setattr(row, name, value)
    row.overdue_since = overdue if each.status == OVERDUE else None
    row.fetched_at = now


def _entitle(user_id: int, paid: Entitlement) -> bool:
    """Write what is paid for beside the person, in the caller's transaction; whether it changed."""
    before = db.session.execute(select(User.paid_plan, User.paid_until).where(User.id == user_id)).first()
    if before is None or tuple(before) == (paid.plan, paid.until):
        return False
    db.session.execute(
        update(User)
        .where(User.id == user_id)
        .values(paid_plan=paid.plan, paid_until=paid.until)
        .execution_options(synchronize_session=False)
    )
    log.info("account %d: paid plan %s", user_id, paid.plan or "none")
    return True


def judge_again(user_id: int) -> None:
    """Entitle anew by the subscriptions that are stored, because time has passed. Commits, and tells."""
    db.session.rollback()
    # As in `store`: nobody stores for this person meanwhile.
    db.session.execute(
        update(BillingAccount)
        .where(BillingAccount.user_id == user_id)
        .values(fetch_stored=BillingAccount.fetch_stored)
    )
    _entitle(user_id, entitlement(_rows(user_id), utcnow()))
    db.session.commit()
    plan_changed.send(judge_again, user_id=user_id)
