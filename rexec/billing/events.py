"""The events that are stored: what became of each, and having one handled again."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, select, update

from rexec import jobs
from rexec.billing.models import StripeEvent
from rexec.billing.webhooks import follow
from rexec.errors import NotFound, RexecError
from rexec.extensions import db, utcnow

KEEP = timedelta(days=30)
"""Stripe repeats an event for three days at most."""
SHOWN = 50


def stored_for(user_id: int) -> list[int]:
    """The events of a person that no fetch has covered; read before one begins, so that it covers them."""
    uncovered = StripeEvent.state.in_(("stored", "failed"))
    waiting = select(StripeEvent.id).where(StripeEvent.user_id == user_id, uncovered)
    found = list(db.session.scalars(waiting))
    db.session.rollback()
    return found


def note_done(ids: list[int]) -> None:
    """Remember that a fetch covered these. Commits."""
    if ids:
        _set(StripeEvent.id.in_(ids), state="done", handled_at=utcnow(), error_code=None, error_message=None)


def note_failed(user_id: int, error: RexecError) -> None:
    """Remember why the events of a person could not be handled. Commits."""
    waiting = (StripeEvent.user_id == user_id) & (StripeEvent.state == "stored")
    _set(waiting, state="failed", error_code=error.code, error_message=error.message)


def note_one_failed(event_row: int, error: RexecError) -> None:
    """Remember why an event could not be handled. Commits."""
    mine = (StripeEvent.id == event_row) & (StripeEvent.state == "stored")
    _set(mine, state="failed", error_code=error.code, error_message=error.message)


def _set(which: object, **values: object) -> None:
    db.session.execute(update(StripeEvent).where(which).values(**values))  # type: ignore[arg-type]
    db.session.commit()


def failed() -> list[StripeEvent]:
    """The last events that could not be handled, newest first."""
    query = select(StripeEvent).where(StripeEvent.state == "failed").order_by(StripeEvent.id.desc())
    return list(db.session.scalars(query.limit(SHOWN)))


def replay(event_row: int) -> None:
    """Have a failed event handled again. Commits.

    Args:
        event_row: The row's id.

    Raises:
        NotFound: There is no such event, or it has not failed.
    """
    db.session.rollback()
    row = db.session.get(StripeEvent, event_row, populate_existing=True)
    if row is None or row.state != "failed":
        raise NotFound
    row.state, row.error_code, row.error_message = "stored", None, None
    added = follow(row.id, row.user_id)
    db.session.commit()
    jobs.wake(*added)


def forget_old() -> None:
    """Remove what was handled a month ago. Commits."""
    over = StripeEvent.state.in_(("done", "ignored"))
    db.session.execute(delete(StripeEvent).where(over, StripeEvent.received_at < utcnow() - KEEP))
    db.session.commit()
