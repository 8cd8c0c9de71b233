"""Where our rows and Stripe differ, for the operator; normally nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select

from rexec.accounts.models import User
from rexec.billing import sync
from rexec.billing.entitlement import OVER
from rexec.billing.errors import StripeNotFound
from rexec.billing.gateway import StripeGateway
from rexec.billing.models import BillingAccount, Subscription
from rexec.extensions import db

COMPARED = ("status", "plan", "price_id", "interval", "amount", "currency", "period_ends_at", "ends_at")


def differences(gateway: StripeGateway, *, apply: bool = False) -> Iterator[str]:
    """Compare every customer's subscriptions with Stripe; a line for each difference.

    Args:
        gateway: Stripe.
        apply: Store what Stripe says where it differs.

    Raises:
        StripeError: Stripe could not be asked.
    """
    query = select(BillingAccount.user_id, BillingAccount.customer_id, User.email)
    known = query.join(User, User.id == BillingAccount.user_id).where(BillingAccount.customer_id.is_not(None))
    customers = db.session.execute(known.order_by(BillingAccount.user_id)).all()
    db.session.rollback()
    for user_id, customer_id, email in customers:
        lines = _of_customer(user_id, str(customer_id), gateway)
        yield from (f"{email}: {line}" for line in lines)
        if lines and apply:
            sync.refresh(user_id, gateway)


def _of_customer(user_id: int, customer_id: str, gateway: StripeGateway) -> list[str]:
    try:
        there = {each.stripe_id: each for each in map(sync.read, gateway.subscriptions(customer_id))}
    except StripeNotFound:
        there = {}
    rows = db.session.scalars(select(Subscription).where(Subscription.user_id == user_id)).all()
    here = {row.stripe_id: row for row in rows}
    lines = [
        f"{key} is {there[key].status} at Stripe and not known here" for key in there.keys() - here.keys()
    ]
    lines += [
        f"{key} is {here[key].status} here and gone at Stripe"
        for key in here.keys() - there.keys()
        if here[key].status not in OVER
    ]
    for key in here.keys() & there.keys():
        for name in COMPARED:
            ours, theirs = getattr(here[key], name), getattr(there[key], name)
            if ours != theirs:
                lines.append(f"{key}: {name} is {ours} here and {theirs} at Stripe")
    db.session.rollback()
    return sorted(lines)
