"""What services ask of the queue: add work, look at it, stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import or_, select, update

from rexec.extensions import db, utcnow
from rexec.jobs import registry
from rexec.jobs.models import Operation
from rexec.jobs.rows import Waiting

if TYPE_CHECKING:
    from rexec.jobs.registry import Lane

OPEN = ("queued", "working")
_WAITING = "_waiting"


def add(kind: str, subject: str) -> Operation:
    """Add an operation in the caller's transaction; call `wake` with it after the commit.

    Args:
        kind: A kind that has a handler.
        subject: What it works on, "domain:id".

    Raises:
        LookupError: No handler is registered for the kind.
    """
    return _insert(kind, [subject])[0]


def add_once(kind: str, *subjects: str) -> list[Operation]:
    """As `add` for several subjects, but not where an operation of this kind waits that nobody has begun.

    What that one finds when it begins is at least as new as what the caller wants it to look at.

    Args:
        kind: A kind that has a handler.
        subjects: What they work on, "domain:id".

    Returns:
        What was added; call `wake` with it after the commit.
    """
    if not subjects:
        return []
    same = (Operation.kind == kind, Operation.state == "queued", Operation.started_at.is_(None))
    waiting = set(db.session.scalars(select(Operation.subject).where(Operation.subject.in_(subjects), *same)))
    return _insert(kind, [subject for subject in subjects if subject not in waiting])


def _insert(kind: str, subjects: list[str]) -> list[Operation]:
    handler = registry.find(kind)
    if handler is None:
        raise LookupError(f"no handler for {kind}")
    added = [
        Operation(kind=kind, subject=subject, lane=handler.lane, max_attempts=handler.max_attempts)
        for subject in subjects
    ]
    db.session.add_all(added)
    db.session.flush()
    for operation in added:
        # The commit expires every column, and reading one again would be a query just before the bell.
        vars(operation)[_WAITING] = Waiting(operation.id, handler.lane)
    return added


def waiting(operation: Operation) -> Waiting:
    """What the bell needs to know of an operation."""
    known = cast("Waiting | None", vars(operation).get(_WAITING))
    return known or Waiting(operation.id, cast("Lane", operation.lane))


def active(subject: str) -> Operation | None:
    """The operation that works on a subject, else the next that waits for it, else None."""
    query = (
        select(Operation)
        .where(Operation.subject == subject, Operation.state.in_(OPEN))
        .order_by(Operation.state.desc(), Operation.id)
        .limit(1)
    )
    return db.session.scalars(query).first()


def request_cancel(subject: str) -> bool:
    """Ask, in the caller's transaction, that the open operations of a subject stop.

    One that never began is cancelled here and now. One that began is told: its handler sees `cancelled`, also
    when it waits for its next attempt, because it may have something to clean up.

    Args:
        subject: What they work on, "domain:id".

    Returns:
        Whether one that began has still to stop.
    """
    of_subject = Operation.subject == subject
    unbegun = update(Operation).where(of_subject, Operation.state == "queued", Operation.started_at.is_(None))
    begun = update(Operation).where(
        of_subject,
        or_(Operation.state == "working", Operation.state == "queued"),
        Operation.started_at.is_not(None),
    )
    now = utcnow()
    db.session.execute(
        unbegun.values(state="cancelled", cancel_requested=True, finished_at=now),
        execution_options={"synchronize_session": "fetch"},
    )
    told = db.session.execute(
        begun.values(cancel_requested=True, not_before=now).returning(Operation.id),
        execution_options={"synchronize_session": "fetch"},
    )
    return bool(told.all())
