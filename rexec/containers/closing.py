"""What happens to the containers of an account that is being deleted."""

from __future__ import annotations

from sqlalchemy import select

from rexec.accounts import closing
from rexec.accounts.models import User
from rexec.containers import service
from rexec.containers.models import Container
from rexec.extensions import db


def on_account_closing(_sender: object, *, user_id: int) -> int:
    """Begin to delete every container of an account, and say how many are left; commits.

    Args:
        user_id: Whose.
    """
    for container_id in db.session.scalars(select(Container.id).where(Container.owner_id == user_id)).all():
        service.delete(container_id)
    left = service.count(user_id)
    db.session.rollback()
    return left


def container_is_gone(owner_id: int) -> None:
    """Let the account go with its last container, rather than at the next turn of the schedule."""
    is_closing = db.session.scalar(select(User.closing_at).where(User.id == owner_id)) is not None
    last = is_closing and service.count(owner_id) == 0
    db.session.rollback()
    if last:
        closing.finish(owner_id)
