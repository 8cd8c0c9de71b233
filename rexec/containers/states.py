"""A container's life as a table, and the conditional update that is the only way to move in it.

queued -> creating -> starting -> running -> stopping -> stopped
             |^                      ^                      |
           pulling                   +------ starting <-----+
anything -> failed -> queued (retry);  anything -> deleting -> no row
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, update

from rexec.containers.models import Container
from rexec.errors import Conflict
from rexec.extensions import db, utcnow

MOVES: dict[str, frozenset[str]] = {
    "queued": frozenset({"pulling", "creating", "failed", "deleting"}),
    "pulling": frozenset({"pulling", "creating", "failed", "deleting"}),
    "creating": frozenset({"creating", "pulling", "starting", "failed", "deleting"}),
    "starting": frozenset({"creating", "starting", "running", "stopped", "failed", "deleting"}),
    "running": frozenset({"running", "stopping", "stopped", "failed", "deleting"}),
    "stopping": frozenset({"stopping", "starting", "running", "stopped", "failed", "deleting"}),
    "stopped": frozenset({"starting", "running", "failed", "deleting"}),
    "failed": frozenset({"queued", "running", "stopped", "failed", "deleting"}),
    "deleting": frozenset({"failed"}),
}
"""Where each state may lead; a deleted container has no row."""

MAKING = ("queued", "pulling", "creating")
"""Being made: *Cancel* works."""
MOVING = (*MAKING, "starting", "stopping", "deleting")
"""On the way to somewhere: pages poll."""
SETTLED = ("running", "stopped", "failed")
"""Nothing happens by itself."""

VERBS: dict[str, tuple[tuple[str, ...], str, frozenset[str]]] = {
    "start": (("stopped",), "starting", frozenset({*MAKING, "starting", "running"})),
    "stop": (("running",), "stopping", frozenset({"stopping", "stopped"})),
    "restart": (("running",), "stopping", frozenset({"starting", "stopping"})),
    "retry": (("failed",), "queued", frozenset({*MAKING, "starting", "running"})),
    "cancel": (MAKING, "failed", frozenset({"starting", "running", "stopping", "stopped", "failed"})),
    "delete": (tuple(state for state in MOVES if state != "deleting"), "deleting", frozenset({"deleting"})),
}
"""Verb -> states it acts on, the state it leads to, states in which it has nothing to do and says nothing."""


class NotNow(Conflict):
    """The container is on the way to somewhere else."""

    code = "container_busy"
    message = "The container is busy with something else."
    hint = "Wait until it has settled, then try again."


def transition(
    container_id: int,
    from_states: Collection[str],
    to: str,
    *conditions: ColumnElement[bool],
    **values: Any,
) -> bool:
    """Move a container if it is still where the caller believes it to be. The caller commits.

    Args:
        container_id: The row.
        from_states: States it may be in now.
        to: The state to move to.
        *conditions: What has to hold besides, in the same statement.
        **values: Further columns to set.

    Returns:
        False where the row is gone or somebody moved it: then stop working on it.

    Raises:
        ValueError: The table knows no such move.
    """
    illegal = [state for state in from_states if to not in MOVES[state]]
    if illegal:
        raise ValueError(f"a container does not go from {', '.join(illegal)} to {to}")
    statement = (
        update(Container)
        .where(Container.id == container_id, Container.status.in_(from_states), *conditions)
        .values(status=to, status_changed_at=utcnow(), **values)
        .execution_options(synchronize_session=False)
    )
    return cast("CursorResult[Any]", db.session.execute(statement)).rowcount == 1


def enter(container_id: int, from_states: Collection[str], to: str, **values: Any) -> bool:
    """`transition` and commit at once, before the Docker call that the move announces."""
    moved = transition(container_id, from_states, to, **values)
    db.session.commit()
    return moved
