"""A pull and a create that are under way when the daemon goes: they wait for it, and go on by themselves."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.engine import Engine
from tests.support.http_user import HttpUser
from tests.support.images import MB, forget_image, push_image
from tests.support.proxy import TcpProxy
from tests.support.server import HurriedServer
from tests.support.stacks import on_sqlite
from tests.support.waiting import eventually

CATALOGUE = """
[shell]
name = "Shell"
version = "built in"
reference = "rexec/shell:latest"
shell = "/bin/sh"
description = "A bare busybox shell that starts at once."
icon = "terminal"
builtin = true

[lab]
name = "Lab"
version = "1"
reference = "{reference}"
shell = "/bin/sh"
description = "Its registry falls silent in the middle."
icon = "box"
"""


@pytest.fixture(scope="module")
def machine(session_folder):
    """A daemon for the tests of this file, which each of them leaves as it was."""
    machine = Engine(Path(tempfile.mkdtemp(prefix="engine-", dir=session_folder)))
    try:
        machine.start()
        yield machine
    finally:
        machine.end()


@pytest.fixture(scope="module")
def pushed(machine, registry):
    """An image in the registry that the daemon does not hold."""
    return push_image(machine, registry.address, layers=1, layer_bytes=8 * MB)


@pytest.fixture
def daemon(machine):
    """That daemon; brought back where a test failed in the middle."""
    yield machine
    machine.resume()
    machine.start()


@pytest.fixture
def way(daemon):
    """The server's own way to the daemon."""
    with TcpProxy(daemon.port) as proxy:
        yield proxy


@pytest.fixture
def slow_registry(registry):
    """A registry that can fall silent."""
    with TcpProxy(registry.port) as proxy:
        yield proxy


@pytest.fixture
def lab_image(daemon, pushed, registry, slow_registry):
    """The image's reference in that registry."""
    reference = pushed.replace(str(registry.port), str(slow_registry.port))
    yield reference
    daemon.remove(daemon.containers())
    forget_image(daemon, reference)


@pytest.fixture
def server(stack, daemon, way, lab_image, database_url, tmp_path):
    """`rexec serve` that reaches the daemon by that way, and offers that image."""
    images = tmp_path / "images.toml"
    images.write_text(CATALOGUE.format(reference=lab_image), encoding="utf-8")
    values = {
        **stack.server_environment(database_url),
        **daemon.environment(),
        "DOCKER_HOST": f"tcp://127.0.0.1:{way.port}",
        "IMAGES_FILE": str(images),
    }
    server = HurriedServer(tmp_path / "server", values)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@dataclass(frozen=True)
class Person:
    """Somebody with one container."""

    user: HttpUser
    container: str

    def sees(self, status: str) -> bool:
        """Whether every page answers at once and the container's says this status."""
        for path in ("/containers", "/containers/new"):
            assert self.user.get(path, timeout=3).status_code == 200
        return self.user.status(self.container) == status

    def is_told_to_wait(self) -> bool:
        """Whether the container's page says that the machine does not answer."""
        return "as soon as the machine answers" in self.user.get(f"/containers/{self.container}").text


@dataclass(frozen=True)
class UnderWay:
    """Three people: one has a container, one waits for a pull, one for a create."""

    running: Person
    pulling: Person
    creating: Person
    daemon: Engine
    registry: TcpProxy

    def waits(self) -> None:
        """Wait until both are told to, and see that nothing changed by the outage."""
        eventually(self.pulling.is_told_to_wait)
        eventually(self.creating.is_told_to_wait)
        assert self.pulling.sees("pulling")
        assert self.creating.sees("creating")
        assert self.running.sees("running")

    def goes_on(self) -> None:
        """Wait until everything runs, and see that nothing was made twice or is left."""
        self.registry.forward()
        for person in (self.pulling, self.creating, self.running):
            person.user.wait_for(person.container, "running", 40)
        assert len(self.daemon.containers()) == 3
        for person in (self.pulling, self.creating):
            person.user.act(person.container, "delete")
            person.user.wait_for(person.container, None)
        assert len(self.daemon.containers()) == 1


@pytest.fixture
def begin(server, daemon, slow_registry, new_user):
    """Begins the pull, then the create; between the two the daemon, or the way to it, is held."""

    def person(image: str) -> Person:
        user = new_user(server)
        return Person(user, user.new_container("lab", image))

    def make(hold: Callable[[], None]) -> UnderWay:
        slow_registry.blackhole_after(2 * MB)
        pulling = person("lab")
        eventually(lambda: slow_registry.is_silent)
        pulling.user.wait_for(pulling.container, "pulling")
        running = person("shell")
        running.user.wait_for(running.container)
        hold()
        creating = person("shell")
        creating.user.wait_for(creating.container, "creating")
        return UnderWay(running, pulling, creating, daemon, slow_registry)

    return make


@on_sqlite
def test_a_pull_and_a_create_outlive_a_daemon_that_is_gone_for_a_while(begin, daemon):
    work = begin(hold=daemon.pause)
    daemon.kill()
    work.waits()
    daemon.start()
    work.goes_on()


@on_sqlite
def test_a_pull_and_a_create_outlive_a_restart_of_the_daemon(begin, daemon):
    work = begin(hold=daemon.pause)
    daemon.restart_politely()
    work.goes_on()


def test_a_pull_and_a_create_outlive_a_network_that_is_lost_for_a_while(begin, daemon, way, loss):
    # What was asked for still arrives, and the answer is lost.
    work = begin(hold=way.hold_answers)
    eventually(lambda: len(daemon.containers()) == 2)
    loss.begin()
    way.forward()
    work.waits()
    loss.end()
    work.goes_on()
