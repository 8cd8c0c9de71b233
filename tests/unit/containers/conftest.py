"""Containers on a Docker host in memory, with operations that the test works itself."""

from __future__ import annotations

import pytest

from rexec.accounts.models import User
from rexec.containers import service
from rexec.containers.models import Container
from rexec.extensions import db
from tests.support.by_hand import WorksByHand
from tests.support.client import FreshClient
from tests.support.factories import make_user
from tests.support.fake_docker_host import FakeDockerHost
from tests.support.page_user import PageUser


@pytest.fixture
def docker_host():
    return FakeDockerHost()


@pytest.fixture
def app(settings, docker_host):
    """The application on an empty SQLite database in memory and a Docker host in memory."""
    from rexec import create_app

    app = create_app(settings, docker_host=docker_host)
    app.testing = True
    app.test_client_class = FreshClient
    with app.app_context():
        db.create_all()
        yield app
        db.session.remove()
        db.engine.dispose()


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


@pytest.fixture
def person(app):
    """Somebody with the plan Pro who is logged in."""
    user = PageUser(app)
    assert user.sign_up().status_code == 303
    db.session.execute(db.update(User).where(User.email == user.email).values(plan="pro"))
    db.session.commit()
    user.row = db.session.scalars(db.select(User).where(User.email == user.email)).one()
    return user
