"""Looks at the database and Redis, and at what our own processes wrote there."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import redis
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import NullPool, create_engine, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from rexec.doctor.checks import Finding, blocked, failed, ok, skipped, warning
from rexec.doctor.errors import Unwell
from rexec.extensions import engine_options, prepare
from rexec.health.models import HealthReport
from rexec.health.verdict import GONE_S
from rexec.jobs.liveness import LEASE
from rexec.jobs.models import Lease

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from rexec.doctor.deployment import Deployment

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
REDIS_S = 2.5

_DATABASE_SAYS = (
    (("password authentication failed", "no pg_hba.conf entry", "login failed"), "database_login"),
    (("role", "no password supplied"), "database_login"),
    (("does not exist", "no such database"), "database_unknown"),
    (("resolve host", "name or service not known", "translate host"), "database_dns"),
    (("connection refused",), "database_refused"),
    (("timeout",), "database_timeout"),
    (("ssl", "tls"), "database_tls"),
)
_REDIS_SAYS = (
    (("name or service not known", "name resolution", "nodename"), "redis_dns"),
    (("refused",), "redis_refused"),
    (("wrongpass", "noauth", "invalid username", "invalid password", "authentication"), "redis_login"),
    (("ssl", "certificate", "closed by server"), "redis_tls"),
    (("timeout", "timed out"), "redis_timeout"),
)


def database(deployment: Deployment) -> Finding:
    """Whether the database runs queries."""
    if deployment.reading.wrong("DATABASE_URL"):
        return blocked("settings")
    url = make_url(deployment.settings.database_url)
    if url.get_backend_name() == "sqlite":
        if url.database and not Path(url.database).exists():
            return failed(Unwell("database_not_made"))
        with _connection(deployment):
            return ok("An SQLite file on this machine.")
    with _connection(deployment) as connection:
        number = str(connection.scalar(text("SHOW server_version"))).split()[0]
    return ok(f"PostgreSQL {number} answers.")


@contextmanager
def _connection(deployment: Deployment) -> Iterator[Connection]:
    """A connection of its own, which has run a query.

    Raises:
        Unwell: By cause.
    """
    url = deployment.settings.database_url
    engine = create_engine(url, poolclass=NullPool, connect_args=engine_options(url)["connect_args"])
    prepare(engine)
    try:
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            yield connection
    except SQLAlchemyError as error:
        raise database_fault(error) from error
    finally:
        engine.dispose()


def database_fault(error: SQLAlchemyError) -> Unwell:
    """What a database's refusal means; its own words may hold addresses, so they are not passed on."""
    said = str(getattr(error, "orig", error)).lower()
    code = next((code for words, code in _DATABASE_SAYS if any(word in said for word in words)), None)
    return Unwell(code or "database_error")


def migrations(deployment: Deployment) -> Finding:
    """Whether the tables are those that this Rexec knows."""
    script = ScriptDirectory(str(MIGRATIONS))
    with _connection(deployment) as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    return tables(present, [revision.revision for revision in script.walk_revisions()])


def tables(present: str | None, known: list[str]) -> Finding:
    """What the revision of a database means.

    Args:
        present: Its revision; None where it has no tables.
        known: The revisions that this Rexec knows, the newest first.
    """
    if present is None:
        return failed(Unwell("migrations_missing"))
    if present not in known:
        return warning("The tables are of a newer Rexec than this one.", "Deploy the newer one here too.")
    if present != known[0]:
        return failed(Unwell("migrations_behind"))
    return ok(f"The tables are at {present}, the newest.")


def worker(deployment: Deployment) -> Finding:
    """Whether somebody runs operations."""
    with _connection(deployment) as connection:
        until = connection.scalar(select(Lease.until).where(Lease.name == LEASE))
    if until is None or until <= datetime.now(UTC):
        return failed(Unwell("worker_gone", _ago("worker", until)))
    return ok("A worker runs operations.")


def watcher(deployment: Deployment) -> Finding:
    """Whether somebody watches the Docker host and writes the report behind `/health`."""
    with _connection(deployment) as connection:
        written = connection.scalar(select(HealthReport.checked_at))
    if written is None or datetime.now(UTC) - written > timedelta(seconds=GONE_S):
        return failed(Unwell("watcher_gone", _ago("watcher", written)))
    return ok("A watcher reports.")


def _ago(what: str, moment: datetime | None) -> str:
    if moment is None:
        return f"No {what} has ever been heard of."
    return f"No {what} has been heard of since {moment:%Y-%m-%d %H:%M:%S} UTC."


def ask_redis(deployment: Deployment) -> Finding:
    """Whether Redis answers."""
    if deployment.reading.wrong("REDIS_URL"):
        return blocked("settings")
    url = deployment.settings.redis_url
    if url is None:
        return skipped("REDIS_URL is not set: jobs run in the web process.")
    try:
        with redis.Redis.from_url(
            url, socket_connect_timeout=REDIS_S, socket_timeout=REDIS_S, retry=Retry(NoBackoff(), 0)
        ) as client:
            client.ping()
    except (redis.RedisError, OSError) as error:
        return failed(redis_fault(error))
    return ok("Redis answers.")


def redis_fault(error: Exception) -> Unwell:
    """What a failure of Redis means."""
    said = f"{type(error).__name__} {error}".lower()
    code = next((code for words, code in _REDIS_SAYS if any(word in said for word in words)), None)
    return Unwell(code or "redis_error")
