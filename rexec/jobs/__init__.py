"""Slow work outside requests: operation rows are the queue, RQ or an in-process runner only rings the bell.

A domain declares its work with `handler` and its schedule with `periodic`; a service adds an operation in its
own transaction with `add` and rings with `wake` after the commit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rexec.jobs.backends import run_worker, start_in_process, stop, wake
from rexec.jobs.context import Cancelled, JobTimeout, LeaseLost, MoveTo, OperationContext
from rexec.jobs.leases import lease, release_lease
from rexec.jobs.liveness import somebody_works
from rexec.jobs.registry import handler
from rexec.jobs.schedule import periodic, run_due_periodic
from rexec.jobs.service import active, add, add_once, request_cancel
from rexec.jobs.sweep import sweep

if TYPE_CHECKING:
    from flask import Flask

__all__ = [
    "Cancelled",
    "JobTimeout",
    "LeaseLost",
    "MoveTo",
    "OperationContext",
    "active",
    "add",
    "add_once",
    "handler",
    "init_app",
    "lease",
    "periodic",
    "release_lease",
    "request_cancel",
    "run_due_periodic",
    "run_worker",
    "somebody_works",
    "start_in_process",
    "stop",
    "sweep",
    "wake",
]


def init_app(app: Flask) -> None:
    """Give the application its bell: RQ where REDIS_URL is set, else the runner of this process."""
    from rexec.jobs.backends import install

    install(app)
