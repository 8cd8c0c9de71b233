"""`rexec worker`: runs the operations that RQ rings for."""

from __future__ import annotations

from rexec.config import Settings
from rexec.stopping import stop_event

STOP_WITHIN_S = 7.0
"""The supervisor waits nine seconds; what has not finished by then is given back first."""


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT.

    Args:
        settings: Of the whole service; REDIS_URL is set.
    """
    from rexec import create_app, jobs

    stop = stop_event()
    app = create_app(settings)
    jobs.run_worker(app, stop, stop_timeout_s=STOP_WITHIN_S)
