"""Which plan a person has."""

from __future__ import annotations

from rexec.accounts.models import User
from rexec.billing import plans
from rexec.billing.plans import Plan


def plan_of(user: User) -> Plan | None:
    """The plan that counts for a person: the one they have, else the one that costs nothing.

    A plan that the operator has taken out of the file counts as none.

    Args:
        user: The person.

    Returns:
        None where they have none and every plan has a price.
    """
    return plans.get(user.plan) or plans.default()
