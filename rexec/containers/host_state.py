"""What is kept about the Docker host: this deployment's identity on it, and what was last seen of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import current_app
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from rexec.containers.models import HostState
from rexec.errors import RexecError
from rexec.extensions import db, utcnow

ROW = 1
EXTENSION = "rexec.deployment"
MEMORY_FOR_CONTAINERS = 0.9
"""The rest is for the daemon and the system."""
LABEL_DEPLOYMENT = "rexec.deployment"
LABEL_CONTAINER = "rexec.container"
LABEL_OWNER = "rexec.owner"


@dataclass(frozen=True)
class HostView:
    """What pages say about the Docker host.

    Args:
        reachable: None while nobody has looked yet.
        checked_at: When it was last tried.
        last_ok_at: When it last answered.
        error_message: Why it did not answer.
        images: Reference -> bytes on disk; None while unknown.
        facts: What the daemon says of itself; None while unknown.
    """

    reachable: bool | None
    checked_at: datetime | None
    last_ok_at: datetime | None
    error_message: str | None
    images: dict[str, int] | None
    facts: dict[str, Any] | None = None

    @property
    def is_down(self) -> bool:
        """Whether it is known not to answer."""
        return self.reachable is False

    def room(self, memory_mb: int) -> tuple[int, int] | None:
        """How many more containers fit the VM's memory, and how many fit it empty; None while unknown.

        Args:
            memory_mb: What one of them may use.
        """
        facts = self.facts or {}
        memory_bytes, promised_mb = facts.get("memory_bytes"), facts.get("promised_mb")
        if memory_bytes is None or promised_mb is None:
            return None
        for_containers_mb = int(memory_bytes * MEMORY_FOR_CONTAINERS) // 1024**2
        return max(0, for_containers_mb - promised_mb) // memory_mb, for_containers_mb // memory_mb


def deployment() -> str:
    """The identity that marks our objects on the Docker host; made once, whoever comes first.

    Uses a connection of its own, so call it outside a transaction on SQLite.
    """
    known = current_app.extensions.get(EXTENSION)
    if known is None:
        known = current_app.extensions[EXTENSION] = _read_or_make()
    return cast("str", known)


def _read_or_make() -> str:
    query = select(HostState.deployment).where(HostState.id == ROW)
    with db.engine.connect() as connection:
        found = connection.scalar(query)
    if found is not None:
        return found
    try:
        with db.engine.begin() as connection:
            connection.execute(insert(HostState).values(id=ROW, deployment=str(uuid.uuid4())))
    except IntegrityError:
        # Another process was quicker; its identity counts.
        pass
    with db.engine.connect() as connection:
        return connection.execute(query).scalar_one()


def view() -> HostView:
    """What was last seen, in one query."""
    row = db.session.execute(
        select(
            HostState.reachable,
            HostState.checked_at,
            HostState.last_ok_at,
            HostState.error_message,
            HostState.images,
            HostState.facts,
        ).where(HostState.id == ROW)
    ).first()
    return HostView(*row) if row else HostView(None, None, None, None, None)


def note_reachable(**seen: Any) -> None:
    """Record an answer of the Docker host.

    Args:
        **seen: Further columns of HostState that were learned with it.
    """
    now = utcnow()
    _store(reachable=True, checked_at=now, last_ok_at=now, error_code=None, error_message=None, **seen)


def note_unreachable(error: RexecError) -> None:
    """Record that the Docker host did not answer, and why; what was known of it stays."""
    _store(reachable=False, checked_at=utcnow(), error_code=error.code, error_message=error.message)


def _store(**values: Any) -> None:
    deployment()
    with db.engine.begin() as connection:
        connection.execute(update(HostState).where(HostState.id == ROW).values(**values))
