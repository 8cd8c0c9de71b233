"""The two ways Rexec is deployed: PostgreSQL with Redis and RQ, or SQLite with jobs in the web process."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
from abc import ABC, abstractmethod
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.services import PgBouncer, Postgres, Redis
from tests.support.settings import SECRET, make_settings

POSTGRES = "postgres-redis-rq"
SQLITE = "sqlite-inprocess"

on_postgres = pytest.mark.parametrize("stack", [POSTGRES], indirect=True)
"""Marks a test whose subject exists only with PostgreSQL and Redis."""

on_sqlite = pytest.mark.parametrize("stack", [SQLITE], indirect=True)
"""Marks a test whose subject exists only with SQLite and jobs in the web process."""


def migrate(database_url: str) -> None:
    """Bring a database to the newest schema, as `rexec serve` does."""
    from rexec import create_app
    from rexec.extensions import db
    from rexec.supervisor import migrate as upgrade

    app = create_app(make_settings(database_url=database_url))
    with app.app_context():
        upgrade(within_s=10)
        db.engine.dispose()


class Stack(ABC):
    """Hands out fresh, migrated databases, and the environment of a server on them."""

    name: str

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._numbers = itertools.count(1)

    @abstractmethod
    def new_database(self) -> str:
        """Make a migrated database that nobody else uses; returns the DATABASE_URL."""

    @abstractmethod
    def drop_database(self, url: str) -> None:
        """Throw away a database that `new_database` made, open connections or not."""

    def redis_url(self) -> str | None:
        """REDIS_URL of an empty Redis database, or None where this stack has no Redis."""
        return None

    def server_environment(self, database_url: str) -> dict[str, str]:
        """What `rexec serve` needs in its environment.

        One proxy hop is trusted, so that each person of a test can come from an address of its own.
        """
        redis_url = self.redis_url()
        return {
            **self.engine.environment(),
            "DATABASE_URL": database_url,
            "JWT_SECRET": SECRET,
            "TRUSTED_PROXY_HOPS": "1",
            **({"REDIS_URL": redis_url} if redis_url else {}),
        }


class PostgresStack(Stack):
    """PostgreSQL behind PgBouncer in transaction mode, Redis, RQ."""

    name = POSTGRES
    # Database 0 is left for tests that look at Redis themselves.
    redis_numbers = range(1, 16)

    def __init__(self, engine: Engine, postgres: Postgres, pgbouncer: PgBouncer, redis: Redis) -> None:
        super().__init__(engine)
        self.postgres, self.pgbouncer, self.redis = postgres, pgbouncer, redis
        self._redis_numbers = itertools.cycle(self.redis_numbers)
        self.postgres.execute("CREATE DATABASE template_rexec")
        migrate(self.postgres.url("template_rexec"))

    def new_database(self) -> str:
        """Copy the migrated template; the address leads through PgBouncer."""
        name = f"test_{next(self._numbers)}"
        self.postgres.execute(f"CREATE DATABASE {name} TEMPLATE template_rexec")
        return self.pgbouncer.url(name)

    def drop_database(self, url: str) -> None:
        """Drop it with its connections."""
        self.postgres.execute(f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def redis_url(self) -> str:
        """The next of fifteen databases, emptied."""
        number = next(self._redis_numbers)
        self.redis.flush(number)
        return self.redis.url(number)


class SqliteStack(Stack):
    """SQLite files, jobs in the web process."""

    name = SQLITE

    def __init__(self, engine: Engine, folder: Path) -> None:
        super().__init__(engine)
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.template = folder / "template.sqlite3"
        migrate(f"sqlite:///{self.template}")
        with closing(sqlite3.connect(self.template)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def new_database(self) -> str:
        """Copy the migrated template file."""
        path = self.folder / f"test_{next(self._numbers)}.sqlite3"
        shutil.copyfile(self.template, path)
        return f"sqlite:///{path}"

    def drop_database(self, url: str) -> None:
        """Remove the file and what write-ahead logging put beside it."""
        path = Path(url.removeprefix("sqlite:///"))
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
