"""Log-in sessions kept on the server: the cookie holds a random token, the row its hash."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from rexec.accounts import tokens
from rexec.accounts.models import LoginSession, User
from rexec.extensions import db, utcnow

LIFETIME = timedelta(days=30)
SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True)
class CurrentUser:
    """Who is logged in, as of the start of the request; what Flask-Login calls the user.

    A copy, not the row: a page may commit as it likes without this being read again.
    """

    id: int
    email: str
    plan: str | None
    is_admin: bool
    session_id: int
    token: str = field(repr=False)
    is_stale: bool = False
    """Whether the session was last noted as seen a while ago."""
    paid_plan: str | None = None
    paid_until: datetime | None = None

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What goes into the signed cookie."""
        return self.token


_COLUMNS = (User.id, User.email, User.plan, User.is_admin, User.paid_plan, User.paid_until)


def start(user_id: int) -> str:
    """Add a session to the transaction and return its token; the caller commits."""
    token, now = tokens.new(), utcnow()
    db.session.add(
        LoginSession(
            token_hash=tokens.keyed_hash("login-session", token),
            user_id=user_id,
            created_at=now,
            last_seen_at=now,
            expires_at=now + LIFETIME,
        )
    )
    return token


def load(token: str) -> CurrentUser | None:
    """Who a token belongs to, by one query; None where its session is over or the account is disabled."""
    now = utcnow()
    row = db.session.execute(
        select(LoginSession.id, LoginSession.last_seen_at, *_COLUMNS)
        .join(User, User.id == LoginSession.user_id)
        .where(
            LoginSession.token_hash == tokens.keyed_hash("login-session", token),
            LoginSession.expires_at > now,
            User.is_disabled.is_(False),
        )
    ).one_or_none()
    if row is None:
        return None
    session_id, seen, user_id, email, plan, is_admin, paid_plan, paid_until = row
    stale = now - seen > SEEN_EVERY
    return CurrentUser(user_id, email, plan, is_admin, session_id, token, stale, paid_plan, paid_until)


def note_seen(session_id: int) -> None:
    """Put off the end of a session that is in use; one write in `SEEN_EVERY`, whoever else tries."""
    now = utcnow()
    db.session.execute(
        update(LoginSession)
        .where(LoginSession.id == session_id, LoginSession.last_seen_at < now - SEEN_EVERY)
        .values(last_seen_at=now, expires_at=now + LIFETIME)
    )
    db.session.commit()


def live(session_ids: Iterable[int]) -> set[int]:
    """Which of these sessions are not over, by one query."""
    wanted = set(session_ids)
    if not wanted:
        return set()
    statement = (
        select(LoginSession.id)
        .join(User, User.id == LoginSession.user_id)
        .where(LoginSession.id.in_(wanted), LoginSession.expires_at > utcnow(), User.is_disabled.is_(False))
    )
    return set(db.session.scalars(statement))


def end(session_id: int) -> None:
    """Log one browser out."""
    db.session.execute(delete(LoginSession).where(LoginSession.id == session_id))
    db.session.commit()


def end_all(user_id: int, *, but: int | None = None) -> None:
    """Remove a person's sessions within the caller's transaction.

    Args:
        user_id: Whose.
        but: The session that stays, by id.
    """
    statement = delete(LoginSession).where(LoginSession.user_id == user_id)
    if but is not None:
        statement = statement.where(LoginSession.id != but)
    db.session.execute(statement)


def forget_expired() -> None:
    """Remove the rows of sessions that are over."""
    db.session.execute(delete(LoginSession).where(LoginSession.expires_at <= utcnow()))
    db.session.commit()
