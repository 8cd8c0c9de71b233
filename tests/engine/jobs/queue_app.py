"""An application that is nothing but the queue, and handlers that write down what they do.

Run as a program it is a worker, as `rexec worker` is one.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

from flask import Flask

from rexec import jobs
from rexec.extensions import db, engine_options
from rexec.jobs import keeper, rows, rq_worker
from tests.support.waiting import eventually


def make(database_url, redis_url):
    """The application, for a test or for a worker process."""
    app = Flask("queue")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=database_url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(database_url)
    )
    app.extensions["rexec.settings"] = SimpleNamespace(redis_url=redis_url)
    db.init_app(app)
    jobs.init_app(app)
    return app


class Diary:
    """A folder that handlers and tests share: a file of lines, and a file `go` that lets holders go on."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def write(self, *words):
        """Add a line; lines of several processes do not mix."""
        line = " ".join(str(word) for word in (*words, os.getpid(), time.monotonic())) + "\n"
        handle = os.open(self.folder / "diary", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(handle, line.encode())
        os.close(handle)

    def lines(self, event):
        """(operation id, process id, moment) of each line about an event."""
        path = self.folder / "diary"
        words = [line.split() for line in path.read_text().splitlines()] if path.exists() else []
        return [(int(line[1]), int(line[2]), float(line[3])) for line in words if line[0] == event]

    @property
    def go(self):
        """Holders go on once this file exists."""
        return self.folder / "go"


def declare_handlers(diary):
    """The kinds of work that the tests know."""

    @jobs.handler("test.note")
    def note(context):
        diary.write("begin", context.operation_id)
        diary.write("end", context.operation_id)

    @jobs.handler("test.slow", lane="slow")
    def slow(context):
        diary.write("begin", context.operation_id)

    @jobs.handler("test.moves")
    def moves(context):
        diary.write(context.lane, context.operation_id)
        if context.lane == "quick":
            raise jobs.MoveTo("slow")

    @jobs.handler("test.hold", timeout_s=60)
    def hold(context):
        diary.write("begin", context.operation_id)

        def let_go():
            context.check()
            context.progress({"attempt": context.attempt})
            return diary.go.exists()

        eventually(let_go, 55)
        diary.write("end", context.operation_id)

    @jobs.handler("test.deaf", timeout_s=1)
    def deaf(context):
        diary.write("begin", context.operation_id)
        eventually(diary.go.exists, 55)
        diary.write("late", context.operation_id)
        context.progress({"late": True})


def work(diary_folder, database_url, redis_url):
    """Be a worker until SIGTERM."""
    rows.LEASE_S = float(os.environ["TEST_LEASE_S"])
    keeper.RENEW_S = rows.LEASE_S / 4
    keeper.TICK_S = rows.LEASE_S / 8
    rq_worker.POP_S = int(os.environ["TEST_POP_S"])
    declare_handlers(Diary(diary_folder))
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print("ready", flush=True)  # noqa: T201 - what the test waits for
    jobs.run_worker(make(database_url, redis_url), stop, stop_timeout_s=float(os.environ["TEST_STOP_S"]))


if __name__ == "__main__":
    import logging

    logging.basicConfig(level=logging.INFO, stream=sys.stdout)
    work(*sys.argv[1:])
