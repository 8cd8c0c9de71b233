"""Which plan a person has."""

from __future__ import annotations

from typing import Protocol

from rexec.billing import plans
from rexec.billing.plans import Plan


class HasPlan(Protocol):
    """A user's row, or who is logged in."""

    @property
    def plan(self) -> str | None:
        """Key of the plan; None for the one that costs nothing."""


def plan_of(user: HasPlan) -> Plan | None:
    """The plan that counts for a person: the one they have, else the one that costs nothing.

    A plan that the operator has taken out of the file counts as none.

    Args:
        user: The person.

    Returns:
        None where they have none and every plan has a price.
    """
    return plans.get(user.plan) or plans.default()
