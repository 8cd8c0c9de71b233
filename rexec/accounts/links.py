"""Links that work once: becoming the first admin, an invitation, a password reset.

The token is shown once and only its hash is kept. Spending is a conditional update in the transaction that
does what the link is for, so of two who use it at the same moment one wins, and a refused form does not use
it up.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from sqlalchemy import delete, exists, or_, select, update

from rexec.accounts import tokens
from rexec.accounts.errors import LinkInvalid
from rexec.accounts.models import OneTimeLink, User
from rexec.extensions import db, utcnow

Purpose = Literal["admin", "invite", "reset"]
LIFETIMES: dict[Purpose, timedelta] = {
    "admin": timedelta(hours=24),
    "invite": timedelta(days=7),
    "reset": timedelta(hours=24),
}


def create(
    purpose: Purpose,
    *,
    email: str | None = None,
    user_id: int | None = None,
    plan: str | None = None,
    grants_admin: bool = False,
) -> str:
    """Keep a new link and return its token; commits.

    Args:
        purpose: What it is good for.
        email: For an invitation to one address only.
        user_id: Whose password a reset link sets; replaces earlier reset links of the account.
        plan: The plan that an invited person gets.
        grants_admin: Whether whoever signs up by it becomes an admin.
    """
    token, now = tokens.new(), utcnow()
    if user_id is not None:
        forget_resets(user_id)
    db.session.add(
        OneTimeLink(
            purpose=purpose,
            token_hash=tokens.keyed_hash("one-time-link", token),
            email=email,
            user_id=user_id,
            plan=plan,
            grants_admin=grants_admin,
            created_at=now,
            expires_at=now + LIFETIMES[purpose],
        )
    )
    db.session.commit()
    return token


def find(token: str, *purposes: Purpose) -> OneTimeLink:
    """The link behind a token, if it still works.

    Raises:
        LinkInvalid: It was used, has expired, is for something else or never existed; the first admin's
            link also once there is an admin.
    """
    link = db.session.scalar(
        select(OneTimeLink).where(
            OneTimeLink.token_hash == tokens.keyed_hash("one-time-link", token),
            OneTimeLink.purpose.in_(purposes),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > utcnow(),
        )
    )
    if link is None or (link.purpose == "admin" and admin_exists()):
        raise LinkInvalid
    return link


def spend(link: OneTimeLink) -> None:
    """Use a link up within the caller's transaction.

    Every unused link to the first admin is used up together, by one statement, so that two different ones
    used at the same moment do not make two first admins either: the second waits for the rows of the first
    and finds none left.

    Raises:
        LinkInvalid: Somebody was quicker; the caller's transaction is rolled back.
    """
    now = utcnow()
    statement = update(OneTimeLink).where(OneTimeLink.used_at.is_(None), OneTimeLink.expires_at > now)
    if link.purpose == "admin":
        nobody = ~exists().where(User.is_admin.is_(True), User.is_disabled.is_(False))
        statement = statement.where(OneTimeLink.purpose == "admin", nobody)
    else:
        statement = statement.where(OneTimeLink.id == link.id)
    statement = statement.values(used_at=now).execution_options(synchronize_session=False)
    spent = set(db.session.scalars(statement.returning(OneTimeLink.id)))
    if link.id not in spent:
        db.session.rollback()
        raise LinkInvalid


def admin_exists() -> bool:
    """Say whether anybody can administer."""
    return bool(
        db.session.scalar(select(exists().where(User.is_admin.is_(True), User.is_disabled.is_(False))))
    )


def forget_resets(user_id: int) -> None:
    """Take back a person's unused reset links, within the caller's transaction."""
    db.session.execute(
        delete(OneTimeLink).where(OneTimeLink.user_id == user_id, OneTimeLink.used_at.is_(None))
    )


def forget_old() -> None:
    """Remove the rows of links that were used or have expired."""
    db.session.execute(
        delete(OneTimeLink).where(or_(OneTimeLink.used_at.is_not(None), OneTimeLink.expires_at <= utcnow()))
    )
    db.session.commit()
