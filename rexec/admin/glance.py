"""The VM at a glance: what is promised of it, and how it was when it was last looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select

from rexec import jobs
from rexec.admin.jobs import LOOK, SUBJECT
from rexec.containers.host_state import MEMORY_FOR_CONTAINERS, HostView
from rexec.containers.models import Container
from rexec.extensions import db, utcnow
from rexec.jobs.models import Operation
from rexec.web.filters import megabytes, size

AGAIN_AFTER: Final = timedelta(minutes=1)
OPEN: Final = ("queued", "working")
LATEST: Final = 10
MB: Final = 1024**2


@dataclass(frozen=True)
class Figure:
    """One bar.

    Args:
        name: What is measured.
        value: How much of it is used.
        limit: How much there is; 0 while unknown.
        text: Both in words.
    """

    name: str
    value: float = 0
    limit: float = 0
    text: str = "–"


@dataclass(frozen=True)
class Glance:
    """The bars, and how old they are.

    Args:
        figures: Always the same four.
        looked_at: When load, memory and disk were read; None where they never were.
        looking: Whether they are being read now.
        problem: Why the last attempt to read them failed.
    """

    figures: tuple[Figure, ...]
    looked_at: datetime | None
    looking: bool
    problem: str | None


def see(host: HostView, *, again: bool = False) -> Glance:
    """What is known now, in two queries.

    Args:
        host: What was last seen of the Docker host.
        again: Have the VM looked at, unless that was done just now or cannot be; commits.
    """
    looks = _looks()
    begun = again and bool(host.reachable) and (not looks or _is_old(looks[0]))
    done = next((row for row in looks if row.state == "done"), None)
    seen = done.progress if done else None
    facts = host.facts or {}
    glance = Glance(
        figures=(_promised(facts.get("memory_bytes")), *_measured(seen or {}, facts.get("cpus"))),
        looked_at=done.finished_at if done else None,
        looking=begun or any(row.state in OPEN for row in looks),
        problem=looks[0].error_message if looks and looks[0].state == "failed" else None,
    )
    if begun:
        operation = jobs.add(LOOK, SUBJECT)
        db.session.commit()
        jobs.wake(operation)
    return glance


def _is_old(newest: Any) -> bool:
    return newest.state not in OPEN and newest.created_at < utcnow() - AGAIN_AFTER


def _looks() -> list[Any]:
    columns = (Operation.state, Operation.progress, Operation.created_at, Operation.finished_at)
    query = select(*columns, Operation.error_message).where(Operation.subject == SUBJECT)
    return list(db.session.execute(query.order_by(Operation.id.desc()).limit(LATEST)))


def _promised(memory: int | None) -> Figure:
    """The memory that running containers may use together, as of now."""
    if memory is None:
        return Figure("Promised")
    summed = select(func.coalesce(func.sum(Container.memory_mb), 0)).where(Container.status == "running")
    promised_mb = int(db.session.scalar(summed) or 0)
    most_mb = int(memory * MEMORY_FOR_CONTAINERS) // MB
    return Figure("Promised", promised_mb, most_mb, f"{megabytes(promised_mb)} of {megabytes(most_mb)}")


def _measured(seen: dict[str, float], cpus: int | None) -> tuple[Figure, ...]:
    load = seen.get("load")
    words = "–" if load is None else f"{load:.2f} on {cpus} processors" if cpus else f"{load:.2f}"
    return (
        Figure("Load", load or 0, cpus or 0, words),
        _sizes("Memory", seen.get("memory_used"), seen.get("memory")),
        _sizes("Disk", seen.get("disk_used"), seen.get("disk")),
    )


def _sizes(name: str, used: float | None, total: float | None) -> Figure:
    if used is None or total is None:
        return Figure(name)
    return Figure(name, used, total, f"{size(used)} of {size(total)}")
