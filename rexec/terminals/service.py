"""Who may open which terminal, and the hub of this process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, cast

from flask import current_app

from rexec.containers import service as containers
from rexec.containers.specs import container_name
from rexec.errors import Conflict, TooManyRequests
from rexec.terminals.hub import Hub
from rexec.terminals.upkeep import DatabaseUpkeep

if TYPE_CHECKING:
    from flask import Flask

    from rexec.containers.models import Container

EXTENSION: Final = "rexec.terminals"
MAX_TABS: Final = 8
VIEWERS_PER_CONTAINER: Final = 32
VIEWERS_PER_USER: Final = 64
_starting = threading.Lock()


class NotRunning(Conflict):
    """There is no terminal in a container that does not run."""

    code = "container_not_running"
    message = "The container is not running."
    hint = "Start it, then open the terminal again."


class TooManyViewers(TooManyRequests):
    """More windows than one person looks at."""

    code = "too_many_terminals"
    message = "Too many terminals are open."
    hint = "Close a window that shows one, then try again."


def hub_of(app: Flask) -> Hub:
    """The hub of this process, started with the first call."""
    with _starting:
        hub = app.extensions.get(EXTENSION)
        if hub is None:
            docker = app.extensions["rexec.docker_host"]
            hub = app.extensions[EXTENSION] = Hub(docker, DatabaseUpkeep(app, docker))
            app.extensions.setdefault("rexec.heartbeats", {})["terminals"] = hub.heartbeat_age
            hub.start()
        return cast("Hub", hub)


def stats(app: Flask) -> dict[str, float] | None:
    """The figures of this process's hub; None where there is none.

    Args:
        app: Whose hub.
    """
    hub = cast("Hub | None", app.extensions.get(EXTENSION))
    return hub.stats() if hub else None


def stop_hub(app: Flask, timeout_s: float) -> None:
    """Send the viewers away and end the hub.

    Args:
        app: Whose hub.
        timeout_s: Seconds it may take.
    """
    hub = app.extensions.pop(EXTENSION, None)
    if hub is not None:
        app.extensions["rexec.heartbeats"].pop("terminals", None)
        hub.stop(timeout_s)


def find(owner_id: int, public_id: str) -> Container:
    """A person's container.

    Raises:
        NotFound: There is none, or it is somebody else's.
    """
    return containers.find(owner_id, public_id)


def docker_name_for_viewer(owner_id: int, public_id: str) -> str:
    """What the daemon calls a container whose terminal a person may open now.

    Raises:
        NotFound: There is none, or it is somebody else's.
        NotRunning: It has no terminal now.
        TooManyViewers: There are too many windows already.
    """
    row = find(owner_id, public_id)
    if row.status != "running":
        raise NotRunning
    hub = hub_of(current_app._get_current_object())  # type: ignore[attr-defined] # noqa: SLF001 - Flask's documented way
    if (
        hub.viewers_of(container=public_id) >= VIEWERS_PER_CONTAINER
        or hub.viewers_of(user_id=owner_id) >= VIEWERS_PER_USER
    ):
        raise TooManyViewers
    return row.docker_id or container_name(public_id)
