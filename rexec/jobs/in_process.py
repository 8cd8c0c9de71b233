"""Operations without Redis: threads of the web process, woken by it at once and by a look at the rows."""

from __future__ import annotations

import logging
import queue
import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from rexec.jobs import rows
from rexec.jobs.liveness import BEAT_S, say_alive
from rexec.jobs.registry import LANES, THREADS
from rexec.jobs.runner import Runner

if TYPE_CHECKING:
    from flask import Flask

    from rexec.jobs.registry import Lane

log = logging.getLogger(__name__)

POLL_S = 1.0


class PolledBell:
    """The bell of a process that runs nothing: whoever runs operations finds the row within a second."""

    def ring(self, operation_id: int, lane: Lane) -> None:
        """Nobody to wake."""

    def pending(self, lane: Lane) -> int | None:  # noqa: ARG002 - the protocol's signature
        """Nothing can be said."""
        return None


class InProcessRunner:
    """Runs operations in threads of this process; the same guarantees as RQ's workers.

    Args:
        app: The application whose operations are run.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.runner = Runner(app, self)
        self._bells: dict[Lane, queue.SimpleQueue[int | None]] = {lane: queue.SimpleQueue() for lane in LANES}
        self._threads: list[threading.Thread] = []
        self._complained = False

    def start(self) -> None:
        """Start the threads."""
        for lane in LANES:
            for number in range(THREADS[lane]):
                self._start_thread(f"jobs-{lane}-{number}", self._answer, lane)
        self._start_thread("jobs-poll", self._poll)

    def ring(self, operation_id: int, lane: Lane) -> None:
        """Wake a thread of the lane."""
        self._bells[lane].put(operation_id)

    def pending(self, lane: Lane) -> int | None:
        """Rings that no thread has answered yet."""
        return self._bells[lane].qsize()

    def stop(self, timeout_s: float) -> None:
        """Claim nothing more, finish what can be within the seconds given, give the rest back."""
        self.runner.stop(timeout_s)
        for lane in LANES:
            for _ in range(THREADS[lane]):
                self._bells[lane].put(None)
        # Those that are left hold nothing any more; the others end at once.
        deadline = time.monotonic() + 0.5
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _start_thread(self, name: str, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args, name=name, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _answer(self, lane: Lane) -> None:
        while (operation_id := self._bells[lane].get()) is not None:
            self.runner.work(operation_id, lane)

    def _poll(self) -> None:
        """Find what other processes added, what is due again, and what a dead process left."""
        next_beat = 0.0
        while not self.runner.stopping.wait(POLL_S):
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + BEAT_S
                say_alive(self.runner)
            try:
                for lane in LANES:
                    self._ring_waiting(lane)
                self._complained = False
            except SQLAlchemyError as error:
                if not self._complained:
                    log.warning("the job queue's database does not answer: %s", type(error).__name__)
                self._complained = True

    def _ring_waiting(self, lane: Lane) -> None:
        # A lane with unanswered rings has no thread to spare; it looks for more by itself.
        if not self._bells[lane].empty():
            return
        with self.app.app_context():
            waiting = rows.due(lane)
        for row in waiting:
            self.ring(row.operation_id, lane)
