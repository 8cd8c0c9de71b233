"""From what was seen to the answer of `/health`: plain functions of their arguments."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from rexec.health import certificates
from rexec.health.probes import stamp

if TYPE_CHECKING:
    from datetime import datetime

FRESH_S = 25.0
"""The watcher writes every 10 s and may wait 5 s for each answer."""
GONE_S = 45.0
STARTING_S = 40.0

UNSEEN = "not looked at yet"
VERSION = metadata.version("rexec")

VITAL = ("database", "docker", "worker", "watcher")

Check = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """Everything the answer depends on.

    Args:
        database: This process's look at the database.
        redis: This process's look at Redis.
        report: When the watcher last wrote, and what; None when it never did or cannot be read.
        now: The time.
        started_at: When this process began to look.
    """

    database: Check
    redis: Check
    report: tuple[datetime, dict[str, Any]] | None
    now: datetime
    started_at: datetime


def put_together(seen: Seen) -> dict[str, Any]:
    """The body of `/health`."""
    watcher = _watcher(seen)
    stored = seen.report[1] if seen.report else {}
    expiries = certificates.read(stored.get("certificates", []))
    checks = {
        "database": seen.database,
        "redis": seen.redis,
        "docker": _reported(stored.get("docker"), watcher),
        "worker": _reported(stored.get("worker"), watcher),
        "watcher": watcher,
        "certificates": _certificates(expiries, seen),
    }
    return _body(overall(checks), checks, expiries, seen.now)


def unknown(now: datetime) -> dict[str, Any]:
    """The body of `/health` before anybody has looked: nothing is known to work."""
    names = ("database", "redis", "docker", "worker", "watcher", "certificates")
    return _body("down", {name: _check("warning", error=UNSEEN) for name in names}, [], now)


def _body(
    status: str, checks: dict[str, Check], expiries: list[certificates.Expiry], now: datetime
) -> dict[str, Any]:
    return {
        "status": status,
        "version": VERSION,
        "checked_at": stamp(now),
        "checks": checks,
        "certificates": [certificate.show(now) for certificate in expiries],
        "warnings": _warnings(checks, expiries, now),
    }


def overall(checks: dict[str, Check]) -> str:
    """One word for all of them: what Rexec cannot do without is down, the rest degrades it."""
    if any(checks[name]["status"] == "down" for name in (*VITAL, "certificates")):
        return "down"
    if any(check["status"] in {"warning", "down"} for check in checks.values()):
        return "degraded"
    return "ok"


def http_status(body: dict[str, Any]) -> int:
    """503 when down, else 200."""
    return 503 if body["status"] == "down" else 200


def _watcher(seen: Seen) -> Check:
    written = seen.report[0] if seen.report else None
    age_s = (seen.now - written).total_seconds() if written else None
    if age_s is not None and age_s <= FRESH_S:
        return _check("ok", last_ok=stamp(written))
    starting = (seen.now - seen.started_at).total_seconds() < STARTING_S
    unreadable = seen.database["status"] != "ok"
    patient = starting or unreadable or (age_s is not None and age_s <= GONE_S)
    error = "no report yet" if age_s is None else f"last report {age_s:.0f} s ago"
    return _check("warning" if patient else "down", last_ok=stamp(written), error=error)


def _reported(stored: Check | None, watcher: Check) -> Check:
    """What the watcher saw; with a doubt where its report is old."""
    if stored is None:
        return _check("warning", error=UNSEEN)
    if watcher["status"] == "ok" or stored["status"] == "down":
        return stored
    return {
        **stored,
        "status": "warning",
        "latency_ms": None,
        "error": stored["error"] or "not looked at lately",
    }


def _certificates(expiries: list[certificates.Expiry], seen: Seen) -> Check:
    if not expiries:
        return _check("off")
    worst = certificates.status(expiries, seen.now)
    last_ok = stamp(seen.report[0]) if seen.report and worst != "down" else None
    return _check(worst, last_ok=last_ok, error="a certificate has expired" if worst == "down" else None)


def _check(status: str, *, last_ok: str | None = None, error: str | None = None) -> Check:
    return {"status": status, "latency_ms": None, "last_ok": last_ok, "error": error}


def _warnings(checks: dict[str, Check], expiries: list[certificates.Expiry], now: datetime) -> list[str]:
    # Certificates have sentences of their own.
    said = ((name, check["error"]) for name, check in checks.items() if name != "certificates")
    spoken = [f"{name}: {error}" for name, error in said if error]
    ending = [certificate.sentence(now) for certificate in expiries]
    return [*spoken, *(sentence for sentence in ending if sentence)]
