"""The queue's SQL, built once: building a statement costs more than running it.

Names of parameters end in an underscore, because SQLAlchemy keeps the columns' own names for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import Table, and_, bindparam, exists, func, or_, select, update

from rexec.jobs.models import Operation

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.sql.dml import ReturningUpdate

operations = cast("Table", Operation.__table__)
row = operations.c

id_ = bindparam("id_", type_=row.id.type)
now_ = bindparam("now_", type_=row.not_before.type)
until_ = bindparam("until_", type_=row.lease_until.type)
holder_ = bindparam("holder_", type_=row.lease_holder.type)
holders_ = bindparam("holders_", type_=row.lease_holder.type, expanding=True)

QUEUED = row.state == "queued"
WORKING = row.state == "working"
LEFT = row.lease_until < now_
SPENT = row.attempts >= row.max_attempts
MINE = and_(row.id == id_, WORKING, row.lease_holder == holder_)

FREE = {"lease_holder": None, "lease_until": None}


def _nobody_before() -> ColumnElement[bool]:
    """Nobody works on the subject, and no older operation waits for it."""
    other = operations.alias("other")
    ahead = or_(other.c.state == "working", and_(other.c.state == "queued", other.c.id < row.id))
    return ~exists().where(other.c.subject == row.subject, other.c.id != row.id, ahead)


ITS_TURN = _nobody_before()


def _taking(condition: ColumnElement[bool], attempts: int) -> ReturningUpdate[tuple[object, ...]]:
    return (
        update(operations)
        .where(row.id == id_, condition)
        .values(
            state="working",
            attempts=row.attempts + attempts,
            lease_holder=holder_,
            lease_until=until_,
            started_at=func.coalesce(row.started_at, now_),
        )
        .returning(
            row.kind,
            row.subject,
            row.lane,
            row.attempts,
            row.max_attempts,
            row.started_at,
            row.cancel_requested,
        )
    )


CLAIM = _taking(and_(QUEUED, row.not_before <= now_, ITS_TURN), attempts=1)
TAKE_OVER = _taking(and_(WORKING, LEFT, SPENT), attempts=0)

DUE = (
    select(row.id, row.lane)
    .where(QUEUED, row.not_before <= now_, row.lane == bindparam("lane_"), ITS_TURN)
    .order_by(row.id)
    .limit(bindparam("limit_"))
)
UNWOKEN = DUE.where(or_(row.woken_at.is_(None), row.woken_at <= now_))

NOTE_WOKEN = update(operations).where(row.id.in_(bindparam("ids_", expanding=True))).values(woken_at=now_)

RENEW = (
    update(operations)
    .where(WORKING, row.lease_holder.in_(holders_))
    .values(lease_until=until_)
    .returning(row.lease_holder, row.cancel_requested)
)

SAVE_PROGRESS = (
    update(operations)
    .where(MINE)
    .values(progress=bindparam("progress_", type_=row.progress.type))
    .returning(row.cancel_requested)
)

CANCEL_REQUESTED = select(row.cancel_requested).where(MINE)

FINISH = (
    update(operations)
    .where(MINE)
    .values(
        state=bindparam("state_"),
        finished_at=now_,
        error_code=bindparam("code_"),
        error_message=bindparam("message_"),
        **FREE,
    )
    .returning(row.id)
)

FINISH_WITH_PROGRESS = FINISH.values(progress=bindparam("progress_", type_=row.progress.type))

NEXT_OF_SUBJECT = (
    select(row.id, row.lane)
    .where(row.subject == bindparam("subject_"), QUEUED, row.not_before <= now_)
    .order_by(row.id)
    .limit(1)
)

REQUEUE = (
    update(operations)
    .where(MINE)
    .values(
        state="queued",
        lane=bindparam("lane_"),
        attempts=row.attempts - bindparam("uncount_", type_=row.attempts.type),
        not_before=now_,
        woken_at=None,
        **FREE,
    )
    .returning(row.id)
)

REQUEUE_WITH_PROGRESS = REQUEUE.values(progress=bindparam("progress_", type_=row.progress.type))

GIVE_BACK = (
    update(operations)
    .where(WORKING, row.lease_holder.in_(holders_))
    .values(state="queued", attempts=row.attempts - 1, not_before=now_, woken_at=None, **FREE)
    .returning(row.id, row.lane)
)

QUEUE_EXPIRED = (
    update(operations)
    .where(WORKING, LEFT, ~SPENT)
    .values(state="queued", not_before=now_, woken_at=now_, **FREE)
    .returning(row.id, row.lane)
)

EXHAUSTED = select(row.id).where(WORKING, LEFT, SPENT)
