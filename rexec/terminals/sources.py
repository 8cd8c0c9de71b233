"""Where a terminal's bytes come from: the container's main process, or an exec for a further tab.

These functions wait for the daemon; they run in the openers' threads, one at a time for each terminal.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from rexec.docker_host.errors import DockerConflict, DockerHostError, DockerNotFound, DockerUnreachable
from rexec.terminals import killer

if TYPE_CHECKING:
    from rexec.docker_host import ContainerUsage, DockerHost, HijackedStream
    from rexec.terminals.loop import Loop
    from rexec.terminals.openers import Openers

log = logging.getLogger(__name__)

LOG_BYTES: Final = 1024 * 1024
ENDING_S: Final = 1.5
"""How long a process that closed its terminal may still count as running."""
DISCARD_AGAIN_S: Final = 30.0
ENDINGS: Final = {
    "stopped": "The container is stopped.",
    "ended": "The shell in this tab has ended.",
    "deleted": "The container is gone.",
}
LOGIN_SHELL: Final = (
    "/bin/sh",
    "-c",
    'command -v "$REXEC_SHELL" >/dev/null 2>&1 && exec "$REXEC_SHELL" -l; exec /bin/sh -l',
)


class Over(Exception):
    """The terminal will not come back by itself.

    Args:
        reason: `stopped`, `ended` or `deleted`.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Source(Protocol):
    """What a terminal can do with its end in the container."""

    def open(self) -> HijackedStream:
        """Connect, again where it was connected before.

        Raises:
            Over: There is nothing to connect to any more.
            DockerHostError: The daemon is away or fails.
        """
        ...

    def log(self) -> bytes | None:
        """What was printed before; None where nobody knows."""
        ...

    def resize(self, cols: int, rows: int) -> None:
        """Set the size of the terminal, in cells."""
        ...

    def usage(self) -> ContainerUsage | None:
        """What its container takes up; None where that does not run."""
        ...

    def discard(self) -> None:
        """End what nobody looks at any more.

        Raises:
            DockerUnreachable: The daemon is away; it is still to be ended.
        """
        ...


def discard(source: Source, loop: Loop, openers: Openers) -> None:
    """End what nobody looks at any more, and try again every half minute while the daemon is away.

    Args:
        source: Whose.
        loop: Where the half minutes pass.
        openers: Where it is done.
    """

    def end() -> None:
        try:
            source.discard()
        except DockerUnreachable as error:
            log.info("A tab is still to be ended: %s", error.code)
            loop.call_soon(lambda: loop.call_later(DISCARD_AGAIN_S, lambda: openers.submit(end)))

    openers.submit(end)


def _state(docker: DockerHost, container: str) -> dict[str, Any]:
    try:
        state: dict[str, Any] = docker.inspect_container(container)["State"]
    except DockerNotFound as error:
        raise Over("deleted") from error
    return state


def _require_running(docker: DockerHost, container: str) -> None:
    if not _state(docker, container)["Running"]:
        raise Over("stopped")


class AttachSource:
    """The main process of a container.

    Args:
        docker: The daemon.
        container: Name or id.
    """

    def __init__(self, docker: DockerHost, container: str) -> None:
        self._docker = docker
        self._container = container

    def open(self) -> HijackedStream:
        """See `Source`."""
        try:
            stream = self._docker.open_attach(self._container, logs=False)
        except DockerNotFound as error:
            raise Over("deleted") from error
        except DockerConflict as error:
            raise Over("stopped") from error
        try:
            # The engine also attaches to a container that is stopped, and says nothing ever after.
            _require_running(self._docker, self._container)
        except BaseException:
            stream.close()
            raise
        return stream

    def log(self) -> bytes | None:
        """See `Source`."""
        return self._docker.container_logs(self._container, LOG_BYTES)

    def resize(self, cols: int, rows: int) -> None:
        """See `Source`."""
        self._docker.resize_container(self._container, cols, rows)

    def usage(self) -> ContainerUsage | None:
        """See `Source`."""
        return self._docker.container_usage(self._container)

    def discard(self) -> None:
        """Nothing: the shell lives as long as its container."""


class ExecSource:
    """A shell of its own for a further tab.

    Args:
        docker: The daemon.
        container: Name or id.
        token: The mark in its environment; see `killer`.
    """

    def __init__(self, docker: DockerHost, container: str, token: str) -> None:
        self._docker = docker
        self._container = container
        self._token = token
        self._exec_id: str | None = None

    def open(self) -> HijackedStream:
        """See `Source`. An exec cannot be joined a second time: after an outage there is a new shell."""
        try:
            if self._exec_id is not None:
                self._end_previous(self._exec_id)
            env = {killer.MARK: self._token, "TERM": "xterm-256color"}
            exec_id = self._docker.exec_create(self._container, LOGIN_SHELL, env)
            stream = self._docker.open_exec(exec_id)
        except DockerNotFound as error:
            raise Over("deleted") from error
        except DockerConflict as error:
            raise Over("stopped") from error
        # Only now: one that was made and not started would be taken for one that has ended.
        self._exec_id = exec_id
        return stream

    def _end_previous(self, exec_id: str) -> None:
        deadline = time.monotonic() + ENDING_S
        while True:
            _require_running(self._docker, self._container)
            try:
                running = bool(self._docker.exec_inspect(exec_id)["Running"])
            except DockerNotFound:
                # The daemon was restarted and has forgotten it; the process may be there all the same.
                break
            if not running:
                raise Over("ended")
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        self.discard()

    def log(self) -> bytes | None:
        """See `Source`."""
        return None

    def resize(self, cols: int, rows: int) -> None:
        """See `Source`."""
        if self._exec_id is not None:
            self._docker.exec_resize(self._exec_id, cols, rows)

    def usage(self) -> ContainerUsage | None:
        """See `Source`."""
        return self._docker.container_usage(self._container)

    def discard(self) -> None:
        """See `Source`. Ends the shell and everything it started."""
        try:
            killer.run(self._docker, self._container, killer.only([self._token]))
        except (DockerNotFound, DockerConflict):
            # The container is gone or stopped, and everything in it.
            return
        except DockerUnreachable:
            raise
        except DockerHostError as error:
            log.warning("A tab of %s is left running: %s", self._container, error.code)
