"""Containers as Rexec knows them, and what was last seen of the Docker host."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from rexec.extensions import Model, UtcDateTime, utcnow


class Container(Model):
    """One person's container; `status` moves only by the conditional updates of `states`."""

    __tablename__ = "containers"
    __table_args__ = (
        UniqueConstraint("owner_id", "name", name="uq_containers_owner_id_name"),
        Index("ix_containers_owner_id_id", "owner_id", "id"),
        Index("ix_containers_network", "network"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(16), unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(64))
    image: Mapped[str] = mapped_column(String(64))
    """Key in the catalogue."""
    image_reference: Mapped[str] = mapped_column(String(255))
    shell: Mapped[str] = mapped_column(String(255))
    status: Mapped[str] = mapped_column(String(16), default="queued", index=True)
    docker_id: Mapped[str | None] = mapped_column(String(64))
    network: Mapped[str | None] = mapped_column(String(64))
    memory_mb: Mapped[int]
    cpu_millis: Mapped[int]
    """Thousandths of a processor."""
    pids: Mapped[int]
    disk_mb: Mapped[int | None] = mapped_column(BigInteger)
    keep: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Chosen to stay where the plan has not room for all; see `excess`."""
    suspended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Since when it may not start, because the plan has no room for it; None where it may."""
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    error_hint: Mapped[str | None] = mapped_column(Text)
    timings: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Seconds that each stage of the last launch took."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    status_changed_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    stopped_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_activity_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Excess(Model):
    """A person who has more containers than the plan has room for."""

    __tablename__ = "excesses"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    room: Mapped[int]
    """For how many the plan had room when the grace began; less than that begins another."""
    since: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class HostState(Model):
    """What was last seen of the Docker host, and the identity that marks our objects; a single row."""

    __tablename__ = "host_state"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    deployment: Mapped[str] = mapped_column(String(36))
    reachable: Mapped[bool | None]
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_ok_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    server_version: Mapped[str | None] = mapped_column(String(64))
    images: Mapped[dict[str, int] | None] = mapped_column(JSON)
    """Reference -> bytes on disk; nothing while unknown."""
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """Settings of the daemon that matter to us."""
