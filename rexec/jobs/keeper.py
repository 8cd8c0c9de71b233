"""The one thread of a process that keeps the leases of its operations, and its promises for later."""

from __future__ import annotations

import heapq
import logging
import threading
import time
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from rexec.jobs import rows
from rexec.jobs.context import JobTimeout, OperationContext
from rexec.jobs.outcome import settle

if TYPE_CHECKING:
    from flask import Flask

    from rexec.jobs.registry import Lane
    from rexec.jobs.runner import Bell

log = logging.getLogger(__name__)

RENEW_S = 5.0
TICK_S = 1.0
GRACE_S = 1.0
JOIN_S = 0.5


class Keeper:
    """Renews leases every 5 s, fails what outlives its time, rings for retries when they are due.

    Its thread starts with the first need and sleeps without a tick while there is none.

    Args:
        app: Its context is pushed for each round.
        bell: Rung for retries.
    """

    def __init__(self, app: Flask, bell: Bell) -> None:
        self.app = app
        self.bell = bell
        self._changed = threading.Condition()
        self._kept: dict[str, OperationContext] = {}
        self._later: list[tuple[float, int, Lane]] = []
        self._thread: threading.Thread | None = None
        self._next_renewal = 0.0
        self._stopped = False

    def keep(self, context: OperationContext) -> None:
        """Keep the lease of an operation until `drop`."""
        with self._changed:
            if not self._kept:
                self._next_renewal = time.monotonic() + RENEW_S
            self._kept[context.holder] = context
            self._wake_thread()

    def drop(self, context: OperationContext) -> None:
        """Keep it no longer."""
        with self._changed:
            self._kept.pop(context.holder, None)
            self._changed.notify_all()

    def ring_later(self, operation_id: int, lane: Lane, delay_s: float) -> None:
        """Ring for an operation after some seconds; when this process ends before, the watcher does it."""
        with self._changed:
            heapq.heappush(self._later, (time.monotonic() + delay_s, operation_id, lane))
            self._wake_thread()

    def stop(self, timeout_s: float) -> None:
        """Wait until nothing runs, then give back what still does, so that another process goes on at once.

        Args:
            timeout_s: Seconds to wait.
        """
        with self._changed:
            self._changed.wait_for(lambda: not self._kept, timeout_s)
            unfinished = list(self._kept.values())
            self._stopped = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(JOIN_S)
        for context in unfinished:
            context.lose()
        if unfinished:
            self._give_back([context.holder for context in unfinished])

    def _give_back(self, holders: list[str]) -> None:
        try:
            with self.app.app_context():
                given = rows.give_back(holders)
        except SQLAlchemyError as error:
            log.warning(
                "leases run out by themselves, the database does not answer: %s", type(error).__name__
            )
            return
        log.info("gave back %d unfinished operations", len(given))
        for row in given:
            self.bell.ring(row.operation_id, row.lane)

    def _wake_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="jobs-keeper", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._kept or self._later)
                if self._stopped:
                    return
                self._changed.wait(self._nap_s())
                kept = list(self._kept.values())
                ringing = self._take_due()
            for operation_id, lane in ringing:
                self.bell.ring(operation_id, lane)
            if kept:
                self._look_after(kept)

    def _nap_s(self) -> float:
        """Until the next thing to do, but at most a tick; called with the lock held."""
        if not self._later:
            return TICK_S
        return min(TICK_S, max(0.0, self._later[0][0] - time.monotonic()))

    def _take_due(self) -> list[tuple[int, Lane]]:
        due: list[tuple[int, Lane]] = []
        while self._later and self._later[0][0] <= time.monotonic():
            _, operation_id, lane = heapq.heappop(self._later)
            due.append((operation_id, lane))
        return due

    def _look_after(self, kept: list[OperationContext]) -> None:
        try:
            with self.app.app_context():
                if time.monotonic() >= self._next_renewal:
                    self._renew(kept)
                for context in kept:
                    if time.monotonic() >= context.deadline + GRACE_S and not context.lost():
                        self._fail_late(context)
        except SQLAlchemyError as error:
            # Tried again at the next tick; should it stay so, leases end and contexts notice by the clock.
            log.warning("leases cannot be renewed, the database does not answer: %s", type(error).__name__)

    def _renew(self, kept: list[OperationContext]) -> None:
        asked = time.monotonic()
        held = rows.renew([context.holder for context in kept])
        for context in kept:
            if context.holder in held:
                context.renewed(asked + rows.LEASE_S, cancel_requested=held[context.holder])
            elif context.holder in self._kept:
                context.lose()
        self._next_renewal = asked + RENEW_S

    def _fail_late(self, context: OperationContext) -> None:
        """A handler that does not look at its clock: fail the row, and fence whatever it still writes."""
        log.error("operation %d (%s) outlived its time", context.operation_id, context.kind)
        settle(context, JobTimeout(), self.bell, self)
        context.lose()
