"""`rexec worker`: runs the operations that RQ rings for."""

from __future__ import annotations

import signal
import threading

from rexec.config import Settings

STOP_WITHIN_S = 7.0
"""The supervisor waits nine seconds; what has not finished by then is given back first."""


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT.

    Args:
        settings: Of the whole service; REDIS_URL is set.
    """
    from rexec import create_app, jobs

    app = create_app(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    jobs.run_worker(app, stop, stop_timeout_s=STOP_WITHIN_S)
