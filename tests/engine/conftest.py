"""Engine tests: real Docker daemon over mutual TLS, PostgreSQL through PgBouncer and Redis, or SQLite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.engine import ROOT, SHELL_IMAGE
from tests.support.fresh_vm import FreshVM
from tests.support.packet_loss import PacketLoss
from tests.support.plain_engine import PlainEngine
from tests.support.proxy import TcpProxy
from tests.support.rexec_image import RexecImage
from tests.support.settings import make_settings
from tests.support.vm_host import VmHost


@pytest.fixture(scope="session")
def docker_settings(engine):
    """How to reach the session's daemon."""
    return engine.settings()


@pytest.fixture
def settings(docker_settings, database_url, redis_url, tmp_path):
    """Settings of a fresh database on the current stack, and the session's daemon."""
    database_url = database_url.replace("postgres://", "postgresql+psycopg://", 1)
    return make_settings(
        docker=docker_settings, database_url=database_url, redis_url=redis_url, instance_dir=tmp_path
    )


@pytest.fixture
def app(settings):
    """The application, in its context, without jobs running: a test runs what it wants."""
    from tests.support.apps import application

    with application(settings) as app:
        yield app


@pytest.fixture
def way(engine):
    """A server's own way to the daemon."""
    with TcpProxy(engine.port) as proxy:
        yield proxy


@pytest.fixture
def loss(way):
    """Loses the packets on that way, and on no other."""
    loss = PacketLoss(way.port)
    yield loss
    loss.end()


@pytest.fixture
def client(app):
    """A client without cookies of anybody."""
    return app.test_client()


@pytest.fixture(scope="session")
def plain_engine(session_folder):
    """A daemon in the tests' own network, whose containers may share it: it plays what runs the image."""
    engine = PlainEngine(session_folder / "plain")
    try:
        engine.start()
        yield engine
    finally:
        engine.end()


@pytest.fixture(scope="session")
def rexec_image(session_folder):
    """The image of Dockerfile.remote, built once for all processes of the session."""
    shared = Path(os.environ.get("REXEC_TEST_FOLDER") or session_folder)
    return RexecImage(shared).build(PlainEngine(session_folder / "builder", outside=True))


@pytest.fixture(scope="session")
def vm_host(session_folder):
    """A daemon that carries machines, and a mirror of Debian for them."""
    host = VmHost(session_folder / "vm", ROOT / ".test" / "vm")
    try:
        host.start()
        yield host
    finally:
        host.stop()


@pytest.fixture(scope="module")
def new_vm(vm_host):
    """Boots machines as a provider hands them over, with a checkout of Rexec in /opt/rexec."""
    made = []

    def boot(suite="bookworm"):
        machine = FreshVM(vm_host, suite)
        made.append(machine)
        machine.start()
        machine.check("mkdir /opt/rexec")
        for part in ("docker", "rexec", "scripts"):
            machine.copy_in(ROOT / part, f"/opt/rexec/{part}")
        return machine

    yield boot
    for machine in made:
        machine.stop()


@pytest.fixture(scope="module")
def fresh_vm(new_vm):
    """One of them for all tests of a module."""
    return new_vm()


@pytest.fixture(scope="session")
def shell_archive(engine, session_folder):
    """The built-in image in a file, since a machine here cannot pull another."""
    path = session_folder / "shell.tar"
    engine.docker("save", "-o", str(path), SHELL_IMAGE)
    return path


@pytest.fixture(scope="session")
def give_image(shell_archive):
    """Puts the built-in image on a machine."""

    def give(vm: FreshVM) -> None:
        vm.copy_in(shell_archive, "/root/shell.tar")
        vm.check("docker load -i /root/shell.tar")

    return give
