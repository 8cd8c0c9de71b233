"""The conditional updates that make a row a queue.

Each function is one short transaction on a connection of its own and tells by what came back whether the
caller won. No session lock is held, so it works through a pooler in transaction mode, and the same on SQLite.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import IntegrityError

from rexec.extensions import db, utcnow
from rexec.jobs import statements

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy import Executable

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


def _execute(statement: Executable, **values: Any) -> Sequence[Any]:
    """Run one statement as a transaction of its own, without the two round trips of BEGIN and COMMIT."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return connection.execute(statement, values).all()


def _waiting(found: Sequence[Any]) -> list[Waiting]:
    return [Waiting(row.id, cast("Lane", row.lane)) for row in found]


def _in(seconds: float) -> datetime:
    return utcnow() + timedelta(seconds=seconds)


def claim(operation_id: int, holder: str) -> Claim | None:
    """Take a queued operation that is due and whose turn it is; None when somebody was quicker.

    Args:
        operation_id: The row.
        holder: Who takes it, unique for this claim.
    """
    return _take(statements.CLAIM, operation_id, holder)


def take_over(operation_id: int, holder: str) -> Claim | None:
    """Take an operation that is exhausted from whoever held it, to end it; None when somebody was quicker.

    Args:
        operation_id: The row.
        holder: Who takes it, unique for this claim.
    """
    return _take(statements.TAKE_OVER, operation_id, holder)


def _take(statement: Executable, operation_id: int, holder: str) -> Claim | None:
    lease_ends = time.monotonic() + LEASE_S
    try:
        taken = _execute(statement, id_=operation_id, holder_=holder, now_=utcnow(), until_=_in(LEASE_S))
    except IntegrityError:
        # Two operations of one subject claimed at the same moment: the partial unique index let one through.
        return None
    return Claim(operation_id, holder, lease_ends, *taken[0]) if taken else None


def due(lane: Lane) -> list[Waiting]:
    """Some of a lane's queued operations whose turn it is, oldest first."""
    return _waiting(_execute(statements.DUE, now_=utcnow(), lane_=lane, limit_=CANDIDATES))


def unwoken(lane: Lane, for_s: float) -> list[Waiting]:
    """Some of a lane's queued operations that have been due, and not rung for, since a while.

    Args:
        lane: Of which lane.
        for_s: Seconds since when.
    """
    found = _execute(statements.UNWOKEN, now_=_in(-for_s), lane_=lane, limit_=CANDIDATES)
    return _waiting(found)


def note_woken(operation_ids: Collection[int]) -> None:
    """Remember that the bell was rung for these."""
    with db.engine.begin() as connection:
        connection.execute(statements.NOTE_WOKEN, {"ids_": list(operation_ids), "now_": utcnow()})


def renew(holders: Collection[str]) -> dict[str, bool]:
    """Lengthen leases; of each that is still held, whether its cancelling was asked for."""
    held = _execute(statements.RENEW, holders_=list(holders), until_=_in(LEASE_S))
    return {row.lease_holder: row.cancel_requested for row in held}


def save_progress(operation_id: int, holder: str, values: dict[str, Any]) -> bool | None:
    """Store progress; whether cancelling was asked for, or None when the lease is gone."""
    kept = _execute(statements.SAVE_PROGRESS, id_=operation_id, holder_=holder, progress_=values)
    return bool(kept[0].cancel_requested) if kept else None


def cancel_requested(operation_id: int, holder: str) -> bool | None:
    """Whether cancelling was asked for, or None when the lease is gone."""
    found = _execute(statements.CANCEL_REQUESTED, id_=operation_id, holder_=holder)
    return bool(found[0].cancel_requested) if found else None


def finish(
    claimed: Claim, state: str, error: RexecError | None = None, progress: dict[str, Any] | None = None
) -> bool:
    """End an operation; whether it was still ours.

    Args:
        claimed: What `claim` gave.
        state: "done", "failed" or "cancelled".
        error: Why it failed.
        progress: What to store as the last progress; None leaves what is there.
    """
    last = {} if progress is None else {"progress_": progress}
    ended = _execute(
        statements.FINISH_WITH_PROGRESS if last else statements.FINISH,
        **last,
        id_=claimed.operation_id,
        holder_=claimed.holder,
        state_=state,
        now_=utcnow(),
        code_=error.code if error else None,
        message_=error.message if error else None,
    )
    return bool(ended)


def next_of_subject(subject: str) -> Waiting | None:
    """The operation of a subject that waits for the one that ended."""
    found = _waiting(_execute(statements.NEXT_OF_SUBJECT, subject_=subject, now_=utcnow()))
    return found[0] if found else None


def requeue(
    claimed: Claim,
    *,
    delay_s: float = 0.0,
    lane: Lane | None = None,
    keep_attempt: bool = True,
    progress: dict[str, Any] | None = None,
) -> bool:
    """Put an operation back in the queue; whether it was still ours.

    Args:
        claimed: What `claim` gave.
        delay_s: Seconds until it may be claimed again.
        lane: Another lane, if it changes.
        keep_attempt: Whether this attempt counts.
        progress: What to store as the last progress; None leaves what is there.
    """
    last = {} if progress is None else {"progress_": progress}
    put_back = _execute(
        statements.REQUEUE_WITH_PROGRESS if last else statements.REQUEUE,
        **last,
        id_=claimed.operation_id,
        holder_=claimed.holder,
        lane_=lane or claimed.lane,
        uncount_=0 if keep_attempt else 1,
        now_=_in(delay_s),
    )
    return bool(put_back)


def give_back(holders: Collection[str]) -> list[Waiting]:
    """Put what these claims hold back in the queue at once, as if they had not begun."""
    return _waiting(_execute(statements.GIVE_BACK, holders_=list(holders), now_=utcnow()))


def queue_expired() -> list[Waiting]:
    """Put back in the queue what a process held that did not renew, where attempts are left."""
    return _waiting(_execute(statements.QUEUE_EXPIRED, now_=utcnow()))


def exhausted() -> list[int]:
    """Ids of operations that a process holds that did not renew, where no attempt is left."""
    return [row.id for row in _execute(statements.EXHAUSTED, now_=utcnow())]
