"""The conditional updates that make a row a queue.

Each function is one short transaction on a connection of its own and tells by what came back whether the
caller won. No session lock is held, so it works through a pooler in transaction mode, and the same on SQLite.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from rexec.extensions import db, utcnow
from rexec.jobs.models import Operation

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Executable

    from rexec.errors import RexecError
    from rexec.jobs.registry import Lane

LEASE_S = 20.0
CANDIDATES = 8


@dataclass(frozen=True)
class Claim:
    """An operation that this process may work on until its lease ends.

    Attributes:
        holder: Written into the row; unique for each claim, which fences this process's older attempts too.
        lease_ends: On this process's monotonic clock, in seconds.
    """

    operation_id: int
    holder: str
    lease_ends: float
    kind: str
    subject: str
    lane: Lane
    attempts: int
    max_attempts: int
    started_at: datetime
    cancel_requested: bool


@dataclass(frozen=True)
class Waiting:
    """A queued operation that a bell should be rung for."""

    operation_id: int
    lane: Lane


def _waiting(row: Any) -> Waiting:
    return Waiting(row.id, cast("Lane", row.lane))


def _execute(statement: Executable) -> Sequence[Any]:
    with db.engine.begin() as connection:
        return connection.execute(statement).all()


def _nobody_before() -> ColumnElement[bool]:
    """Nobody works on the subject, and no older operation waits for it."""
    other = aliased(Operation)
    ahead = or_(other.state == "working", and_(other.state == "queued", other.id < Operation.id))
    return ~exists().where(other.subject == Operation.subject, other.id != Operation.id, ahead)


def claim(operation_id: int, holder: str) -> Claim | None:
    """Take a queued operation that is due and whose turn it is; None when somebody was quicker.

    Args:
        operation_id: The row.
        holder: Who takes it, unique for this claim.
    """
    now = utcnow()
    conditions = [
        Operation.id == operation_id,
        Operation.state == "queued",
        Operation.not_before <= now,
        _nobody_before(),
    ]
    return _take(operation_id, holder, conditions, attempts=1)


def take_over(operation_id: int, holder: str) -> Claim | None:
    """Take an operation whose lease ran out from whoever held it, to end it; None when somebody was quicker.

    Args:
        operation_id: The row.
        holder: Who takes it, unique for this claim.
    """
    conditions = [
        Operation.id == operation_id,
        Operation.state == "working",
        Operation.lease_until < utcnow(),
    ]
    return _take(operation_id, holder, conditions, attempts=0)


def _take(
    operation_id: int, holder: str, conditions: list[ColumnElement[bool]], *, attempts: int
) -> Claim | None:
    now = utcnow()
    lease_ends = time.monotonic() + LEASE_S
    statement = (
        update(Operation)
        .where(*conditions)
        .values(
            state="working",
            attempts=Operation.attempts + attempts,
            lease_holder=holder,
            lease_until=now + timedelta(seconds=LEASE_S),
            started_at=func.coalesce(Operation.started_at, now),
        )
        .returning(
            Operation.kind,
            Operation.subject,
            Operation.lane,
            Operation.attempts,
            Operation.max_attempts,
            Operation.started_at,
            Operation.cancel_requested,
        )
    )
    try:
        taken = _execute(statement)
    except IntegrityError:
        # Two operations of one subject claimed at the same moment: the partial unique index let one through.
        return None
    return Claim(operation_id, holder, lease_ends, *taken[0]) if taken else None


def due(lane: Lane | None = None, *, unwoken_s: float = 0.0, limit: int = CANDIDATES) -> list[Waiting]:
    """Queued operations whose turn it is, oldest first.

    Args:
        lane: Only of this lane.
        unwoken_s: Only those due, and not rung for, since so many seconds.
        limit: How many at most.
    """
    before = utcnow() - timedelta(seconds=unwoken_s)
    query = (
        select(Operation.id, Operation.lane)
        .where(Operation.state == "queued", Operation.not_before <= before, _nobody_before())
        .order_by(Operation.id)
        .limit(limit)
    )
    if lane is not None:
        query = query.where(Operation.lane == lane)
    if unwoken_s:
        query = query.where(or_(Operation.woken_at.is_(None), Operation.woken_at <= before))
    with db.engine.connect() as connection:
        return [_waiting(row) for row in connection.execute(query)]


def note_woken(operation_ids: Collection[int]) -> None:
    """Remember that the bell was rung for these."""
    with db.engine.begin() as connection:
        connection.execute(update(Operation).where(Operation.id.in_(operation_ids)).values(woken_at=utcnow()))


def _mine(operation_id: int, holder: str) -> ColumnElement[bool]:
    return and_(Operation.id == operation_id, Operation.state == "working", Operation.lease_holder == holder)


def renew(holders: Collection[str]) -> dict[str, bool]:
    """Lengthen leases; of each that is still held, whether its cancelling was asked for."""
    statement = (
        update(Operation)
        .where(Operation.state == "working", Operation.lease_holder.in_(holders))
        .values(lease_until=utcnow() + timedelta(seconds=LEASE_S))
        .returning(Operation.lease_holder, Operation.cancel_requested)
    )
    return {row.lease_holder: row.cancel_requested for row in _execute(statement)}


def save_progress(operation_id: int, holder: str, values: dict[str, Any]) -> bool | None:
    """Store progress; whether cancelling was asked for, or None when the lease is gone."""
    statement = (
        update(Operation)
        .where(_mine(operation_id, holder))
        .values(progress=values)
        .returning(Operation.cancel_requested)
    )
    kept = _execute(statement)
    return bool(kept[0][0]) if kept else None


def cancel_requested(operation_id: int, holder: str) -> bool | None:
    """Whether cancelling was asked for, or None when the lease is gone."""
    with db.engine.connect() as connection:
        asked = connection.scalar(select(Operation.cancel_requested).where(_mine(operation_id, holder)))
    return None if asked is None else bool(asked)


def finish(
    claimed: Claim,
    state: str,
    *,
    error: RexecError | None = None,
    progress: dict[str, Any] | None = None,
) -> tuple[bool, Waiting | None]:
    """End an operation, if it is still ours.

    Args:
        claimed: What `claim` gave.
        state: "done", "failed" or "cancelled".
        error: Why it failed.
        progress: Replaces the stored progress, if given.

    Returns:
        Whether it was still ours, and the subject's next operation.
    """
    values: dict[str, Any] = {
        "state": state,
        "finished_at": utcnow(),
        "lease_holder": None,
        "lease_until": None,
        "error_code": error.code if error else None,
        "error_message": error.message if error else None,
    }
    if progress is not None:
        values["progress"] = progress
    with db.engine.begin() as connection:
        ended = connection.execute(
            update(Operation).where(_mine(claimed.operation_id, claimed.holder)).values(values)
        )
        if not ended.rowcount:
            return False, None
        return True, _next_of(connection, claimed.subject)


def _next_of(connection: Connection, subject: str) -> Waiting | None:
    row = connection.execute(
        select(Operation.id, Operation.lane)
        .where(Operation.subject == subject, Operation.state == "queued", Operation.not_before <= utcnow())
        .order_by(Operation.id)
        .limit(1)
    ).first()
    return _waiting(row) if row else None


def requeue(
    claimed: Claim, *, delay_s: float = 0.0, lane: Lane | None = None, keep_attempt: bool = True
) -> bool:
    """Put an operation back in the queue, if it is still ours.

    Args:
        claimed: What `claim` gave.
        delay_s: Seconds until it may be claimed again.
        lane: Another lane, if it changes.
        keep_attempt: Whether this attempt counts.
    """
    statement = (
        update(Operation)
        .where(_mine(claimed.operation_id, claimed.holder))
        .values(
            state="queued",
            lane=lane or Operation.lane,
            attempts=Operation.attempts - (0 if keep_attempt else 1),
            not_before=utcnow() + timedelta(seconds=delay_s),
            woken_at=None,
            lease_holder=None,
            lease_until=None,
        )
        .returning(Operation.id)
    )
    return bool(_execute(statement))


def give_back(holders: Collection[str]) -> list[Waiting]:
    """Put what these claims hold back in the queue at once, as if they had not begun."""
    statement = (
        update(Operation)
        .where(Operation.state == "working", Operation.lease_holder.in_(holders))
        .values(
            state="queued",
            attempts=Operation.attempts - 1,
            not_before=utcnow(),
            woken_at=None,
            lease_holder=None,
            lease_until=None,
        )
        .returning(Operation.id, Operation.lane)
    )
    return [_waiting(row) for row in _execute(statement)]
