"""RQ as the bell: a job in Redis carries the id of an operation and nothing else; the row stays the queue."""

from __future__ import annotations

import logging
import os
import queue
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, cast

from flask import current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer

if TYPE_CHECKING:
    from rexec.jobs.registry import Lane
    from rexec.jobs.runner import Runner

log = logging.getLogger(__name__)

RUNNER = "rexec.jobs.runner"
JOB = "rexec.jobs.rq_backend.run"
DEADLINE_S = 1.0
SKIP_AFTER_FAILURE_S = 3.0
KEEPALIVE = {socket.TCP_KEEPIDLE: 30, socket.TCP_KEEPINTVL: 10, socket.TCP_KEEPCNT: 3}
"""A blocking pop is silent for minutes: without this a router on the way forgets it."""
RING_LIVES_S = 900
FAILURE_LIVES_S = 60


def connect(url: str, *, read_timeout_s: float = DEADLINE_S) -> Redis:
    """A client that gives up soon and reports the first failure instead of trying by itself.

    Args:
        url: redis:// or rediss:// address.
        read_timeout_s: Seconds to wait for an answer; more than the longest blocking pop.
    """
    return Redis.from_url(
        url,
        socket_connect_timeout=DEADLINE_S,
        socket_timeout=read_timeout_s,
        socket_keepalive=True,
        socket_keepalive_options=KEEPALIVE,
        retry=Retry(NoBackoff(), 0),
    )


def lane_queue(lane: Lane, connection: Redis) -> Queue:
    """The lane's queue in Redis; JSON, because unpickling what Redis holds would let it run code here."""
    return Queue(f"rexec-{lane}", connection=connection, serializer=JSONSerializer)


def run(operation_id: int) -> None:
    """What RQ's workers call: work an operation, then whatever else waits in the lane.

    Args:
        operation_id: The row's id.
    """
    runner = cast("Runner", current_app.extensions[RUNNER])
    runner.work(operation_id, runner_lane())


_lane = threading.local()


def runner_lane() -> Lane:
    """The lane of the calling worker thread."""
    return cast("Lane", getattr(_lane, "name", "quick"))


def enter_lane(lane: Lane) -> None:
    """Say which lane the calling thread works."""
    _lane.name = lane


class RqBell:
    """Rings through Redis, from a thread of its own, so that a request never waits for Redis.

    After a failure it is silent for a few seconds: rows wait, and the watcher rings for them again.

    Args:
        url: redis:// or rediss:// address.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = connect(url)
        self._rings: queue.SimpleQueue[tuple[int, Lane] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._pid = 0
        self._silent_until = 0.0
        self._failing = False

    def ring(self, operation_id: int, lane: Lane) -> None:
        """Enqueue the operation's id."""
        self._rings.put((operation_id, lane))
        self._ensure_thread()

    def pending(self, lane: Lane) -> int | None:
        """Length of the lane's queue in Redis, or None when Redis does not answer."""
        try:
            return lane_queue(lane, self._connection).count
        except RedisError as error:
            self._failed(error)
            return None

    def close(self, timeout_s: float) -> None:
        """Ring what is still to be rung before the process ends.

        Args:
            timeout_s: Seconds to wait for that.
        """
        if self._thread is not None:
            self._rings.put(None)
            self._thread.join(timeout_s)

    def _ensure_thread(self) -> None:
        # By process: the web server forks after the application was made.
        if self._pid == os.getpid():
            return
        with self._starting:
            if self._pid != os.getpid():
                self._pid = os.getpid()
                self._thread = threading.Thread(target=self._ring_all, name="jobs-bell", daemon=True)
                self._thread.start()

    def _ring_all(self) -> None:
        while (ring := self._rings.get()) is not None:
            if time.monotonic() >= self._silent_until:
                self._enqueue(*ring)

    def _enqueue(self, operation_id: int, lane: Lane) -> None:
        options: dict[str, Any] = {
            "job_timeout": -1,  # the lease and the handler's own deadline bound it
            "result_ttl": 0,
            "ttl": RING_LIVES_S,
            "failure_ttl": FAILURE_LIVES_S,
        }
        try:
            lane_queue(lane, self._connection).enqueue(JOB, operation_id, **options)
        except RedisError as error:
            self._failed(error)
            return
        if self._failing:
            log.info("Redis answers again")
            self._failing = False

    def _failed(self, error: RedisError) -> None:
        self._silent_until = time.monotonic() + SKIP_AFTER_FAILURE_S
        if not self._failing:
            log.warning("Redis does not answer, operations wait: %s", type(error).__name__)
        self._failing = True
