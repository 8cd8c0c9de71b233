"""Operations, which are the queue, and leases, which say who acts alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from rexec.extensions import Model, UtcDateTime, utcnow


class Operation(Model):
    """A piece of work on one subject; claimed by a conditional update, held under a lease meanwhile."""

    __tablename__ = "operations"
    __table_args__ = (
        Index(
            "uq_operations_subject_working",
            "subject",
            unique=True,
            sqlite_where=text("state = 'working'"),
            postgresql_where=text("state = 'working'"),
        ),
        Index("ix_operations_state_not_before", "state", "not_before"),
        Index("ix_operations_subject_state", "subject", "state"),
        Index(
            "ix_operations_uncounted",
            "state",
            sqlite_where=text("counted_at IS NULL"),
            postgresql_where=text("counted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(64))
    """What it works on, as `container:12`; one operation at a time works on a subject."""
    lane: Mapped[str] = mapped_column(String(8), default="quick")
    state: Mapped[str] = mapped_column(String(16), default="queued")
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=3)
    not_before: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    woken_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    lease_holder: Mapped[str | None] = mapped_column(String(80))
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    progress: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    counted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When its end was added to the figures of `/metrics`."""


class Lease(Model):
    """Who may act alone until when, under one name."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(80))
    until: Mapped[datetime] = mapped_column(UtcDateTime)
