"""What the pages read: rows and their operations, in a fixed number of queries and without a Docker call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, select, true

from rexec.billing.usage import Usage
from rexec.containers import catalogue, room
from rexec.containers.catalogue import Image
from rexec.containers.host_state import HostView
from rexec.containers.models import Container, Excess
from rexec.containers.service import subject
from rexec.containers.showing import Shown, show
from rexec.containers.states import MOVING
from rexec.extensions import db
from rexec.jobs.models import Operation

A_PAGE = 50
READS = 3
"""Times that a list is read where its rows and their number do not fit."""


@dataclass(frozen=True)
class ListPage:
    """One page of a person's containers.

    Args:
        items: What is on this page.
        number: Which page this is, from 1.
        pages: How many there are, 1 at least.
        found: How many containers match the filter.
        total: How many the person has.
        living: How many of them are not being deleted.
        over_since: Since when there are more than the plan has room for, if that was noticed.
    """

    items: Sequence[Shown]
    number: int
    pages: int
    found: int
    total: int
    living: int
    over_since: datetime | None

    @property
    def moves(self) -> bool:
        """Whether anything on it is on the way to somewhere."""
        return any(item.moves for item in self.items)


def page(owner_id: int, *, q: str = "", number: int = 1) -> ListPage:
    """A person's containers, newest first, in three queries.

    Args:
        owner_id: The person.
        q: Part of a name; everything where empty.
        number: Which page, from 1; one that is too large shows the last.
    """
    for _ in range(READS):
        counts = _counts(owner_id, q)
        pages = max(1, -(-counts.found // A_PAGE))
        shown = min(max(1, number), pages)
        rows = _rows(owner_id, q, shown)
        if len(rows) == min(A_PAGE, counts.found - (shown - 1) * A_PAGE):
            break
        # One came or went between the two: a list without rows would say that there is one, and ask no more.
    return ListPage(_shown(rows), shown, pages, counts.found, counts.total, counts.living, counts.over_since)


class _Counts(NamedTuple):
    total: int
    found: int
    living: int
    over_since: datetime | None


def _counts(owner_id: int, q: str) -> _Counts:
    over_since = select(Excess.since).where(Excess.user_id == owner_id).scalar_subquery()
    found = func.count().filter(_called(q))
    query = select(func.count(), found, func.count().filter(room.LIVING), over_since)
    return _Counts(*db.session.execute(query.where(Container.owner_id == owner_id)).one())


def _rows(owner_id: int, q: str, number: int) -> Sequence[Container]:
    query = select(Container).where(Container.owner_id == owner_id, _called(q)).order_by(Container.id.desc())
    return db.session.scalars(query.limit(A_PAGE).offset((number - 1) * A_PAGE)).all()


def _called(q: str) -> ColumnElement[bool]:
    part = q.strip().lower()
    return Container.name.contains(part, autoescape=True) if part else true()


def one(row: Container) -> Shown:
    """One container with what is going on with it."""
    return _shown([row])[0]


def _shown(rows: Sequence[Container]) -> list[Shown]:
    moving = {subject(row.id): row for row in rows if row.status in MOVING}
    operations: dict[str, Operation] = {}
    if moving:
        query = (
            select(Operation)
            .where(Operation.subject.in_(moving), Operation.state.in_(("queued", "working")))
            .order_by(Operation.id)
        )
        for operation in db.session.scalars(query):
            # The oldest open one is the one that is worked on.
            operations.setdefault(operation.subject, operation)
    return [show(row, operations.get(subject(row.id))) for row in rows]


def names_of(owner_id: int) -> set[str]:
    """The names that a person uses."""
    return set(db.session.scalars(select(Container.name).where(Container.owner_id == owner_id)))


def usage_of(_sender: object, *, user_id: int) -> Usage:
    """What an account's containers take up; answers the signal of billing."""
    runs = Container.status.in_(("starting", "running", "stopping"))
    row = db.session.execute(
        select(
            func.count(),
            func.count().filter(runs),
            func.coalesce(func.sum(Container.memory_mb).filter(runs), 0),
            func.coalesce(func.sum(Container.cpu_millis).filter(runs), 0),
            func.coalesce(func.sum(Container.disk_mb), 0),
        ).where(Container.owner_id == user_id)
    ).one()
    return Usage(*(int(value) for value in row))


@dataclass(frozen=True)
class Offer:
    """An image to choose, and whether it would have to be pulled first.

    Args:
        image: The image.
        size_bytes: On the Docker host's disk; None where it is not there, or unknown.
    """

    image: Image
    size_bytes: int | None

    @property
    def is_ready(self) -> bool:
        """Whether the Docker host holds it."""
        return self.size_bytes is not None


def offers(host: HostView) -> list[Offer]:
    """The images to choose from; the built-in one only while the Docker host may hold it."""
    held = host.images or {}
    found = [Offer(image, held.get(image.local_reference)) for image in catalogue.all_images()]
    return [offer for offer in found if offer.is_ready or not offer.image.builtin or host.images is None]
