"""How pages write sizes, times and durations."""

from __future__ import annotations

from datetime import datetime

from flask import Flask

from rexec.extensions import utcnow

_UNITS = (("d", 86_400), ("h", 3600), ("min", 60))
KILO = 1024


def megabytes(count: float | None) -> str:
    """A number of megabytes as the plans name it: `512 MB`, `2 GB`.

    Args:
        count: Megabytes.
    """
    if count is None:
        return "–"
    if count >= KILO:
        return f"{count / KILO:.1f}".removesuffix(".0") + " GB"
    return f"{count:.0f} MB"


def size(count: float | None) -> str:
    """A number of bytes for a person.

    Args:
        count: Bytes.
    """
    if count is None:
        return "–"
    if count < KILO * KILO:
        return f"{count / KILO:.0f} KB"
    if count < 10 * KILO * KILO:
        return f"{count / KILO / KILO:.1f} MB"
    return megabytes(count / KILO / KILO)


def duration(seconds: float | None) -> str:
    """A span as one number with one unit, or hundredths while it is below ten seconds.

    Args:
        seconds: Length of the span.
    """
    if seconds is None:
        return "–"
    if seconds < 10:  # noqa: PLR2004 - below this, fractions say something
        return f"{seconds:.2f} s"
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds:.0f} s"


def ago(moment: datetime | None) -> str:
    """How long ago something was: `just now`, `4 min ago`."""
    if moment is None:
        return "never"
    seconds = (utcnow() - moment).total_seconds()
    return "just now" if seconds < 10 else f"{duration(seconds)} ago"  # noqa: PLR2004 - see duration


def since(moment: datetime | None) -> str:
    """How long something has lasted: `4 min`."""
    if moment is None:
        return "–"
    return duration(max(10.0, (utcnow() - moment).total_seconds()))


def datetime_iso(moment: datetime | None) -> str:
    """The moment for a `datetime` attribute."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z") if moment else ""


def datetime_full(moment: datetime | None) -> str:
    """The moment for a `title`, in full."""
    return moment.strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""


def date_words(moment: datetime) -> str:
    """A day in words: `2 December 2026`."""
    return f"{moment.day} {moment:%B %Y}"


def init_app(app: Flask) -> None:
    """Give the filters to templates."""
    app.jinja_env.filters.update(
        mb=megabytes,
        size=size,
        duration=duration,
        ago=ago,
        since=since,
        datetime_iso=datetime_iso,
        datetime_full=datetime_full,
        date_words=date_words,
    )
