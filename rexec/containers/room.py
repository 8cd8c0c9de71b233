"""For how many containers a plan has room, and how a person is told that it has none for this one."""

from __future__ import annotations

from sqlalchemy import func, select, update

from rexec.accounts.models import User
from rexec.billing import plans
from rexec.billing.plans import Plan
from rexec.billing.service import plan_of
from rexec.containers.errors import Suspended
from rexec.containers.models import Container
from rexec.extensions import db

LIVING = Container.status != "deleting"
"""What is being deleted needs no room any more."""
STAYING_FIRST = (Container.keep.desc(), Container.id)
"""Who stays where there is not room for all: what was chosen, then the oldest."""


def locked_owner(user_id: int) -> User | None:
    """A person's row as it is now, in a transaction in which nobody else launches or counts for them.

    The first statement takes the row lock of PostgreSQL, or the write lock of SQLite.
    """
    db.session.rollback()
    db.session.execute(update(User).where(User.id == user_id).values(id=User.id))
    return db.session.get(User, user_id, populate_existing=True)


def of(plan: Plan | None) -> int:
    """For how many containers a plan has room; for none where there is no plan."""
    return plan.containers if plan is not None else 0


def words(plan: Plan | None) -> str:
    """The same as the beginning of a sentence."""
    if plan is None:
        return "You have no plan"
    return f"Your plan {plan.name} has room for {plan.containers} {noun(plan.containers)}"


def noun(count: int) -> str:
    """`container` or `containers`."""
    return "container" if count == 1 else "containers"


def suspended(plan: Plan | None, living: int) -> Suspended:
    """Why a container may not start, with the ways on.

    Args:
        plan: The owner's.
        living: How many containers they have.
    """
    larger = plans.next_larger(plan, living)
    way = f"the plan {larger.name} with room for {larger.containers}" if larger else "a larger plan"
    if plan is None:
        way = way if larger else "a plan"
        return Suspended(f"{words(plan)}: this container is kept but cannot start.", hint=f"Choose {way}.")
    return Suspended(
        f"{words(plan)}: this one is kept but cannot start.", hint=f"Choose what stays, or {way}."
    )


def suspended_of(user_id: int) -> Suspended:
    """`suspended` for a person, asked of the database."""
    owner = db.session.get(User, user_id)
    living = db.session.scalar(select(func.count()).where(Container.owner_id == user_id, LIVING)) or 0
    return suspended(plan_of(owner) if owner is not None else None, living)
