"""What the watcher does for the queue: take back what dead processes hold, ring again, forget what is old."""

from __future__ import annotations

import itertools
import logging
from datetime import timedelta

from sqlalchemy import delete

from rexec.errors import RexecError
from rexec.extensions import db, utcnow
from rexec.jobs import registry, rows
from rexec.jobs.backends import bell
from rexec.jobs.models import Lease, Operation
from rexec.jobs.outcome import fail
from rexec.jobs.registry import LANES, THREADS
from rexec.jobs.runner import process_name
from rexec.jobs.schedule import periodic

log = logging.getLogger(__name__)

SWEEP_S = 5.0
UNWOKEN_S = 10.0
KEEP_FINISHED = timedelta(days=7)
KEEP_LEASE = timedelta(days=1)


class Interrupted(RexecError):
    """The process that worked on it died, more often than the operation has attempts."""

    code = "interrupted"
    message = "The work was interrupted and did not finish."
    hint = "Try again."


@periodic("jobs.sweep", every_s=SWEEP_S)
def sweep() -> None:
    """Requeue or fail operations whose lease ran out, and ring again for those that nobody heard of."""
    _requeue_expired()
    _fail_exhausted()
    _ring_again()


def _requeue_expired() -> None:
    for row in rows.queue_expired():
        log.warning("operation %d was left by a process that is gone: queued again", row.operation_id)
        bell().ring(row.operation_id, row.lane)


def _fail_exhausted() -> None:
    for operation_id in rows.exhausted():
        claimed = rows.take_over(operation_id, process_name())
        if claimed is not None:
            log.error("operation %d was interrupted for the last time", operation_id)
            fail(registry.find(claimed.kind), claimed, Interrupted(), bell())


def _ring_again() -> None:
    for lane in LANES:
        waiting = rows.unwoken(lane, UNWOKEN_S)
        # Unanswered rings mean busy workers, and a worker looks for more by itself when it is done.
        if not waiting or bell().pending(lane) != 0:
            continue
        # A process that hangs still takes one ring for each of its threads: one more reaches another process.
        for row in itertools.islice(itertools.cycle(waiting), THREADS[lane] + 1):
            bell().ring(row.operation_id, row.lane)
        rows.note_woken([row.operation_id for row in waiting])


@periodic("jobs.prune", every_s=3600)
def prune() -> None:
    """Delete operations that ended a week ago, and leases that nobody wanted for a day."""
    with db.engine.begin() as connection:
        connection.execute(delete(Operation).where(Operation.finished_at < utcnow() - KEEP_FINISHED))
        connection.execute(delete(Lease).where(Lease.until < utcnow() - KEEP_LEASE))
