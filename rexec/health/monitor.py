"""The web process's part: a thread puts together what `/health` answers, so that no request asks anybody."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import select

from rexec.extensions import db, utcnow
from rexec.health.models import HealthReport
from rexec.health.probes import Probe, off
from rexec.health.rounds import Rounds
from rexec.health.verdict import Seen, http_status, put_together, unknown

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask

    from rexec.config import Settings

LOOK_EVERY_S = 2.0
REDIS_EVERY_S = 30.0
DATABASE_DEADLINE_S = 2.0
REDIS_DEADLINE_S = 1.5
STALE_S = 20.0
BLIND = "web: this process has not looked lately"
EXTENSION = "rexec.health.monitor"


@dataclass(frozen=True)
class Reply:
    """An answer, ready to be sent.

    Args:
        data: JSON.
        status: Of HTTP.
        taken_at: When its facts were gathered, on the monotonic clock, in seconds.
    """

    data: bytes
    status: int
    taken_at: float

    @property
    def age_s(self) -> int:
        """Whole seconds since then."""
        return int(time.monotonic() - self.taken_at)


@dataclass(frozen=True)
class Snapshot:
    """What `/health` answers until the next look.

    Args:
        body: The JSON object.
        taken_at: On the monotonic clock, in seconds.
    """

    body: dict[str, Any]
    taken_at: float

    @cached_property
    def reply(self) -> Reply:
        """What is sent, made once and not for each who asks."""
        return Reply(json.dumps(self.body).encode() + b"\n", http_status(self.body), self.taken_at)


class Monitor:
    """Looks every 2 s, in a thread of its own.

    Args:
        app: Its context is pushed for each look at the database.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.snapshot: Snapshot | None = None
        self._started_at = utcnow()
        self._stopping = threading.Event()
        self._report: tuple[datetime, dict[str, Any]] | None = None
        self._database = Probe("database", self._ask_database, DATABASE_DEADLINE_S)
        self._redis = _redis_probe(cast("Settings", app.extensions["rexec.settings"]).redis_url)
        self._redis_seen = off()
        self.rounds = Rounds(app, lambda: self.snapshot.body if self.snapshot else None)
        self._redis_at = -REDIS_EVERY_S

    def start(self) -> None:
        """Start the thread, and the one for what may take longer."""
        threading.Thread(target=self._run, name="health", daemon=True).start()
        self.rounds.start()

    def stop(self) -> None:
        """End the threads at their next turn."""
        self._stopping.set()
        self.rounds.stop()

    def look(self) -> None:
        """Ask everything once and keep the result."""
        database = self._database.check()
        seen = Seen(
            database=database,
            redis=self._look_at_redis(),
            report=self._report,
            now=utcnow(),
            started_at=self._started_at,
        )
        self.snapshot = Snapshot(put_together(seen), time.monotonic())

    def _run(self) -> None:
        while True:
            self.look()
            if self._stopping.wait(LOOK_EVERY_S):
                return

    def _ask_database(self) -> dict[str, Any]:
        query = select(HealthReport.checked_at, HealthReport.report)
        with self.app.app_context(), db.engine.connect() as connection:
            row = connection.execute(query).first()
        self._report = (row.checked_at, row.report) if row else None
        return {}

    def _look_at_redis(self) -> dict[str, Any]:
        """Ping seldom while it answers: hosted Redis bills each command."""
        if self._redis is None:
            return self._redis_seen
        due = time.monotonic() - self._redis_at >= REDIS_EVERY_S
        if due or self._redis.failures:
            self._redis_at = time.monotonic()
            self._redis_seen = self._redis.check()
        return self._redis_seen


def _redis_probe(url: str | None) -> Probe | None:
    if url is None:
        return None
    client = Redis.from_url(
        url,
        socket_connect_timeout=REDIS_DEADLINE_S / 2,
        socket_timeout=REDIS_DEADLINE_S / 2,
        retry=Retry(NoBackoff(), 0),
    )

    def ask() -> dict[str, Any]:
        client.ping()
        return {}

    return Probe("redis", ask, REDIS_DEADLINE_S)


def start(app: Flask) -> None:
    """Begin to fill `/health`; called once in each web process, after it was forked."""
    monitor = Monitor(app)
    app.extensions[EXTENSION] = monitor
    monitor.start()


def stop(app: Flask) -> None:
    """Stop looking."""
    monitor = of(app)
    if monitor is not None:
        monitor.stop()


def work_waits(app: Flask) -> bool:
    """Say whether what people ask for now is kept and begins later, as far as the last look knows.

    Args:
        app: The application of this process.
    """
    monitor = of(app)
    checks = monitor.snapshot.body["checks"] if monitor and monitor.snapshot else {}
    redis, worker = checks.get("redis", {}), checks.get("worker", {})
    return redis.get("status") in {"warning", "down"} or worker.get("status") == "down"


def of(app: Flask) -> Monitor | None:
    """Whoever looks in this process.

    Args:
        app: The application of this process.
    """
    return cast("Monitor | None", app.extensions.get(EXTENSION))


def last(app: Flask) -> Snapshot:
    """The last look of this process; down where that is too long ago, or never was.

    Args:
        app: The application of this process.
    """
    monitor = of(app)
    snapshot = monitor.snapshot if monitor else None
    now = time.monotonic()
    if snapshot is None:
        return Snapshot(unknown(utcnow()), now)
    if now - snapshot.taken_at <= STALE_S:
        return snapshot
    body = {**snapshot.body, "status": "down", "warnings": [*snapshot.body["warnings"], BLIND]}
    return Snapshot(body, snapshot.taken_at)
