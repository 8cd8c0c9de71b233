"""Extensions, unbound until `create_app` binds them, and the column type every table shares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from flask import current_app
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect
from sqlalchemy import DateTime, Dialect, Engine, MetaData, event
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

from rexec.config import Settings


def utcnow() -> datetime:
    """The time now, aware of being UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, always aware and in UTC, on databases that forget the zone too (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive moment: nobody could say which one it is."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Model(DeclarativeBase):
    """Base of every table; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Model, disable_autonaming=True)
migrate = Migrate(compare_type=True, render_as_batch=True)
login_manager = LoginManager()
csrf = CSRFProtect()
limiter = Limiter(key_func=get_remote_address)


def settings() -> Settings:
    """The settings of the current app."""
    return cast("Settings", current_app.extensions["rexec.settings"])


def engine_options(database_url: str) -> dict[str, Any]:
    """How to connect: deadlines everywhere, and nothing that PgBouncer's transaction mode breaks.

    Args:
        database_url: SQLAlchemy address.

    `prepare_threshold=None`: psycopg's prepared statements outlive the transaction that PgBouncer pins.
    `hide_parameters`: errors are logged, and among a statement's values are hashes of passwords.
    """
    if database_url.startswith("sqlite"):
        return {"hide_parameters": True, "connect_args": {"timeout": 10}}
    return {
        "hide_parameters": True,
        "pool_pre_ping": True,
        "pool_size": 8,
        "max_overflow": 24,
        "pool_timeout": 5,
        "pool_recycle": 600,
        "connect_args": {
            "prepare_threshold": None,
            "connect_timeout": 3,
            "keepalives_idle": 30,
            "tcp_user_timeout": 10_000,
        },
    }


def prepare(engine: Engine) -> None:
    """Have an engine's connections made as ours are: with deadlines, and SQLite's with what it forgets."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        return
    # psycopg is a large import that SQLite does not need.
    from rexec import postgres

    event.listen(engine, "do_connect", postgres.connect)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    """Give an SQLite connection write-ahead logging and foreign keys, which it forgets by default."""
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()
