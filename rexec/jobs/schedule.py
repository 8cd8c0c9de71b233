"""Work that comes round: declared beside its domain, run by whichever watcher is first when it is due."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from rexec.extensions import db, utcnow
from rexec.jobs.leases import lease_until, take
from rexec.jobs.models import Lease

log = logging.getLogger(__name__)

RUN_AT_MOST_S = 30.0
"""A run that takes longer may begin elsewhere too; one whose process was killed is missed for so long."""
PREFIX = "every:"

Periodic = Callable[[], Any]


@dataclass
class Entry:
    """One declared piece of periodic work, and when this process should look at its row again."""

    name: str
    every_s: float
    work: Periodic
    look_at: float = 0.0
    running: threading.Lock = field(default_factory=threading.Lock)


_entries: dict[str, Entry] = {}


def periodic(name: str, every_s: float) -> Callable[[Periodic], Periodic]:
    """Declare a function that is run again and again, by one process at a time, in an application context.

    Args:
        name: Unique; the name of its lease row.
        every_s: Seconds between two starts.
    """

    def register(work: Periodic) -> Periodic:
        if name in _entries and _entries[name].work.__qualname__ != work.__qualname__:
            raise ValueError(f"{name} is declared already")
        _entries[name] = Entry(name, every_s, work)
        return work

    return register


def run_due_periodic(holder: str) -> None:
    """Run what is due and nobody else runs; a failure is logged and waits for the next turn.

    Several threads may call it side by side, so that a slow piece of work delays no other.

    Args:
        holder: Who runs it, for the lease row; unique for the calling thread.
    """
    for entry in list(_entries.values()):
        if time.monotonic() < entry.look_at or not entry.running.acquire(blocking=False):
            continue
        try:
            _run_if_due(entry, holder)
        except SQLAlchemyError as error:
            log.warning("periodic %s cannot be leased: %s", entry.name, type(error).__name__)
            entry.look_at = time.monotonic() + min(entry.every_s, 5.0)
        finally:
            entry.running.release()


def _run_if_due(entry: Entry, holder: str) -> None:
    started = time.monotonic()
    if started < entry.look_at:
        return
    name = PREFIX + entry.name
    # Held for longer than its period while it runs: a slow run must not overlap with the next one elsewhere.
    if not take(name, holder, max(entry.every_s, RUN_AT_MOST_S), Lease.until <= utcnow()):
        ends = lease_until(name)
        wait_s = (ends - utcnow()).total_seconds() if ends else 0.0
        entry.look_at = started + min(max(wait_s, 0.2), entry.every_s)
        return
    try:
        entry.work()
    except Exception:
        log.exception("periodic %s failed", entry.name)
        db.session.rollback()
    finally:
        entry.look_at = started + entry.every_s
        left_s = max(0.0, entry.look_at - time.monotonic())
        take(name, holder, left_s, Lease.holder == holder)
