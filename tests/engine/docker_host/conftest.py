"""A client of the session's daemon, and containers to try it on."""

from __future__ import annotations

import contextlib
import uuid

import pytest

from rexec.config import DockerSettings
from rexec.docker_host import ContainerSpec, DockerHost, NetworkSpec
from rexec.docker_host.errors import DockerNotFound
from tests.engine.docker_host.streams import Reader
from tests.support.engine import SHELL_IMAGE

SHELL = ("sh", "-c", "while :; do sh -i; done")


@pytest.fixture
def make_host():
    """Makes clients that are closed at the end of the test."""
    made: list[DockerHost] = []

    def make(settings: DockerSettings, **options) -> DockerHost:
        made.append(DockerHost(settings, **options))
        return made[-1]

    yield make
    for host in made:
        host.close()


@pytest.fixture
def host(engine, make_host):
    """A client of the session's daemon."""
    return make_host(engine.settings())


@pytest.fixture
def label():
    """A mark that only this test's objects carry; the suite removes containers marked `rexec.deployment`."""
    return {"rexec.deployment": f"test-{uuid.uuid4().hex[:12]}"}


@pytest.fixture(scope="session")
def network(engine):
    """A network for the containers of these tests."""
    host = DockerHost(engine.settings())
    name = f"rexec-net-{uuid.uuid4().hex[:8]}"
    host.ensure_network(NetworkSpec(name, labels={"rexec.deployment": "docker-host-tests"}))
    yield name
    host.remove_network(name)
    host.close()


@pytest.fixture
def spec(label, network):
    """A small container; `dataclasses.replace` makes others of it."""
    name = f"rexec-{uuid.uuid4().hex[:12]}"
    return ContainerSpec(
        name=name,
        image=SHELL_IMAGE,
        command=SHELL,
        hostname="lab",
        network=network,
        volume_name=f"{name}-home",
        volume_target="/root",
        memory_bytes=64 * 1024**2,
        nano_cpus=500_000_000,
        pids_limit=64,
        env={"TERM": "xterm-256color", "PS1": "$ "},
        labels=label,
        volume_labels=label,
    )


@pytest.fixture
def container(host, spec):
    """A running container; gone with its volume afterwards."""
    made = host.create_container(spec)
    host.start_container(made)
    yield made
    with contextlib.suppress(DockerNotFound):
        host.remove_container(made)
    host.remove_volume(spec.volume_name)


@pytest.fixture
def attach(host, container):
    """Attaches to the container; closed at the end."""
    opened = []

    def attach(**options):
        opened.append(host.open_attach(container, **{"logs": True, **options}))
        return Reader(opened[-1])

    yield attach
    for stream in opened:
        stream.close()
