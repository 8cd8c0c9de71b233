"""Running operations: claim, call the handler, settle what came of it. Both backends do it with this."""

from __future__ import annotations

import itertools
import logging
import os
import secrets
import socket
import threading
import time
from typing import TYPE_CHECKING, Protocol

from sqlalchemy.exc import SQLAlchemyError

from rexec.jobs import registry, rows
from rexec.jobs.context import LeaseLost, OperationContext
from rexec.jobs.keeper import Keeper
from rexec.jobs.outcome import settle

if TYPE_CHECKING:
    from flask import Flask

    from rexec.jobs.registry import Lane

log = logging.getLogger(__name__)

UNKNOWN_KIND_DELAY_S = 30.0


class Bell(Protocol):
    """Tells some runner, in this process or another, that an operation waits."""

    def ring(self, operation_id: int, lane: Lane) -> None:
        """Wake a runner; never raises, never blocks."""

    def pending(self, lane: Lane) -> int | None:
        """Rings that no runner of a lane has answered yet; None when that cannot be known."""


def process_name() -> str:
    """A name for this process in lease rows; unique, also where process ids come again."""
    return f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"


class Runner:
    """Works operations in the threads that call `work`, and keeps their leases.

    Args:
        app: Its context is pushed for each operation.
        bell: How other runners are told of work that waits.
    """

    def __init__(self, app: Flask, bell: Bell) -> None:
        self.app = app
        self.bell = bell
        self.name = process_name()
        self.stopping = threading.Event()
        self.keeper = Keeper(app, bell)
        self._numbers = itertools.count(1)

    def work(self, operation_id: int, lane: Lane) -> None:
        """Work one operation if it can be claimed, then whatever else waits in the lane.

        So a bell that was lost matters only while every runner sleeps.

        Args:
            operation_id: The row the bell was rung for.
            lane: The lane of the calling thread.
        """
        try:
            self._work_one(operation_id)
        except SQLAlchemyError as error:
            # The row is as it was, or its lease runs out: the watcher rings again once the database answers.
            log.warning("the job queue's database does not answer: %s", type(error).__name__)
            return
        self.work_waiting(lane)

    def work_waiting(self, lane: Lane) -> None:
        """Work what waits in a lane until nothing does.

        Args:
            lane: The lane of the calling thread.
        """
        try:
            while not self.stopping.is_set() and self._work_next(lane):
                pass
        except SQLAlchemyError as error:
            log.warning("the job queue's database does not answer: %s", type(error).__name__)

    def stop(self, timeout_s: float) -> None:
        """Claim nothing more, wait for what runs, then give back what has not finished.

        Args:
            timeout_s: Seconds to wait.
        """
        self.stopping.set()
        self.keeper.stop(timeout_s)

    def _work_next(self, lane: Lane) -> bool:
        with self.app.app_context():
            waiting = rows.due(lane)
        return any(self._work_one(row.operation_id) for row in waiting)

    def _work_one(self, operation_id: int) -> bool:
        if self.stopping.is_set():
            return False
        with self.app.app_context():
            claimed = rows.claim(operation_id, f"{self.name}:{next(self._numbers)}")
            if claimed is None:
                return False
            handler = registry.find(claimed.kind)
            if handler is None:
                # An instance of another release may know it: deploys overlap.
                log.error("no handler for operation %d (%s)", operation_id, claimed.kind)
                rows.requeue(claimed, delay_s=UNKNOWN_KIND_DELAY_S, keep_attempt=False)
                return True
            context = OperationContext(claimed, handler)
            self.keeper.keep(context)
            try:
                self._call(context)
            finally:
                self.keeper.drop(context)
        return True

    def _call(self, context: OperationContext) -> None:
        started = time.monotonic()
        error: BaseException | None = None
        try:
            context.handler.work(context)
        except LeaseLost:
            log.info("operation %d (%s) is somebody else's now", context.operation_id, context.kind)
            return
        except Exception as raised:  # noqa: BLE001 - every outcome is settled, a bug's too
            error = raised
        ended = settle(context, error, self.bell, self.keeper)
        log.info(
            "operation %d %s %s: %s in %.3f s",
            context.operation_id,
            context.kind,
            context.subject,
            ended,
            time.monotonic() - started,
        )
