"""Deleting an account: nobody gets in from that moment on, then what it has goes, then its row.

The request to delete is a value in the row, so it outlives a restart and an outage of the Docker host:
`finish` is tried again until nothing is left.
"""

from __future__ import annotations

import logging

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from rexec.accounts import links
from rexec.accounts.credentials import update_verified, verified
from rexec.accounts.errors import LastAdmin
from rexec.accounts.models import User
from rexec.accounts.service import get, hold_admins, revoke
from rexec.accounts.signals import account_closing, payments_ending
from rexec.extensions import db, utcnow

log = logging.getLogger(__name__)


def close(user_id: int, password: str) -> None:
    """Delete an account and, first, everything it has.

    Log-in ends and the e-mail address is free again at once; the row stays, without it, until the
    containers are gone.

    Args:
        user_id: Whose.
        password: The present password, as typed.

    Raises:
        WrongPassword: On the field `present`.
        LastAdmin: Nobody else could administer.
    """
    kept = verified(user_id, password)
    is_admin = get(user_id).is_admin
    if is_admin:
        hold_admins()
    closed = {"closing_at": utcnow(), "is_disabled": True, "email": f"closed:{user_id}", "password_hash": ""}
    update_verified(user_id, kept, **closed)
    if is_admin and not links.admin_exists():
        db.session.rollback()
        raise LastAdmin
    revoke(user_id)
    db.session.commit()
    log.info("account %s is being deleted", user_id)
    finish(user_id)


def finish(user_id: int) -> bool:
    """Have what is left of a closing account removed, then its row; say whether the row is gone.

    Args:
        user_id: Whose; an account that is not closing is left alone.
    """
    for news in (payments_ending, account_closing):
        if sum(count or 0 for _, count in news.send(finish, user_id=user_id)):
            return False
    try:
        db.session.execute(delete(User).where(User.id == user_id, User.closing_at.is_not(None)))
        db.session.commit()
    except IntegrityError:  # something was added while we counted
        db.session.rollback()
        return False
    log.info("account %s is deleted", user_id)
    return True


def finish_all() -> int:
    """Go on with every account that is being deleted; return how many rows went."""
    closing = list(db.session.scalars(select(User.id).where(User.closing_at.is_not(None))))
    db.session.rollback()
    return sum(finish(user_id) for user_id in closing)
