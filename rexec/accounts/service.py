"""What can be done with accounts, by pages and by the command line."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from sqlalchemy import ColumnElement, CursorResult, select, update
from sqlalchemy.exc import IntegrityError

from rexec.accounts import links, passwords, sessions
from rexec.accounts.errors import EmailTaken, SignupsClosed, UserUnknown, WrongCredentials, WrongPassword
from rexec.accounts.models import OneTimeLink, User
from rexec.errors import InvalidInput, NotFound
from rexec.extensions import db, settings, utcnow

log = logging.getLogger(__name__)

LONGEST_EMAIL = 254

# The library's documented way to accept names such as `.local`: an address here is a name to log in by, and
# nothing is ever sent to it.
SPECIAL_USE_DOMAIN_NAMES.clear()


def normalise_email(typed: str) -> str:
    """The one form an e-mail address is kept in; nothing is looked up, private names are fine.

    Raises:
        InvalidInput: On the field `email`.
    """
    try:
        parsed = validate_email(typed.strip(), check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError:
        raise InvalidInput("Type an e-mail address, for example me@example.com.", field="email") from None
    email = parsed.normalized.lower()
    if len(email) > LONGEST_EMAIL:
        raise InvalidInput(f"Use at most {LONGEST_EMAIL} characters.", field="email")
    return email


def get(user_id: int) -> User:
    """An account that is not being deleted.

    Raises:
        NotFound: There is none.
    """
    user = db.session.get(User, user_id)
    if user is None or user.closing_at is not None:
        raise NotFound
    return user


def find(email: str) -> User:
    """The account with this address.

    Raises:
        UserUnknown: There is none.
    """
    user = db.session.scalar(
        select(User).where(User.email == email.strip().lower(), User.closing_at.is_(None))
    )
    if user is None:
        raise UserUnknown
    return user


def create(email: str, password: str, *, plan: str | None = None, is_admin: bool = False) -> User:
    """Make an account; commits.

    Args:
        email: As typed.
        password: As typed.
        plan: Key of the plan; None for the default one.
        is_admin: Whether the person administers.

    Raises:
        InvalidInput: A field is not acceptable.
        EmailTaken: The address has an account.
    """
    return _add(email, password, plan=plan, is_admin=is_admin, link=None)


def sign_up(email: str, password: str, token: str | None = None) -> str:
    """Make an account for whoever asks, where the operator lets them, and log them in.

    Args:
        email: As typed; an invitation for one address wins over it.
        password: As typed.
        token: Of an invitation or of the first admin's link; without one, sign-ups have to be open.

    Returns:
        The token of the new log-in session.

    Raises:
        SignupsClosed: A link is needed.
        LinkInvalid: The link does not work (any more).
        InvalidInput: A field is not acceptable, or the address has an account.
    """
    link = links.find(token, "admin", "invite") if token else None
    if link is None:
        require_open_signups()
        return _logged_in(_add(email, password, plan=None, is_admin=False, link=None))
    return _logged_in(
        _add(link.email or email, password, plan=link.plan, is_admin=link.grants_admin, link=link)
    )


def require_open_signups() -> None:
    """Refuse those who come without a link.

    Raises:
        SignupsClosed: The operator wants invitations, or nobody.
    """
    if settings().signups != "open":
        raise SignupsClosed


def log_in(email: str, password: str) -> str:
    """Start a log-in session and return its token.

    One verification is done whoever asks, and the refusal is the same, so that neither answer nor time
    tells whether an account exists. The session is added only if the row still holds the verified hash: a
    password changed in between wins.

    Raises:
        WrongCredentials: No such account, another password, or a disabled account.
    """
    row = db.session.execute(
        select(User.id, User.password_hash).where(
            User.email == email.strip().lower(), User.is_disabled.is_(False)
        )
    ).one_or_none()
    db.session.rollback()  # no connection is held while hashing
    user_id, kept = row if row is not None else (None, None)
    if not passwords.verify(kept, password) or user_id is None or kept is None:
        raise WrongCredentials(field="password")
    values: dict[str, Any] = {"last_login_at": utcnow()}
    if passwords.is_outdated(kept):
        values["password_hash"] = passwords.hash_password(password)
    unchanged = User.password_hash == kept, User.is_disabled.is_(False)
    if not _update(user_id, *unchanged, **values):
        db.session.rollback()
        raise WrongCredentials(field="password")
    token = sessions.start(user_id)
    db.session.commit()
    return token


def change_password(user_id: int, present: str, new: str, *, session_id: int | None) -> None:
    """Set a new password and log every other browser out.

    Args:
        user_id: Whose.
        present: The present password, as typed.
        new: The new one, as typed.
        session_id: The log-in session that stays.

    Raises:
        WrongPassword: On the field `present`.
        InvalidInput: On the field `password`.
    """
    kept = _verified(user_id, present)
    passwords.check(new, get(user_id).email)
    new_hash = passwords.hash_password(new)
    if not _update(user_id, User.password_hash == kept, password_hash=new_hash):
        db.session.rollback()
        raise WrongPassword(field="present")
    _revoke(user_id, but=session_id)
    db.session.commit()


def change_email(user_id: int, present: str, email: str) -> None:
    """Move the account to another address.

    Raises:
        WrongPassword: On the field `present`.
        InvalidInput: On the field `email`; EmailTaken where it has an account.
    """
    address = normalise_email(email)
    _verified(user_id, present)
    try:
        _update(user_id, email=address)
        links.forget_resets(user_id)
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        raise EmailTaken("Another account has this address.", field="email") from None


def set_password(user_id: int, new: str) -> None:
    """Set a password without knowing the present one, for the operator; logs out everywhere.

    Raises:
        InvalidInput: On the field `password`.
    """
    passwords.check(new, get(user_id).email)
    _update(user_id, password_hash=passwords.hash_password(new))
    _revoke(user_id)
    db.session.commit()


def reset_password(token: str, new: str) -> None:
    """Set a password by a reset link; logs out everywhere.

    Raises:
        LinkInvalid: The link does not work (any more).
        InvalidInput: On the field `password`; the link stays good.
    """
    link = links.find(token, "reset")
    user = get(link.user_id or 0)
    user_id, email = user.id, user.email
    passwords.check(new, email)
    new_hash = passwords.hash_password(new)
    links.spend(link)
    _update(user_id, password_hash=new_hash)
    _revoke(user_id)
    db.session.commit()


def set_disabled(user_id: int, disabled: bool) -> None:  # noqa: FBT001 - the value to set
    """Shut a person out, or let them in again; their containers are left as they are."""
    get(user_id)
    _update(user_id, is_disabled=disabled)
    if disabled:
        _revoke(user_id)
    db.session.commit()


def set_plan(user_id: int, plan: str | None) -> None:
    """Give a person a plan.

    Args:
        user_id: Whose.
        plan: Its key, which the caller has checked; None for the default one.
    """
    get(user_id)
    _update(user_id, plan=plan)
    db.session.commit()


def session_is_live(session_ids: Iterable[int]) -> set[int]:
    """Which of these log-in sessions are not over; see `sessions.live`."""
    return sessions.live(session_ids)


def admin_link(base_url: str) -> str | None:
    """A new one-time address that makes whoever signs up by it the first admin; None where there is an admin.

    Args:
        base_url: The public address of this service.
    """
    return (
        None if links.admin_exists() else link_url(base_url, "join", links.create("admin", grants_admin=True))
    )


def link_url(base_url: str, page: str, token: str) -> str:
    """The whole address of a one-time link.

    Args:
        base_url: The public address of this service.
        page: `join` or `reset`.
        token: As `links.create` returned it.
    """
    return f"{base_url.rstrip('/')}/{page}/{token}"


def _add(email: str, password: str, *, plan: str | None, is_admin: bool, link: OneTimeLink | None) -> User:
    address = normalise_email(email)
    passwords.check(password, address)
    password_hash = passwords.hash_password(password)
    if link is not None:
        links.spend(link)
    user = User(email=address, password_hash=password_hash, plan=plan, is_admin=is_admin, created_at=utcnow())
    db.session.add(user)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        raise EmailTaken(field="email") from None
    log.info("account %s made%s", user.id, ", an admin" if is_admin else "")
    return user


def _logged_in(user: User) -> str:
    user.last_login_at = utcnow()
    token = sessions.start(user.id)
    db.session.commit()
    return token


def _verified(user_id: int, present: str) -> str:
    """The stored hash, if it is the typed password's."""
    kept = get(user_id).password_hash
    db.session.rollback()  # no connection is held while hashing
    if not passwords.verify(kept, present):
        raise WrongPassword(field="present")
    return kept


def _update(user_id: int, *conditions: ColumnElement[bool], **values: Any) -> bool:
    """Change an account's row where the conditions hold; say whether they did. The caller commits."""
    statement = (
        update(User).where(User.id == user_id, User.closing_at.is_(None), *conditions).values(**values)
    )
    result: CursorResult[Any] = db.session.execute(statement)  # type: ignore[assignment]
    return result.rowcount == 1


def _revoke(user_id: int, *, but: int | None = None) -> None:
    """End the sessions and reset links of an account within the transaction."""
    sessions.end_all(user_id, but=but)
    links.forget_resets(user_id)
