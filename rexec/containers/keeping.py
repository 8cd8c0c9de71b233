"""What a person with more containers than the plan has room for is told and has to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from rexec.billing.plans import Plan
from rexec.containers import room
from rexec.containers.excess import GRACE
from rexec.containers.models import Container, Excess
from rexec.extensions import db, utcnow


@dataclass(frozen=True)
class Over:
    """What a person with too many containers is told.

    Args:
        plan: Theirs; None where they have none.
        living: How many containers they have.
        since: When the grace began.
    """

    plan: Plan | None
    living: int
    since: datetime

    @property
    def room(self) -> int:
        """How many stay."""
        return room.of(self.plan)

    @property
    def going(self) -> int:
        """How many do not."""
        return self.living - self.room

    @property
    def until(self) -> datetime:
        """When the grace ends."""
        return self.since + GRACE

    @property
    def left_s(self) -> float:
        """Seconds until then; 0 or less where it has ended."""
        return (self.until - utcnow()).total_seconds()

    @property
    def words(self) -> str:
        """How the two numbers stand to each other."""
        return f"{room.words(self.plan)}, and you have {self.living} {room.noun(self.living)}"


def over(plan: Plan | None, living: int, since: datetime | None) -> Over | None:
    """What to tell a person; None where everything fits.

    Args:
        plan: Theirs.
        living: How many containers they have.
        since: When the grace began; None where nobody has looked since the plan became too small.
    """
    return Over(plan, living, since or utcnow()) if living > room.of(plan) else None


def over_of(user_id: int, plan: Plan | None) -> Over | None:
    """`over`, asked of the database in one query."""
    since = select(Excess.since).where(Excess.user_id == user_id).scalar_subquery()
    living, began = db.session.execute(
        select(func.count(), since).where(Container.owner_id == user_id, room.LIVING)
    ).one()
    return over(plan, living, began)


def candidates(user_id: int) -> Sequence[Container]:
    """A person's containers to choose from, oldest first."""
    return db.session.scalars(
        select(Container).where(Container.owner_id == user_id, room.LIVING).order_by(Container.id)
    ).all()


def staying(containers: Sequence[Container], fitting: int) -> set[str]:
    """The public ids of those that stay as things are: what was chosen, then the oldest.

    Args:
        containers: All of a person's.
        fitting: For how many there is room.
    """
    ordered = sorted(containers, key=lambda row: (not row.keep, row.id))
    return {row.public_id for row in ordered[:fitting]}
