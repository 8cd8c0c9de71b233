"""Whoever runs operations says so in a row, because a watcher elsewhere has no other way to see it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from rexec.extensions import utcnow
from rexec.jobs.leases import beat, lease_until

if TYPE_CHECKING:
    from rexec.jobs.runner import Runner

log = logging.getLogger(__name__)

BEAT_S = 10.0
BEAT_LASTS_S = 25.0
LEASE = "worker"


def say_alive(runner: Runner) -> None:
    """Say that operations are run here; to be called every `BEAT_S` seconds.

    Args:
        runner: Who runs them.
    """
    try:
        with runner.app.app_context():
            beat(LEASE, runner.name, BEAT_LASTS_S)
    except SQLAlchemyError as error:
        log.debug("cannot say that operations are run here: %s", type(error).__name__)


def somebody_works() -> bool:
    """Whether anybody who runs operations was alive lately."""
    until = lease_until(LEASE)
    return until is not None and until > utcnow()
