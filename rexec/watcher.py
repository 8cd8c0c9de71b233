"""`rexec watcher`: follows the daemon's events and runs the periodic work of every domain.

Periodic work runs in a few threads, so that a Docker host that does not answer delays no sweep of the
operations.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading

from flask import Flask

from rexec.config import Settings
from rexec.stopping import stop_event

log = logging.getLogger("rexec.watcher")

THREADS = 3
TICK_S = 0.5
STOP_WITHIN_S = 5.0


def run_watcher(settings: Settings) -> None:
    """Watch until SIGTERM or SIGINT.

    Args:
        settings: Of the whole service.
    """
    from rexec import create_app

    stop = stop_event()
    app = create_app(settings)
    threads = start_watching(app, stop)
    log.info("watching")
    stop.wait()
    for thread in threads:
        thread.join(STOP_WITHIN_S / len(threads))


def start_watching(app: Flask, stop: threading.Event) -> list[threading.Thread]:
    """Start the threads of the watcher.

    Args:
        app: Gives the context to work in.
        stop: Ends them when set.
    """
    from rexec.containers import reconcile

    name = f"watcher-{os.getpid()}-{secrets.token_hex(4)}"
    threads = [
        threading.Thread(
            target=_run_periodic, args=(app, stop, f"{name}-{number}"), name=f"periodic-{number}"
        )
        for number in range(THREADS)
    ]
    threads.append(threading.Thread(target=reconcile.follow_events, args=(app, stop), name="events"))
    for thread in threads:
        thread.daemon = True
        thread.start()
    return threads


def _run_periodic(app: Flask, stop: threading.Event, holder: str) -> None:
    from rexec.jobs import run_due_periodic

    while not stop.wait(TICK_S):
        with app.app_context():
            run_due_periodic(holder)
