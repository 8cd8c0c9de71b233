"""Stops containers that nobody has used for as long as the plan allows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from rexec import jobs
from rexec.accounts.models import User
from rexec.billing import plans
from rexec.billing.service import plan_of
from rexec.containers import service
from rexec.containers.models import Container
from rexec.containers.states import NotNow
from rexec.extensions import db, utcnow

log = logging.getLogger(__name__)

STOPPED_AT_ONCE = 100
READ_AT_ONCE = 500
NOTED_WITHIN_MINUTES = 1
"""How far behind the row may be: use is written down twice a minute."""
USED_AT = func.coalesce(Container.last_activity_at, Container.started_at, Container.status_changed_at)


@jobs.periodic("containers.idle", every_s=60)
def stop_idle() -> None:
    """Stop what has been idle for longer than its owner's plan allows; a plan without a limit lets it run."""
    shortest = min((plan.idle_minutes for plan in plans.all() if plan.idle_minutes is not None), default=None)
    if shortest is None:
        return
    stopped, after = 0, 0
    while stopped < STOPPED_AT_ONCE and (found := _idle_for(shortest, after)):
        stopped += sum(_stop_if_too_long(row) for row in found)
        after = found[-1].id


def _idle_for(minutes: int, after: int) -> Sequence[Any]:
    """The next containers that nobody has used for so long, with what says their owner's plan."""
    return db.session.execute(
        select(Container.id, USED_AT.label("used_at"), User.plan, User.paid_plan, User.paid_until)
        .join(User, User.id == Container.owner_id)
        .where(Container.id > after, Container.status == "running", _ago(minutes) > USED_AT)
        .order_by(Container.id)
        .limit(READ_AT_ONCE)
    ).all()


def _stop_if_too_long(row: Any) -> bool:
    plan = plan_of(row)
    if plan is None or plan.idle_minutes is None or row.used_at >= _ago(plan.idle_minutes):
        return False
    still = _ago(plan.idle_minutes) > USED_AT
    try:
        service.stop(row.id, still, note=f"Stopped after {plan.idle_minutes} minutes without use.")
    except NotNow:
        return False
    log.info("container %d is stopped: idle for %d minutes", row.id, plan.idle_minutes)
    return True


def _ago(minutes: int) -> datetime:
    """Since when a container has to be unused to have been so for certain for this long."""
    return utcnow() - timedelta(minutes=minutes + NOTED_WITHIN_MINUTES)
