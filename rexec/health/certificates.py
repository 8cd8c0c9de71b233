"""How long the certificates last, and how loudly to say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography import x509

from rexec.docker_host.certificates import was_signed_by
from rexec.health.probes import moment, stamp

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
        if days <= CRITICAL_DAYS:
            return "critical"
        return "warning" if days <= WARNING_DAYS else "ok"

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
            return f"{self.name} certificate expired on {self.not_after:%Y-%m-%d}, renew it now"
        when = "today" if days == 0 else "in 1 day" if days == 1 else f"in {days} days"
        urgency = ", renew it now" if days <= URGENT_DAYS else ""
        return f"{self.name} certificate expires {when} ({self.not_after:%Y-%m-%d}){urgency}"


def read(entries: list[dict[str, Any]]) -> list[Expiry]:
    """Expiries from a stored report."""
    found = ((entry["name"], moment(entry["not_after"])) for entry in entries)
    return [Expiry(name, not_after) for name, not_after in found if not_after is not None]


def issuer_of(served: x509.Certificate | None, authorities: list[x509.Certificate]) -> x509.Certificate:
    """The authority whose end matters: the one behind the daemon's certificate, the longest of several.

    A variable may hold the old authority and the new one while certificates are being replaced.

    Args:
        served: What the daemon shows, where that is known.
        authorities: At least one.
    """
    signers = [one for one in authorities if served is not None and was_signed_by(served, one)]
    return max(signers or authorities, key=lambda one: one.not_valid_after_utc)


def status(expiries: list[Expiry], now: datetime) -> str:
    """The status of the check behind them all."""
    levels = {certificate.level(now) for certificate in expiries}
    if "expired" in levels:
        return "down"
    return "warning" if levels & {"warning", "critical"} else "ok"
