"""What a container takes up at this moment, for whoever looks at its limits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from rexec.docker_host.errors import DockerHostError

if TYPE_CHECKING:
    from rexec.docker_host import ContainerUsage
    from rexec.terminals.loop import Loop
    from rexec.terminals.openers import Openers
    from rexec.terminals.viewer import Viewer

FRESH_S: Final = 2.0
_slots = threading.BoundedSemaphore(2)
"""A reading may take a second, and opening a terminal must not wait for many of them."""


class Usage:
    """Belongs to the loop's thread. However many ask, the daemon is asked once at a time, and now and then.

    Nothing is stored, and nobody is told who did not ask: where nobody looks at limits, nothing is spent.

    Args:
        loop: Where answers are handed over.
        openers: Where it waits for the daemon.
        read: Takes a reading; may raise DockerHostError.
    """

    def __init__(self, loop: Loop, openers: Openers, read: Callable[[], ContainerUsage | None]) -> None:
        self._loop = loop
        self._openers = openers
        self._read = read
        self._waiting: list[Viewer] = []
        self._before: ContainerUsage | None = None
        self._facts: dict[str, Any] = {}
        self._taken_at = float("-inf")

    def tell(self, viewer: Viewer) -> None:
        """Send a viewer the figures, now or when they are there; whoever gets none asks again."""
        if time.monotonic() - self._taken_at < FRESH_S:
            viewer.send_status("usage", **self._facts)
        elif self._waiting:
            self._waiting.append(viewer)
        elif _slots.acquire(blocking=False):
            self._waiting.append(viewer)
            self._openers.submit(self._take)

    def _take(self) -> None:
        found = None
        try:
            found = self._read()
        except DockerHostError:
            # The terminal itself says so where the daemon is away.
            pass
        finally:
            _slots.release()
            self._loop.call_soon(lambda: self._hand_over(found))

    def _hand_over(self, found: ContainerUsage | None) -> None:
        waiting, self._waiting = self._waiting, []
        if found is not None:
            cpus = found.cpus_since(self._before) if self._before else None
            self._taken_at = time.monotonic()
            self._facts = {"memory": found.memory_bytes, "cpus": cpus, "pids": found.pids}
            for viewer in waiting:
                viewer.send_status("usage", **self._facts)
        self._before = found
