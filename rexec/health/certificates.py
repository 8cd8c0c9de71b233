"""How long the certificates last, and how loudly to say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rexec.health.probes import stamp

WARNING_DAYS = 30
URGENT_DAYS = 14
CRITICAL_DAYS = 3


@dataclass(frozen=True)
class Expiry:
    """When one certificate ends.

    Args:
        name: "ca", "client" or "server".
        not_after: End of its validity, aware, UTC.
    """

    name: str
    not_after: datetime

    def days_left(self, now: datetime) -> int:
        """Whole days until then, rounded down; negative afterwards."""
        return int((self.not_after - now).total_seconds() // 86_400)

    def level(self, now: datetime) -> str:
        """How loudly to say it: "ok", "warning", "critical" or "expired"."""
        days = self.days_left(now)
        if days < 0:
            return "expired"
        if days < CRITICAL_DAYS:
            return "critical"
        return "warning" if days < WARNING_DAYS else "ok"

    def store(self) -> dict[str, Any]:
        """Its entry in the watcher's report; what follows from the date is reckoned when it is read."""
        return {"name": self.name, "not_after": stamp(self.not_after)}

    def show(self, now: datetime) -> dict[str, Any]:
        """Its entry on `/health`."""
        return {
            "name": self.name,
            "not_after": stamp(self.not_after),
            "days_left": self.days_left(now),
            "status": self.level(now),
        }

    def sentence(self, now: datetime) -> str | None:
        """The warning for the operator, or None while there is time."""
        level, days = self.level(now), self.days_left(now)
        if level == "ok":
            return None
        if level == "expired":
            return f"{self.name} certificate expired on {self.not_after:%Y-%m-%d}: run `rexec certs`"
        when = "today" if days == 0 else "in 1 day" if days == 1 else f"in {days} days"
        urgency = ", renew it now" if days < URGENT_DAYS else ""
        return f"{self.name} certificate expires {when} ({self.not_after:%Y-%m-%d}){urgency}"


def read(entries: list[dict[str, Any]]) -> list[Expiry]:
    """Expiries from a stored report."""
    return [
        Expiry(entry["name"], datetime.strptime(entry["not_after"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC))
        for entry in entries
    ]


def status(expiries: list[Expiry], now: datetime) -> str:
    """The status of the check behind them all."""
    levels = {certificate.level(now) for certificate in expiries}
    if "expired" in levels:
        return "down"
    return "warning" if levels & {"warning", "critical"} else "ok"
