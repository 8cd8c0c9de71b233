"""The worker process: several of RQ's simple workers in threads, for a fraction of a process each."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import DequeueTimeout
from rq.serializers import JSONSerializer
from rq.timeouts import BaseDeathPenalty

from rexec.jobs.liveness import BEAT_S, say_alive
from rexec.jobs.registry import LANES, THREADS
from rexec.jobs.rq_backend import RUNNER, connect, enter_lane, lane_queue
from rexec.jobs.runner import Runner

if TYPE_CHECKING:
    from flask import Flask
    from redis import Redis
    from rq import Queue
    from rq.job import Job

    from rexec.jobs.registry import Lane
    from rexec.jobs.rq_backend import RqBell

log = logging.getLogger(__name__)

POP_S = 280
"""Long, as hosted Redis is paid by the command; less than the five minutes after which some close it."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
LAST_RINGS_S = 1.0


class NoDeathPenalty(BaseDeathPenalty):
    """RQ's timeouts are signals or exceptions from outside; ours are leases and deadlines."""

    def setup_death_penalty(self) -> None:
        """Nothing to set up."""

    def cancel_death_penalty(self) -> None:
        """Nothing to cancel."""


class LaneWorker(SimpleWorker):
    """RQ's worker without what a thread cannot have (signals) and what would chatter while idle."""

    death_penalty_class = NoDeathPenalty
    log_result_lifespan = False

    def __init__(self, lane: Lane, app: Flask, connection: Redis) -> None:
        super().__init__(
            [lane_queue(lane, connection)],
            connection=connection,
            serializer=JSONSerializer,
            worker_ttl=POP_S + 15,
            log_job_description=False,
        )
        self.app = app
        self.client_id: int = connection.client_id()

    def serve(self, stopping: threading.Event) -> None:
        """Pop and run until told to stop.

        Args:
            stopping: Set when nothing more is to be popped.

        Raises:
            RedisError: Redis is gone; make a new worker when it is back.
        """
        self.register_birth()
        while not stopping.is_set():
            if self.should_run_maintenance_tasks:
                self.run_maintenance_tasks()
            try:
                popped = self.queue_class.dequeue_any(
                    self.queues,
                    POP_S,
                    connection=self.connection,
                    job_class=self.job_class,
                    serializer=self.serializer,
                    death_penalty_class=self.death_penalty_class,
                )
            except DequeueTimeout:
                self.heartbeat()
                continue
            if popped is not None:
                self.execute_job(*popped)

    def perform_job(self, job: Job, queue: Queue, execution: Any) -> bool:
        """Run a job in the application's context."""
        with self.app.app_context():
            return bool(super().perform_job(job, queue, execution))

    def procline(self, message: str) -> None:
        """One process, many workers: its title stays."""


class RqWorkers:
    """The threads of a worker process.

    Args:
        app: The application whose operations are run.
        bell: Rings for what follows from an operation.
    """

    def __init__(self, app: Flask, bell: RqBell) -> None:
        self.app = app
        self.bell = bell
        self.runner = Runner(app, bell)
        app.extensions[RUNNER] = self.runner
        self._workers: dict[str, LaneWorker] = {}
        self._failing = threading.Event()

    def run(self, stopping: threading.Event, stop_timeout_s: float) -> None:
        """Start the threads, say every 10 s that the worker lives, stop when told.

        Args:
            stopping: Set when the process shall end.
            stop_timeout_s: Seconds that running operations get then.
        """
        # RQ's worker reports each job and each lost connection; here they are said once, in our words.
        logging.getLogger("rq.worker").setLevel(logging.CRITICAL)
        for lane in LANES:
            for number in range(THREADS[lane]):
                name = f"jobs-{lane}-{number}"
                threading.Thread(target=self._serve, args=(lane, name), name=name, daemon=True).start()
        while True:
            say_alive(self.runner)
            if stopping.wait(BEAT_S):
                break
        log.info("the worker is stopping")
        self.runner.stopping.set()
        self._hang_up()
        self.runner.stop(stop_timeout_s)
        self.bell.close(LAST_RINGS_S)

    def _serve(self, lane: Lane, name: str) -> None:
        enter_lane(lane)
        connection = connect(self.bell.url, read_timeout_s=POP_S + 10)
        pause_s = FIRST_PAUSE_S
        stopping = self.runner.stopping
        while not stopping.is_set():
            try:
                self._workers[name] = worker = LaneWorker(lane, self.app, connection)
                if self._failing.is_set():
                    self._failing.clear()
                    log.info("Redis answers again")
                pause_s = FIRST_PAUSE_S
                # Rings from before this connection are lost: nobody heard them.
                self.runner.work_waiting(lane)
                worker.serve(stopping)
            except RedisError as error:
                self._complain(error)
            except Exception:
                # A thread that ended would be missed for as long as the process lives.
                log.exception("%s begins anew", name)
            stopping.wait(pause_s)
            pause_s = min(pause_s * 2, LONGEST_PAUSE_S)

    def _complain(self, error: RedisError) -> None:
        if not self._failing.is_set() and not self.runner.stopping.is_set():
            self._failing.set()
            log.warning("Redis does not answer, the worker waits for it: %s", type(error).__name__)

    def _hang_up(self) -> None:
        """End the blocking pops: a ring that one took now would be lost until the watcher rings again."""
        try:
            with connect(self.bell.url) as connection:
                for worker in list(self._workers.values()):
                    connection.client_unblock(worker.client_id)
        except RedisError as error:
            log.debug("the pops end with the process: %s", type(error).__name__)
