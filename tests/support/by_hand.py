"""Runs operations when a test says so, in the test's own process and on its own thread."""

from __future__ import annotations

import pytest
from flask import Flask

from rexec.containers import service
from rexec.containers.models import Container
from rexec.extensions import db
from rexec.jobs import rows
from rexec.jobs.models import Operation
from rexec.jobs.registry import LANES
from rexec.jobs.runner import Runner
from tests.support.factories import make_user


class NoBell:
    """Nobody to wake: the test comes by itself."""

    def ring(self, operation_id: int, lane: str) -> None:
        """Do nothing."""

    def pending(self, lane: str) -> int | None:
        """Nothing is known."""


class WorksByHand:
    """Works what waits, as a worker would, one operation after the other.

    Args:
        app: Whose operations.
    """

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.runner = Runner(app, NoBell())

    def __call__(self) -> None:
        """Work everything that is due, and what becomes due by it; forget what the session had read."""
        db.session.rollback()
        while waiting := self._due():
            for row in waiting:
                self.runner.work(row.operation_id, row.lane)
        db.session.rollback()
        db.session.expire_all()

    def _due(self) -> list[rows.Waiting]:
        with self.app.app_context():
            return [row for lane in LANES for row in rows.due(lane)]

    def stop(self) -> None:
        """End the thread that keeps leases."""
        self.runner.stop(5)


def operations(container_id: int) -> list[Operation]:
    """Every operation of a container, oldest first, as the database has them now."""
    db.session.rollback()
    db.session.expire_all()
    query = (
        db.select(Operation).where(Operation.subject == f"container:{container_id}").order_by(Operation.id)
    )
    return list(db.session.scalars(query))


@pytest.fixture
def work(app):
    """Works every operation that is due."""
    works = WorksByHand(app)
    yield works
    works.stop()


@pytest.fixture
def owner(app):
    """The id of somebody with the plan Pro, who may keep five containers."""
    return make_user(plan="pro").id


@pytest.fixture
def fresh(app):
    """Reads a container's row as it is now, or None."""

    def read(container_id):
        db.session.rollback()
        db.session.expire_all()
        return db.session.get(Container, container_id)

    return read


@pytest.fixture
def launched(owner, work, fresh):
    """Makes a running container and gives its row."""

    def make(name="lab", image="shell", owner_id=None):
        container_id = service.launch(owner_id or owner, name, image).id
        work()
        row = fresh(container_id)
        assert row.status == "running", (row.status, row.error_code, row.error_message)
        return row

    return make
