"""Pulling from a real registry: progress, missing images, registries that refuse or fall silent."""

from __future__ import annotations

import http.server
import threading

import pytest

from rexec.containers import catalogue, service
from rexec.containers.gateway import docker
from tests.support.by_hand import operations
from tests.support.images import MB, catalogue_of, forget_image, push_image
from tests.support.proxy import TcpProxy
from tests.support.stacks import on_sqlite
from tests.support.waiting import eventually


@pytest.fixture
def offer(app, engine):
    """Puts references into the catalogue, and takes what was pulled off the daemon afterwards."""
    offered = []

    def make(*references):
        offered.extend(references)
        app.extensions[catalogue.EXTENSION] = catalogue_of(*references)

    yield make
    for reference in offered:
        forget_image(engine, reference)


@pytest.fixture
def slow_registry(registry):
    """The registry behind a relay that can fall silent."""
    with TcpProxy(registry.port) as proxy:
        yield proxy


@pytest.fixture
def in_background(app, work):
    """Works what is due on another thread, so that the test can look on."""
    threads = []

    def in_context():
        with app.app_context():
            work()

    def begin():
        threads.append(threading.Thread(target=in_context))
        threads[-1].start()
        return threads[-1]

    yield begin
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()


def held(reference):
    return reference in {image.reference for image in docker().list_images()}


def test_an_image_is_pulled_with_progress_and_started(owner, offer, engine, registry, work, fresh, inside):
    reference = push_image(engine, registry.address, layers=3)
    offer(reference)
    container_id = service.launch(owner, "lab", "lab").id
    work()
    row = fresh(container_id)
    assert row.status == "running", row.error_message
    assert row.timings["pull"] > 0
    (operation,) = operations(container_id)
    facts = operation.progress["pull"]
    assert (operation.lane, facts["stage"]) == ("slow", "pulling")
    assert facts["layers_total"] >= 3
    assert facts["layers_done"] == facts["layers_total"]
    assert facts["current"] == facts["total"] >= 5 * MB
    assert inside(row, "ls /noise-2")[0] == 0


@on_sqlite
def test_progress_is_stored_while_the_pull_goes_on(
    owner, offer, engine, registry, slow_registry, in_background, fresh
):
    reference = push_image(engine, registry.address, layers=2, layer_bytes=8 * MB)
    offer(reference.replace(str(registry.port), str(slow_registry.port)))
    container_id = service.launch(owner, "lab", "lab").id
    slow_registry.blackhole_after(2 * MB)
    in_background()
    try:

        def half_way():
            (operation,) = operations(container_id)
            facts = operation.progress or {}
            return 0 < facts.get("current", 0) < facts.get("total", 0)

        eventually(half_way, 20)
        assert fresh(container_id).status == "pulling"
    finally:
        slow_registry.forward()
    eventually(lambda: fresh(container_id).status == "running", 60)


@on_sqlite
@pytest.mark.parametrize("verb", ["cancel", "delete"])
def test_a_pull_that_has_fallen_silent_is_given_up_at_once(
    owner, offer, engine, registry, slow_registry, in_background, fresh, verb
):
    before = engine.containers()
    reference = push_image(engine, registry.address, layers=1, layer_bytes=8 * MB)
    offered = reference.replace(str(registry.port), str(slow_registry.port))
    offer(offered)
    container_id = service.launch(owner, "lab", "lab").id
    slow_registry.blackhole_after(MB)
    thread = in_background()
    eventually(lambda: slow_registry.is_silent)
    try:
        getattr(service, verb)(container_id)
        thread.join(timeout=10)
        assert not thread.is_alive()
        row = fresh(container_id)
        assert (row and row.error_code) == {"cancel": "cancelled", "delete": None}[verb]
    finally:
        slow_registry.cut()
        slow_registry.forward()
    assert engine.containers() == before


def test_an_image_that_the_registry_lacks_fails_with_its_words(owner, offer, registry, work, fresh):
    offer(f"{registry.address}/no-such-image:1.0")
    container_id = service.launch(owner, "lab", "lab").id
    work()
    row = fresh(container_id)
    assert (row.status, row.error_code) == ("failed", "image_not_found")
    assert row.error_message
    assert row.error_hint
    assert operations(container_id)[0].attempts == 1


class Refuses(http.server.BaseHTTPRequestHandler):
    """A registry that lets nobody in."""

    def do_GET(self):
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="closed"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_arguments):
        """Nobody reads it."""


@on_sqlite
def test_a_registry_that_refuses_fails_with_its_words(owner, offer, work, fresh):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuses) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            offer(f"127.0.0.1:{server.server_port}/lab:1.0")
            container_id = service.launch(owner, "lab", "lab").id
            work()
        finally:
            server.shutdown()
            thread.join()
    row = fresh(container_id)
    assert (row.status, row.error_code) == ("failed", "registry_refused")


@on_sqlite
def test_a_registry_that_is_away_is_tried_again(owner, offer, slow_registry, work, fresh):
    slow_registry.refuse()
    offer(f"127.0.0.1:{slow_registry.port}/lab:1.0")
    container_id = service.launch(owner, "lab", "lab").id
    work()
    (operation,) = operations(container_id)
    assert (operation.state, operation.attempts) == ("queued", 1)
    assert fresh(container_id).status == "pulling"


def test_a_removed_built_in_image_is_said(owner, app, work, fresh):
    app.extensions[catalogue.EXTENSION] = tuple(
        type(image)(**{**vars(image), "reference": "rexec/gone:latest"})
        for image in catalogue.all_images()[:1]
    )
    container_id = service.launch(owner, "lab", "shell").id
    work()
    assert fresh(container_id).error_code == "builtin_image_missing"
