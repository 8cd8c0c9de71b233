"""What can be done with accounts, by pages and by the command line."""

from __future__ import annotations

import logging
from typing import Any

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from sqlalchemy import ColumnElement, CursorResult, select, update
from sqlalchemy.exc import IntegrityError

from rexec.accounts import links, passwords, sessions
from rexec.accounts.errors import EmailTaken, LastAdmin, SignupsClosed, UserUnknown
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


def hold_admins() -> None:
    """Keep the others from deleting or disabling admins until the caller's transaction ends.

    SQLite has no such lock: there whoever has written is alone, so that it is after the writing that what has
    to hold is looked at.
    """
    db.session.execute(select(User.id).where(User.is_admin.is_(True)).order_by(User.id).with_for_update())


def set_disabled(user_id: int, disabled: bool, *, keep_an_admin: bool = False) -> None:  # noqa: FBT001 - the value
    """Shut a person out, or let them in again; their containers are left as they are.

    Args:
        user_id: Whom.
        disabled: Whether they are shut out from now on.
        keep_an_admin: Whether somebody has to be left who can administer.

    Raises:
        LastAdmin: Nobody would be.
    """
    get(user_id)
    if keep_an_admin:
        hold_admins()
    update_row(user_id, is_disabled=disabled)
    if keep_an_admin and not links.admin_exists():
        db.session.rollback()
        raise LastAdmin
    if disabled:
        revoke(user_id)
    db.session.commit()


def set_plan(user_id: int, plan: str | None) -> None:
    """Give a person a plan.

    Args:
        user_id: Whose.
        plan: Its key, which the caller has checked; None for the default one.
    """
    get(user_id)
    update_row(user_id, plan=plan)
    db.session.commit()


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


def update_row(user_id: int, *conditions: ColumnElement[bool], **values: Any) -> bool:
    """Change an account's row where the conditions hold; say whether they did. The caller commits.

    Args:
        user_id: Whose; an account that is being deleted is left alone.
        conditions: What has to hold besides, in the same statement.
        values: Columns to set.
    """
    statement = (
        update(User).where(User.id == user_id, User.closing_at.is_(None), *conditions).values(**values)
    )
    result: CursorResult[Any] = db.session.execute(statement)  # type: ignore[assignment]
    return result.rowcount == 1


def revoke(user_id: int, *, but: int | None = None) -> None:
    """End the sessions and reset links of an account within the caller's transaction.

    Args:
        user_id: Whose.
        but: The session that stays, by id.
    """
    sessions.end_all(user_id, but=but)
    links.forget_resets(user_id)
