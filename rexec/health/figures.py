"""Counting in the database for `/metrics`: four indexed queries, every ten seconds, never for a scrape."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from rexec.containers.models import Container
from rexec.extensions import db, utcnow
from rexec.health import totals
from rexec.jobs.models import Operation
from rexec.jobs.registry import LANES
from rexec.jobs.service import OPEN


@dataclass(frozen=True)
class Figures:
    """What was counted.

    Args:
        taken_at: When.
        containers: By status.
        operations: Open ones, by kind, lane and state.
        waiting_s: Of each lane, since when its oldest due operation waits; 0 where none does.
        totals: What ended since the beginning.
    """

    taken_at: datetime
    containers: dict[str, int]
    operations: dict[tuple[str, str, str], int]
    waiting_s: dict[str, float]
    totals: totals.Totals


def read() -> Figures:
    """Count everything; needs an application context."""
    now = utcnow()
    by_status = select(Container.status, func.count().label("n")).group_by(Container.status)
    kinds = (Operation.kind, Operation.lane, Operation.state)
    opened = select(*kinds, func.count()).where(Operation.state.in_(OPEN)).group_by(*kinds)
    oldest = (
        select(Operation.lane, func.min(Operation.not_before))
        .where(Operation.state == "queued", Operation.not_before <= now)
        .group_by(Operation.lane)
    )
    with db.engine.connect() as connection:
        containers = {row.status: row.n for row in connection.execute(by_status)}
        operations = {(kind, lane, state): count for kind, lane, state, count in connection.execute(opened)}
        waiting = {lane: (now - since).total_seconds() for lane, since in connection.execute(oldest)}
        counted = totals.read(connection)
    return Figures(now, containers, operations, {lane: waiting.get(lane, 0.0) for lane in LANES}, counted)
