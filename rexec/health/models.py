"""The watcher's last report, who was told of what, and what was counted so far."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.orm import Mapped, mapped_column

from rexec.extensions import Model, UtcDateTime


class HealthReport(Model):
    """What the watcher last saw; a single row."""

    __tablename__ = "health_reports"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    report: Mapped[dict[str, Any]] = mapped_column(JSON)


class Alert(Model):
    """When the operator was last told that something is as it is; whoever moves `told_at` on tells."""

    __tablename__ = "alerts"

    subject: Mapped[str] = mapped_column(String(32), primary_key=True)
    level: Mapped[str] = mapped_column(String(16), primary_key=True)
    told_at: Mapped[datetime] = mapped_column(UtcDateTime)


class MetricTotals(Model):
    """Operations that ended, counted since the beginning; a single row."""

    __tablename__ = "metric_totals"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    version: Mapped[int]
    """Goes up with each writing: who read an older one has lost."""
    totals: Mapped[dict[str, Any]] = mapped_column(JSON)
