"""What an admin sees of payments: who subscribes, what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from rexec.accounts.models import User
from rexec.billing import events, plans
from rexec.billing.entitlement import ENTITLING, OVER, OVERDUE
from rexec.billing.models import BillingAccount, StripeEvent, Subscription
from rexec.billing.money import money
from rexec.extensions import db

PER_PAGE = 50
SHAPES = {**dict.fromkeys(ENTITLING, "ok"), OVERDUE: "warning", "unpaid": "failed", "paused": "stopped"}


@dataclass(frozen=True)
class Payer:
    """One line of the list: a subscription and whose it is."""

    row: Subscription
    email: str
    disputed: bool

    @property
    def plan(self) -> str:
        """The plan's name; its price where it is for none of ours."""
        plan = plans.get(self.row.plan)
        return plan.name if plan else f"unknown ({self.row.plan or self.row.price_id})"

    @property
    def is_unknown(self) -> bool:
        """Whether it is paid for and entitles to nothing, because no plan goes with it."""
        return plans.get(self.row.plan) is None and self.row.status in ENTITLING

    @property
    def price(self) -> str:
        """What is paid, and how often."""
        row = self.row
        return f"{money(row.amount, row.currency)} a {row.interval}" if row.amount and row.currency else "–"

    @property
    def shape(self) -> str:
        """The shape beside its status."""
        return SHAPES.get(self.row.status, "stopped")


@dataclass(frozen=True)
class Payments:
    """One page of subscriptions, newest first, and the events that could not be handled."""

    payers: Sequence[Payer]
    total: int
    page: int
    pages: int
    failed: Sequence[StripeEvent]


def payments(page: int = 1, per_page: int = PER_PAGE) -> Payments:
    """Subscriptions that are not over, newest first; three queries.

    Args:
        page: Counted from 1; one beyond the end shows the last.
        per_page: Lines on a page.
    """
    living = Subscription.status.not_in(sorted(OVER))
    total = db.session.scalar(select(func.count()).select_from(Subscription).where(living)) or 0
    pages = max(1, -(-total // per_page))
    page = min(max(1, page), pages)
    found = db.session.execute(
        select(Subscription, User.email, BillingAccount.disputed_at)
        .join(User, User.id == Subscription.user_id)
        .outerjoin(BillingAccount, BillingAccount.user_id == Subscription.user_id)
        .where(living)
        .order_by(Subscription.id.desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    payers = [Payer(row, email, disputed_at is not None) for row, email, disputed_at in found]
    return Payments(payers, total, page, pages, events.failed())
