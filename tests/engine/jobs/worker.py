"""A worker process of the queue's tests."""

import os
import sys
from pathlib import Path

from tests.support.processes import Program

ROOT = Path(__file__).resolve().parents[3]


class Worker(Program):
    """`queue_app` as a program.

    Args:
        folder: For its log.
        database_url: Its queue.
        redis_url: Its bell.
        diary: Folder that its handlers write to.
        lease_s: Seconds of a lease: less than the real one, which tests would wait for, and more than a busy
            machine may keep its programs from running.
        stop_s: Seconds that running operations get at the end.
        pop_s: Seconds of one blocking pop.
    """

    def __init__(self, folder, database_url, redis_url, diary, *, lease_s=6.0, stop_s=5.0, pop_s=240):
        super().__init__(folder)
        self.arguments = [str(diary), database_url, redis_url]
        self.options = {"TEST_LEASE_S": str(lease_s), "TEST_STOP_S": str(stop_s), "TEST_POP_S": str(pop_s)}

    def command(self):
        return [sys.executable, "-m", "tests.engine.jobs.queue_app", *self.arguments]

    def environment(self):
        return {**os.environ, **self.options, "PYTHONPATH": str(ROOT)}

    def is_ready(self):
        return "ready" in self.log
