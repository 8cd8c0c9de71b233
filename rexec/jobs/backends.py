"""Which bell an application rings, and the runners of this process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, cast

from flask import current_app

from rexec.jobs.in_process import InProcessRunner, PolledBell
from rexec.jobs.service import waiting

if TYPE_CHECKING:
    from flask import Flask

    from rexec.config import Settings
    from rexec.jobs.models import Operation
    from rexec.jobs.runner import Bell

EXTENSION = "rexec.jobs.bell"

_running: list[InProcessRunner] = []


def install(app: Flask) -> None:
    """Give the application its bell."""
    redis_url = cast("Settings", app.extensions["rexec.settings"]).redis_url
    if redis_url is None:
        app.extensions[EXTENSION] = PolledBell()
        return
    # RQ is imported only where it is used: it weighs some megabytes.
    from rexec.jobs.rq_backend import RqBell

    app.extensions[EXTENSION] = RqBell(redis_url)


def bell() -> Bell:
    """The bell of the current application."""
    return cast("Bell", current_app.extensions[EXTENSION])


def wake(*operations: Operation) -> None:
    """Ring for operations, after the commit that added them; never raises, never waits.

    Args:
        operations: What `add` or `add_once` gave.
    """
    for operation in operations:
        known = waiting(operation)
        bell().ring(known.operation_id, known.lane)


def start_in_process(app: Flask) -> None:
    """Run operations in this process, unless workers of RQ do it.

    Args:
        app: The application whose operations are run.
    """
    if not isinstance(app.extensions[EXTENSION], PolledBell):
        return
    runner = InProcessRunner(app)
    app.extensions[EXTENSION] = runner
    _running.append(runner)
    runner.start()


def stop(timeout_s: float) -> None:
    """Stop the runners of this process: claim nothing more, finish what can be, give the rest back.

    Args:
        timeout_s: Seconds that running operations get.
    """
    while _running:
        _running.pop().stop(timeout_s)


def run_worker(app: Flask, stopping: threading.Event, *, stop_timeout_s: float = 8.0) -> None:
    """Work the operations that RQ rings for, until told to stop; survives Redis being down at any time.

    Args:
        app: The application whose operations are run.
        stopping: Set by the caller's signal handler.
        stop_timeout_s: Seconds that running operations get after that.

    Needs REDIS_URL: without it operations run in the web process.
    """
    from rexec.jobs.rq_worker import RqWorkers

    RqWorkers(app, app.extensions[EXTENSION]).run(stopping, stop_timeout_s)
