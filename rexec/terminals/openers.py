"""A few threads for what takes time: connecting, inspecting, resizing, ending."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

THREADS: Final = 8


class Openers:
    """Runs functions in order of arrival, in threads started as they are needed.

    The threads never keep the process from ending: a daemon that does not answer must not delay a stop.

    Args:
        threads: How many at most.
    """

    def __init__(self, threads: int = THREADS) -> None:
        self._limit = threads
        self._queue: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._started = 0
        self._idle = 0
        self.unfinished = 0
        """Functions that wait or run."""

    def submit(self, function: Callable[[], None]) -> None:
        """Have a function run soon; what it raises is logged."""
        with self._lock:
            self.unfinished += 1
            if not self._idle and self._started < self._limit:
                self._started += 1
                threading.Thread(target=self._work, name=f"terminals-{self._started}", daemon=True).start()
            elif self._idle:
                self._idle -= 1
        self._queue.put(function)

    def _work(self) -> None:
        while True:
            function = self._queue.get()
            try:
                function()
            except Exception:
                log.exception("A terminal's slow step failed")
            with self._lock:
                self.unfinished -= 1
                self._idle += 1
