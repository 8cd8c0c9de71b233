"""Which plan a person has."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from rexec.billing import plans
from rexec.billing.plans import Plan
from rexec.extensions import utcnow


class HasPlan(Protocol):
    """A user's row, or who is logged in."""

    @property
    def plan(self) -> str | None:
        """Key of the plan that the operator gave; None for nothing."""

    @property
    def paid_plan(self) -> str | None:
        """Key of the plan that subscriptions entitle to; see `entitlement`."""

    @property
    def paid_until(self) -> datetime | None:
        """When that ends unless a payment comes."""


def plan_of(user: HasPlan) -> Plan | None:
    """The plan that counts for a person: the larger of what the operator gave and what is paid for.

    With neither it is the one that costs nothing. A plan that is not in the file any more counts as none.

    Args:
        user: The person.

    Returns:
        None where they have none and every plan has a price.
    """
    had = [plan for plan in (plans.get(user.plan), paid_plan_of(user)) if plan is not None]
    return max(had, key=plans.size, default=plans.default())


def paid_plan_of(user: HasPlan) -> Plan | None:
    """The plan that a person's subscriptions entitle to now, if any."""
    over = user.paid_until is not None and user.paid_until <= utcnow()
    return None if over else plans.get(user.paid_plan)
