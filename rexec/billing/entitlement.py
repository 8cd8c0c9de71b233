"""What subscriptions entitle to: the one place that judges their status.

Source: https://docs.stripe.com/billing/subscriptions/overview#subscription-statuses
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from rexec.billing import plans

GRACE = timedelta(days=7)
"""How long a plan is kept whose payment is overdue."""
ENTITLING = frozenset({"active", "trialing"})
OVERDUE = "past_due"
OVER = frozenset({"canceled", "incomplete_expired"})
"""Such a subscription never comes back. Whatever else is not entitling may: unpaid, paused, incomplete."""


class Facts(Protocol):
    """What counts of a subscription."""

    @property
    def status(self) -> str:
        """As Stripe calls it."""

    @property
    def plan(self) -> str | None:
        """Key of the plan its price is for."""

    @property
    def overdue_since(self) -> datetime | None:
        """When the payment failed that is overdue."""


@dataclass(frozen=True)
class Entitlement:
    """What is paid for.

    Args:
        plan: Key of the plan; None for none.
        until: When it ends unless a payment comes; None while nothing is overdue.
    """

    plan: str | None = None
    until: datetime | None = None


def entitlement(subscriptions: Iterable[Facts], now: datetime) -> Entitlement:
    """What somebody's subscriptions entitle to at a moment: the largest plan of those that count.

    `active` and `trialing` count; `past_due` counts for `GRACE`; nothing else does. A plan that is not in the
    operator's file counts for nothing.

    Args:
        subscriptions: All of one person.
        now: The moment.
    """
    best: tuple[tuple[int, int, int], bool] | None = None
    found = Entitlement()
    for each in subscriptions:
        plan, until = plans.get(each.plan), _until(each)
        if plan is None or not _counts(each, until, now):
            continue
        rank = (plans.size(plan), until is None)
        if best is None or rank > best:
            best, found = rank, Entitlement(plan.key, until)
    return found


def _until(each: Facts) -> datetime | None:
    return each.overdue_since + GRACE if each.status == OVERDUE and each.overdue_since else None


def _counts(each: Facts, until: datetime | None, now: datetime) -> bool:
    return each.status in ENTITLING or (until is not None and now < until)


def is_live(status: str) -> bool:
    """Whether a subscription is something to look after: it is paid for, or may be again."""
    return status not in OVER and status != "incomplete"
