"""What was seen on the Docker host, and what it means for a row that nothing works on."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, exists, select, update

from rexec import jobs
from rexec.containers.errors import ContainerMissing
from rexec.containers.host_state import LABEL_CONTAINER
from rexec.containers.models import Container
from rexec.containers.service import subject
from rexec.containers.states import MAKING
from rexec.docker_host.answers import moment_of
from rexec.extensions import db, utcnow
from rexec.jobs.models import Operation

log = logging.getLogger(__name__)

ALIVE = ("running", "restarting", "paused")
INTERRUPTED = ("interrupted", "Making it was interrupted.", "Retry begins again; Delete removes it.")


@dataclass(frozen=True)
class Snapshot:
    """A row as it was before the Docker host was asked."""

    id: int
    public_id: str
    status: str
    status_changed_at: datetime
    docker_id: str | None
    error_code: str | None
    started_at: datetime | None
    memory_mb: int


@dataclass(frozen=True)
class Sight:
    """What the Docker host says about one container.

    Args:
        docker_id: None where it has no such container.
        alive: Whether its processes exist, paused or about to be started again included.
        started_at: When it was started, where that was asked for.
    """

    docker_id: str | None
    alive: bool
    started_at: datetime | None = None

    @classmethod
    def of_list(cls, item: dict[str, Any]) -> Sight:
        """From an entry of a listing."""
        return cls(item["Id"], item["State"] in ALIVE)

    @classmethod
    def of_inspection(cls, found: dict[str, Any]) -> Sight:
        """From an inspection."""
        state = found["State"]
        return cls(found["Id"], state["Status"] in ALIVE, moment_of(state.get("StartedAt", "")))


GONE = Sight(docker_id=None, alive=False)


_COLUMNS = (
    Container.id,
    Container.public_id,
    Container.status,
    Container.status_changed_at,
    Container.docker_id,
    Container.error_code,
    Container.started_at,
    Container.memory_mb,
)


def snapshots() -> list[Snapshot]:
    """Every row as it is now; read before asking the Docker host."""
    rows = [Snapshot(*row) for row in db.session.execute(select(*_COLUMNS))]
    db.session.rollback()
    return rows


def snapshot_of(public_id: str) -> Snapshot | None:
    """One row as it is now."""
    row = db.session.execute(select(*_COLUMNS).where(Container.public_id == public_id)).first()
    db.session.rollback()
    return Snapshot(*row) if row else None


def public_id_of(labels: Mapping[str, str] | None) -> str:
    """Which row a container of the Docker host belongs to."""
    return (labels or {}).get(LABEL_CONTAINER, "")


def settle(row: Snapshot, sight: Sight) -> None:
    """Bring a row in line with what was seen, unless somebody works on it or has moved it since. Commits.

    Args:
        row: As it was before the Docker host was asked.
        sight: What the Docker host said.
    """
    if row.status in MAKING:
        # Nothing works on it, so nobody would ever finish it. What exists of it is found again by Retry.
        _change(row, "failed", **_error(*INTERRUPTED))
    elif row.status == "deleting":
        _delete_again(row)
    elif sight.docker_id is None:
        if row.status != "failed":
            _change(row, "failed", stopped_at=utcnow(), **_missing())
    elif sight.alive:
        _settle_alive(row, sight)
    elif row.status in {"running", "starting", "stopping"} or row.error_code == ContainerMissing.code:
        _change(row, "stopped", docker_id=sight.docker_id, stopped_at=utcnow(), **_error(None, None, None))


def _settle_alive(row: Snapshot, sight: Sight) -> None:
    if row.status == "failed" and row.error_code != ContainerMissing.code:
        return
    if row.status != "running":
        _change(
            row,
            "running",
            docker_id=sight.docker_id,
            started_at=sight.started_at or utcnow(),
            last_activity_at=utcnow(),
            **_error(None, None, None),
        )
    elif row.docker_id != sight.docker_id or _started_later(row, sight):
        _change(row, "running", docker_id=sight.docker_id, started_at=sight.started_at or row.started_at)


def _started_later(row: Snapshot, sight: Sight) -> bool:
    """Whether the Docker host started it again by itself, as it does after a fall or a reboot."""
    if sight.started_at is None or row.started_at is None:
        return False
    return sight.started_at > row.started_at


def note_out_of_memory(row: Snapshot) -> None:
    """Say on a running container that a program in it was ended for want of memory. Commits."""
    message = f"A program in it wanted more than the {row.memory_mb} MB of your plan and was ended."
    db.session.execute(
        update(Container)
        .where(Container.id == row.id, Container.status == "running")
        .values(**_error("out_of_memory", message, "Start fewer programs at once, or choose a larger plan."))
    )
    db.session.commit()


def _missing() -> dict[str, Any]:
    return _error(ContainerMissing.code, ContainerMissing.message, ContainerMissing.hint)


def _error(code: str | None, message: str | None, hint: str | None) -> dict[str, Any]:
    return {"error_code": code, "error_message": message, "error_hint": hint}


def _change(row: Snapshot, to: str, **values: Any) -> None:
    working = exists().where(Operation.subject == subject(row.id), Operation.state.in_(("queued", "working")))
    statement = (
        update(Container)
        .where(
            Container.id == row.id,
            Container.status == row.status,
            Container.status_changed_at == row.status_changed_at,
            ~working,
        )
        .values(status=to, status_changed_at=utcnow(), **values)
        .execution_options(synchronize_session=False)
    )
    if cast("CursorResult[Any]", db.session.execute(statement)).rowcount:
        log.info("container %s: %s, as the Docker host has it (was %s)", row.public_id, to, row.status)
    db.session.commit()


def _delete_again(row: Snapshot) -> None:
    """Add the work that was lost; two watchers may both do it, and the second finds nothing to do."""
    if jobs.active(subject(row.id)) is None:
        operation = jobs.add("container.delete", subject(row.id))
        db.session.commit()
        jobs.wake(operation)
    else:
        db.session.rollback()
