"""The watcher's last report."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from rexec.extensions import Model, UtcDateTime


class HealthReport(Model):
    """What the watcher last saw; a single row."""

    __tablename__ = "health_reports"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    checked_at: Mapped[datetime] = mapped_column(UtcDateTime)
    report: Mapped[dict[str, Any]] = mapped_column(JSON)
