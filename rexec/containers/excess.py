"""More containers than the plan has room for: what was not chosen to stay may not start after a grace.

Nothing is deleted. What goes is stopped and marked as suspended; it is released as soon as there is room for
it, and then starts again when the person says so. Everything is decided under the lock of the person's row,
from rows alone, so that it may be decided twice and by two watchers at once.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert, or_, select, update

from rexec import jobs
from rexec.accounts.models import User
from rexec.billing import plans
from rexec.billing.plans import Plan
from rexec.billing.service import plan_of
from rexec.containers import room, service
from rexec.containers.errors import Suspended
from rexec.containers.models import Container, Excess
from rexec.containers.states import NotNow
from rexec.errors import InvalidInput
from rexec.extensions import db, utcnow

log = logging.getLogger(__name__)

GRACE = timedelta(days=7)
"""How long everything goes on after the plan has become too small."""
EVERY_S = 60


def choose(user_id: int, public_ids: Collection[str]) -> None:
    """Say which containers stay; after the grace it counts at once. Commits.

    Args:
        user_id: Whose.
        public_ids: Those that stay; what is not the person's is ignored, and the oldest fill what is left.

    Raises:
        InvalidInput: On the field `keep`: more than there is room for.
    """
    owner = room.locked_owner(user_id)
    mine = Container.owner_id == user_id
    chosen = db.session.scalars(
        select(Container.id).where(mine, room.LIVING, Container.public_id.in_(public_ids))
    ).all()
    plan = plan_of(owner) if owner is not None else None
    if len(chosen) > room.of(plan):
        db.session.rollback()
        raise InvalidInput(f"{room.words(plan)}, and you ticked {len(chosen)}.", field="keep")
    db.session.execute(
        update(Container).where(mine).values(keep=Container.id.in_(chosen)),
        execution_options={"synchronize_session": False},
    )
    _settle(owner)


def settle(user_id: int) -> None:
    """Bring what is suspended in line with the plan and the choice. Commits."""
    _settle(room.locked_owner(user_id))


def _settle(owner: User | None) -> None:
    if owner is None or owner.closing_at is not None:
        db.session.rollback()
        return
    user_id, plan = owner.id, plan_of(owner)
    rows = db.session.execute(
        select(Container.id, Container.suspended_at)
        .where(Container.owner_id == user_id, room.LIVING)
        .order_by(*room.STAYING_FIRST)
    ).all()
    fitting = room.of(plan)
    _release([row.id for row in rows[:fitting] if row.suspended_at is not None])
    if len(rows) <= fitting:
        _forget(user_id)
    elif _note(user_id, fitting) + GRACE <= utcnow():
        _suspend([row.id for row in rows[fitting:] if row.suspended_at is None])
    db.session.commit()
    _stop_suspended(user_id, plan, len(rows))


def _note(user_id: int, fitting: int) -> datetime:
    """When the grace began: at the first look, and anew where there is room for fewer than there was then."""
    known = db.session.execute(select(Excess.room, Excess.since).where(Excess.user_id == user_id)).first()
    now = utcnow()
    if known is None:
        db.session.execute(insert(Excess).values(user_id=user_id, room=fitting, since=now))
        log.info("account %d has more containers than its plan has room for (%d)", user_id, fitting)
        return now
    since = now if fitting < known.room else known.since
    if fitting != known.room:
        db.session.execute(
            update(Excess).where(Excess.user_id == user_id).values(room=fitting, since=since),
            execution_options={"synchronize_session": False},
        )
    return since


def _forget(user_id: int) -> None:
    db.session.execute(
        delete(Excess).where(Excess.user_id == user_id), execution_options={"synchronize_session": False}
    )


def _release(container_ids: Collection[int]) -> None:
    if not container_ids:
        return
    these = Container.id.in_(container_ids)
    silent = {"synchronize_session": False}
    db.session.execute(update(Container).where(these).values(suspended_at=None), execution_options=silent)
    db.session.execute(
        update(Container).where(these, Container.error_code == Suspended.code).values(**service.NO_ERROR),
        execution_options=silent,
    )
    log.info("containers %s may start again", container_ids)


def _suspend(container_ids: Collection[int]) -> None:
    if not container_ids:
        return
    db.session.execute(
        update(Container)
        .where(Container.id.in_(container_ids), Container.suspended_at.is_(None))
        .values(suspended_at=utcnow()),
        execution_options={"synchronize_session": False},
    )
    log.info("containers %s may not start: the plan has no room for them", container_ids)


def _stop_suspended(user_id: int, plan: Plan | None, living: int) -> None:
    """Stop what is suspended and runs; what is still on its way there is stopped at the next look."""
    running = db.session.scalars(
        select(Container.id).where(
            Container.owner_id == user_id, Container.suspended_at.is_not(None), Container.status == "running"
        )
    ).all()
    why = room.suspended(plan, living)
    for container_id in running:
        try:
            service.stop_suspended(container_id, why)
        except NotNow:
            continue
    db.session.rollback()


def on_plan_changed(_sender: object, *, user_id: int) -> None:
    """Begin the grace, or release what there is room for again; commits."""
    _look(User.id == user_id)


def container_is_gone(owner_id: int) -> None:
    """Let what is suspended take the room that a deleted container leaves; commits."""
    has_excess = db.session.scalar(select(exists().where(Excess.user_id == owner_id)))
    db.session.rollback()
    if has_excess:
        settle(owner_id)


@jobs.periodic("containers.excess", every_s=EVERY_S)
def look_at_all() -> None:
    """Begin and end graces, also where a plan ended by itself and nobody told of it."""
    _look()


def _look(*conditions: ColumnElement[bool]) -> None:
    """Settle whoever has something to settle, found in one query."""
    free = plans.default()
    least = min((plan.containers for plan in plans.all()), default=0) if free is not None else 0
    person = (User.id, User.plan, User.paid_plan, User.paid_until, Excess.room, Excess.since)
    is_suspended = Container.suspended_at.is_not(None)
    found = db.session.execute(
        select(
            *person,
            func.count().label("living"),
            func.count().filter(is_suspended).label("suspended"),
            func.count().filter(is_suspended, Container.status == "running").label("running"),
        )
        .join(Container, Container.owner_id == User.id)
        .outerjoin(Excess, Excess.user_id == User.id)
        .where(room.LIVING, User.closing_at.is_(None), *conditions)
        .group_by(*person)
        .having(or_(func.count() > least, Excess.since.is_not(None)))
    ).all()
    db.session.rollback()
    for row in found:
        if _is_unsettled(row):
            settle(row.id)


def _is_unsettled(row: Any) -> bool:
    fitting = room.of(plan_of(row))
    if row.living <= fitting:
        return bool(row.since)
    if row.since is None or row.room != fitting or row.running:
        return True
    is_over: bool = row.since + GRACE <= utcnow()
    return is_over and row.suspended != row.living - fitting
