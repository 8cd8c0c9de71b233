"""Who acts alone: a row with a name, a holder and an end, instead of a session lock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from rexec.extensions import db, utcnow
from rexec.jobs.models import Lease

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement


def lease(name: str, holder: str, seconds: float) -> bool:
    """Take or renew a lease.

    Args:
        name: What is leased.
        holder: Who asks; whoever holds it may renew it.
        seconds: How long it is wanted.

    Returns:
        Whether the asker holds it now.
    """
    return take(name, holder, seconds, or_(Lease.holder == holder, Lease.until <= utcnow()))


def release_lease(name: str, holder: str) -> None:
    """End a lease at once, if it is the asker's, so that the next need not wait for its end."""
    with db.engine.begin() as connection:
        connection.execute(
            update(Lease).where(Lease.name == name, Lease.holder == holder).values(until=utcnow())
        )


def beat(name: str, holder: str, seconds: float) -> None:
    """Say that one of several equals is alive, for so many seconds; the last one to say so is the holder."""
    take(name, holder, seconds, Lease.name == name)


def take(name: str, holder: str, seconds: float, condition: ColumnElement[bool]) -> bool:
    """Take a lease where a condition on its row holds, or where it has no row yet.

    Args:
        name: What is leased.
        holder: Who takes it.
        seconds: For how long.
        condition: On the existing row.
    """
    values = {"holder": holder[:80], "until": utcnow() + timedelta(seconds=seconds)}
    with db.engine.begin() as connection:
        if connection.execute(update(Lease).where(Lease.name == name, condition).values(values)).rowcount:
            return True
        if connection.scalar(select(Lease.name).where(Lease.name == name)) is not None:
            return False
    try:
        with db.engine.begin() as connection:
            connection.execute(Lease.__table__.insert().values(name=name, **values))  # type: ignore[attr-defined]
    except IntegrityError:
        return False
    return True


def lease_until(name: str) -> datetime | None:
    """When a lease ends or ended, or None where it was never taken."""
    with db.engine.connect() as connection:
        return connection.scalar(select(Lease.until).where(Lease.name == name))
