"""Operations that ended, added up once each: a worker's memory is not where `/metrics` is read from.

Each operation's row is marked when it is counted, so that neither a restart nor the pruning of old rows takes
anything back.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, insert, select, update

from rexec import jobs
from rexec.extensions import db, utcnow
from rexec.health.models import MetricTotals
from rexec.jobs.models import Operation

COUNT_EVERY_S = 10.0
AT_ONCE = 1000
ENDED = ("done", "failed", "cancelled")
LAUNCH = "container.launch"
BOUNDS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper ends of the histogram's buckets, in seconds; what takes longer goes into one above them all."""
STAGES = ("create", "start", "pull", "ours", "total")
ROW = 1


@dataclass
class Histogram:
    """Durations, by bucket.

    Args:
        counts: One more than there are bounds.
        sum_s: Of all of them, in seconds.
    """

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    sum_s: float = 0.0

    def observe(self, seconds: float) -> None:
        """Add a duration."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.sum_s = round(self.sum_s + seconds, 3)

    def buckets(self) -> list[tuple[str, float]]:
        """As Prometheus has them: each counts what the smaller ones count, too."""
        cumulative, found = 0, []
        for bound, count in zip((*map(str, BOUNDS_S), "+Inf"), self.counts, strict=True):
            cumulative += count
            found.append((bound, float(cumulative)))
        return found


@dataclass
class Totals:
    """Everything that was counted so far.

    Args:
        ended: Operations, by kind, lane and outcome.
        launches: By stage.
    """

    ended: dict[tuple[str, str, str], int] = field(default_factory=dict)
    launches: dict[str, Histogram] = field(default_factory=lambda: {stage: Histogram() for stage in STAGES})

    def add(self, kind: str, lane: str, outcome: str, progress: dict[str, Any] | None) -> None:
        """Count an operation that ended.

        Args:
            kind: Of the operation.
            lane: Where it ended.
            outcome: "done", "failed" or "cancelled".
            progress: What it wrote down last; of a launch the seconds of each stage.
        """
        key = (kind, lane, outcome)
        self.ended[key] = self.ended.get(key, 0) + 1
        if kind == LAUNCH and outcome == "done":
            seconds = (progress or {}).get("seconds", {})
            for stage in STAGES:
                if stage in seconds:
                    self.launches[stage].observe(seconds[stage])

    def store(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "ended": [[*key, count] for key, count in self.ended.items()],
            "bounds": list(BOUNDS_S),
            "launches": {stage: [one.counts, one.sum_s] for stage, one in self.launches.items()},
        }

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Totals:
        """What `store` gave; histograms of a release with other buckets begin anew."""
        found = cls({(kind, lane, outcome): count for kind, lane, outcome, count in stored["ended"]})
        if stored["bounds"] == list(BOUNDS_S):
            found.launches |= {
                stage: Histogram(counts, sum_s) for stage, (counts, sum_s) in stored["launches"].items()
            }
        return found


class _OvertakenError(Exception):
    """Another watcher counted at the same moment; its row is the newer one."""


@jobs.periodic("health.totals", every_s=COUNT_EVERY_S)
def count() -> None:
    """Add up what ended since the last time; run by the watcher."""
    while _count_some() == AT_ONCE:
        pass


def read(connection: Connection) -> Totals:
    """What was counted so far.

    Args:
        connection: To read it with.
    """
    stored = connection.scalar(select(MetricTotals.totals).where(MetricTotals.id == ROW))
    return Totals.of(stored) if stored else Totals()


def _count_some() -> int:
    try:
        with db.engine.begin() as connection:
            ended = _mark(connection)
            if ended:
                _add(connection, ended)
    except _OvertakenError:
        return 0
    return len(ended)


def _mark(connection: Connection) -> Sequence[Any]:
    uncounted = (
        select(Operation.id)
        .where(Operation.counted_at.is_(None), Operation.state.in_(ENDED))
        .limit(AT_ONCE)
        .scalar_subquery()
    )
    mark = (
        update(Operation)
        .where(Operation.id.in_(uncounted), Operation.counted_at.is_(None))
        .values(counted_at=utcnow())
        .returning(Operation.kind, Operation.lane, Operation.state, Operation.progress)
        .execution_options(synchronize_session=False)
    )
    return connection.execute(mark).all()


def _add(connection: Connection, ended: Sequence[Any]) -> None:
    """Add to the row as it was read; where somebody else wrote meanwhile, the marks are taken back too."""
    row = connection.execute(
        select(MetricTotals.version, MetricTotals.totals).where(MetricTotals.id == ROW)
    ).first()
    totals = Totals.of(row.totals) if row else Totals()
    for operation in ended:
        totals.add(*operation)
    if row is None:
        connection.execute(insert(MetricTotals).values(id=ROW, version=1, totals=totals.store()))
        return
    written = connection.execute(
        update(MetricTotals)
        .where(MetricTotals.id == ROW, MetricTotals.version == row.version)
        .values(version=row.version + 1, totals=totals.store())
    )
    if not written.rowcount:
        raise _OvertakenError
