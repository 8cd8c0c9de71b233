"""Containers on a real daemon, made by operations that the test works itself."""

from __future__ import annotations

import pytest

from rexec.containers import service
from rexec.containers.gateway import docker
from rexec.containers.models import Container
from rexec.extensions import db
from tests.support.by_hand import WorksByHand
from tests.support.factories import make_user


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

    def make(name="lab", image="shell"):
        container_id = service.launch(owner, name, image).id
        work()
        row = fresh(container_id)
        assert row.status == "running", (row.status, row.error_code, row.error_message)
        return row

    return make


@pytest.fixture
def inside(app):
    """Runs a command line in a container's shell: exit code and output."""

    def run(row, line, timeout_s=20):
        code, output = docker().exec_run(row.docker_id, ["/bin/sh", "-c", line], timeout_s)
        return code, output.decode(errors="replace").strip()

    return run
