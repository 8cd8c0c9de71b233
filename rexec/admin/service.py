"""What an admin sees and does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from rexec.accounts import links
from rexec.accounts import service as accounts
from rexec.accounts.models import User
from rexec.billing import plans
from rexec.billing.signals import plan_changed
from rexec.containers.models import Container
from rexec.errors import Conflict, InvalidInput
from rexec.extensions import db

PER_PAGE = 50


class OwnAccount(Conflict):
    """An admin cannot shut themselves out."""

    code = "own_account"
    message = "You cannot disable your own account."
    hint = "Ask another admin, or delete it on your account page."


@dataclass(frozen=True)
class Person:
    """One line of the list."""

    id: int
    email: str
    plan: str | None
    is_admin: bool
    is_disabled: bool
    created_at: datetime
    last_login_at: datetime | None
    containers: int


@dataclass(frozen=True)
class People:
    """One page of the list."""

    people: list[Person]
    total: int
    page: int
    pages: int


def people(search: str = "", page: int = 1, per_page: int = PER_PAGE) -> People:
    """The accounts, newest last, with how many containers each has; two queries.

    Args:
        search: A part of the e-mail address.
        page: Counted from 1; one beyond the end shows the last.
        per_page: Lines on a page.
    """
    wanted = _wanted(search)
    total = db.session.scalar(select(func.count()).select_from(User).where(wanted)) or 0
    pages = max(1, -(-total // per_page))
    page = min(max(1, page), pages)
    found = db.session.execute(_rows(wanted).limit(per_page).offset((page - 1) * per_page))
    return People([Person(*row) for row in found], total, page, pages)


def everybody(search: str = "") -> Iterator[Person]:
    """All accounts, read a batch at a time.

    Args:
        search: A part of the e-mail address.
    """
    for row in db.session.execute(_rows(_wanted(search)).execution_options(yield_per=500)):
        yield Person(*row)


def _wanted(search: str) -> ColumnElement[bool]:
    wanted: ColumnElement[bool] = User.closing_at.is_(None)
    if search.strip():
        wanted &= User.email.contains(search.strip().lower(), autoescape=True)
    return wanted


def _rows(wanted: ColumnElement[bool]) -> Select[Any]:
    owned = select(func.count()).where(Container.owner_id == User.id).correlate(User).scalar_subquery()
    columns = (User.id, User.email, User.plan, User.is_admin, User.is_disabled, User.created_at)
    return select(*columns, User.last_login_at, owned).where(wanted).order_by(User.id)


def reset_link(user_id: int, base_url: str) -> tuple[str, str]:
    """A link by which a person sets a new password; earlier ones stop working.

    Args:
        user_id: Whose.
        base_url: The public address of this service.

    Returns:
        The person's e-mail address and the link.
    """
    email = accounts.get(user_id).email
    return email, accounts.link_url(base_url, "reset", links.create("reset", user_id=user_id))


def invite(base_url: str, *, email: str = "", plan: str | None = None, grants_admin: bool = False) -> str:
    """A link by which somebody signs up, whatever `SIGNUPS` says.

    Args:
        base_url: The public address of this service.
        email: The only address it works for; any where empty.
        plan: Key of the plan the person gets; None for the default one.
        grants_admin: Whether the person becomes an admin.

    Raises:
        InvalidInput: On the field `email` or `plan`.
    """
    address = accounts.normalise_email(email) if email.strip() else None
    token = links.create("invite", email=address, plan=known_plan(plan), grants_admin=grants_admin)
    return accounts.link_url(base_url, "join", token)


def set_plan(user_id: int, plan: str | None) -> None:
    """Give a person a plan, and tell whoever keeps to it.

    Args:
        user_id: Whose.
        plan: Its key; None or empty for the default one.

    Raises:
        InvalidInput: On the field `plan`: there is no such plan.
    """
    accounts.set_plan(user_id, known_plan(plan))
    plan_changed.send(set_plan, user_id=user_id)


def set_disabled(user_id: int, disabled: bool, *, by: int) -> None:  # noqa: FBT001 - the value to set
    """Shut a person out, or let them in again.

    Args:
        user_id: Whose.
        disabled: Whether they are shut out from now on.
        by: The admin who does it.

    Raises:
        OwnAccount: They are the same.
        LastAdmin: Somebody disabled `by` at the same moment.
    """
    if user_id == by and disabled:
        raise OwnAccount
    accounts.set_disabled(user_id, disabled, keep_an_admin=disabled)


def known_plan(key: str | None) -> str | None:
    """A plan's key, checked; None for the default one.

    Raises:
        InvalidInput: On the field `plan`.
    """
    if not key:
        return None
    if plans.get(key) is None:
        known = ", ".join(plan.key for plan in plans.all())
        raise InvalidInput(f"There is no such plan; there are: {known}.", field="plan")
    return key
