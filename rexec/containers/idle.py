"""Stops containers that nobody has used for as long as the plan allows."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import func, or_, select

from rexec import jobs
from rexec.accounts.models import User
from rexec.billing import plans
from rexec.billing.plans import Plan
from rexec.containers import service
from rexec.containers.models import Container
from rexec.containers.states import NotNow
from rexec.extensions import db, utcnow

log = logging.getLogger(__name__)

AT_ONCE = 100


@jobs.periodic("containers.idle", every_s=60)
def stop_idle() -> None:
    """Stop what has been idle for too long, plan by plan; a plan without a limit lets it run."""
    for plan in plans.all():
        if plan.idle_minutes is not None:
            _stop_of_plan(plan, plan.idle_minutes)


def _stop_of_plan(plan: Plan, idle_minutes: int) -> None:
    has_plan = User.plan == plan.key
    if plan == plans.default():
        has_plan = or_(has_plan, User.plan.is_(None), User.plan.not_in([other.key for other in plans.all()]))
    used_at = func.coalesce(Container.last_activity_at, Container.started_at, Container.status_changed_at)
    idle = db.session.scalars(
        select(Container.id)
        .join(User, User.id == Container.owner_id)
        .where(Container.status == "running", has_plan, used_at < utcnow() - timedelta(minutes=idle_minutes))
        .order_by(Container.id)
        .limit(AT_ONCE)
    ).all()
    for container_id in idle:
        try:
            service.stop(container_id, note=f"Stopped after {idle_minutes} minutes without use.")
        except NotNow:
            continue
        log.info("container %d is stopped: idle for %d minutes", container_id, idle_minutes)
