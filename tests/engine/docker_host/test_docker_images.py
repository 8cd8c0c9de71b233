"""Images: the list, and a pull from a real registry, a failing one, and one that stalls."""

import io
import json
import os
import tarfile
import threading
import time

import pytest

from rexec.config import DockerSettings
from rexec.docker_host.errors import (
    DockerUnreachable,
    ImageError,
    ImageNotFound,
    NoSpace,
    RegistryRefused,
    RegistryUnreachable,
)
from tests.support.engine import SHELL_IMAGE
from tests.support.fake_daemon import FakeDaemon, answer, read_request, serve_requests, silent
from tests.support.processes import free_port
from tests.support.waiting import eventually

LAYER_BYTES = 3_000_000


def layer(size):
    """A tar with one file that does not compress."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("random")
        entry.size = size
        archive.addfile(entry, io.BytesIO(os.urandom(size)))
    return buffer.getvalue()


@pytest.fixture
def pushed(engine, registry):
    """An image that the registry has and the daemon has not."""
    reference = f"{registry.address}/lab/tool:1.0"
    engine.docker("import", "-", reference, stdin=layer(LAYER_BYTES))
    engine.docker("push", reference)
    engine.docker("rmi", reference)
    yield reference
    engine.docker("rmi", "-f", reference, check=False)


def references(host):
    return {image.reference: image.size_bytes for image in host.list_images()}


def test_images_are_listed_with_their_size(host):
    assert 500_000 < references(host)[SHELL_IMAGE] < 50_000_000


def test_an_image_without_a_name_is_not_listed(host, engine):
    image = engine.docker("import", "-", stdin=layer(10))
    try:
        assert "<none>:<none>" not in references(host)
    finally:
        engine.docker("rmi", image)


def test_a_pull_tells_its_progress_layer_by_layer(host, pushed):
    lines = list(host.pull_image(pushed, deadline_s=60))
    assert pushed in references(host)
    layers = {line.layer for line in lines if line.layer}
    assert len(layers) == 1
    known = [line for line in lines if line.total]
    assert known
    assert all(0 <= line.current <= line.total for line in known)
    # Random bytes do not compress: the size on the wire is the size on disk, give or take a header.
    assert known[0].total == pytest.approx(LAYER_BYTES, rel=0.05)
    assert "Pull complete" in [line.status for line in lines]


def test_a_pull_of_what_is_there_is_short(host, pushed):
    list(host.pull_image(pushed, deadline_s=60))
    assert not any(line.total for line in host.pull_image(pushed, deadline_s=60))


def test_without_a_tag_only_latest_is_asked_for(host, registry):
    with pytest.raises(ImageNotFound) as caught:
        list(host.pull_image(f"{registry.address}/lab/nothing", deadline_s=60))
    assert "latest" in caught.value.detail or "not found" in caught.value.detail


def test_a_tag_that_the_registry_lacks(host, pushed):
    with pytest.raises(ImageNotFound) as caught:
        list(host.pull_image(pushed.replace(":1.0", ":9.9"), deadline_s=60))
    assert caught.value.permanent


def test_a_reference_that_makes_no_sense(host):
    with pytest.raises(ImageError):
        list(host.pull_image("UPPER CASE?!", deadline_s=60))


def test_nobody_listens_at_the_registry(host):
    with pytest.raises(RegistryUnreachable) as caught:
        list(host.pull_image(f"127.0.0.1:{free_port()}/x:1", deadline_s=60))
    assert not caught.value.permanent


def test_the_registrys_name_has_no_address(host):
    with pytest.raises(RegistryUnreachable):
        list(host.pull_image("registry.invalid/x:1", deadline_s=60))


def refusing(status, code, **headers):
    """A registry that answers everything with one error."""
    body = {"errors": [{"code": code, "message": code.lower()}]}
    return FakeDaemon(serve_requests(lambda *_: answer(status, body, **headers)))


@pytest.mark.parametrize(
    ("status", "code", "headers", "kind"),
    [
        (401, "UNAUTHORIZED", {"WWW_Authenticate": 'Basic realm="x"'}, RegistryRefused),
        (403, "DENIED", {}, RegistryRefused),
        (404, "NAME_UNKNOWN", {}, ImageNotFound),
        (404, "MANIFEST_UNKNOWN", {}, ImageNotFound),
        (429, "TOOMANYREQUESTS", {}, RegistryUnreachable),
        (503, "UNAVAILABLE", {}, RegistryUnreachable),
    ],
    ids=["log-in wanted", "denied", "no such name", "no such tag", "too many requests", "down"],
)
def test_what_a_registry_answers_is_told_apart(host, status, code, headers, kind):
    with refusing(status, code, **headers) as registry, pytest.raises(kind):
        list(host.pull_image(f"127.0.0.1:{registry.port}/lab/x:1", deadline_s=60))


def test_a_registry_that_never_answers_meets_the_deadline(host):
    with FakeDaemon(silent) as registry:
        started = time.monotonic()
        with pytest.raises(RegistryUnreachable) as caught:
            list(host.pull_image(f"127.0.0.1:{registry.port}/lab/x:1", deadline_s=1.5))
        assert caught.value.code == "pull_timeout"
        assert time.monotonic() - started < 5


def streaming(*lines, then=None):
    """A daemon whose pull answers with these lines."""

    def talk(connection):
        while (request := read_request(connection)) is not None:
            if request[1].endswith("/_ping"):
                connection.sendall(answer(200, "OK", Api_Version="1.41"))
                continue
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for line in lines:
                data = json.dumps(line).encode() + b"\r\n"
                connection.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            if then is not None:
                then(connection)
                return
            connection.sendall(b"0\r\n\r\n")

    return FakeDaemon(talk)


def client(make_host, daemon):
    return make_host(DockerSettings(host=f"tcp://127.0.0.1:{daemon.port}"))


DOWNLOADING = {"id": "aa", "status": "Downloading", "progressDetail": {"current": 1, "total": 2}}


def test_a_full_disk_in_the_middle_of_a_pull(make_host):
    full = {"errorDetail": {"message": "failed to register layer: write /x: no space left on device"}}
    with streaming(DOWNLOADING, full) as daemon:
        pull = client(make_host, daemon).pull_image("debian:12", deadline_s=10)
        assert next(pull).total == 2
        with pytest.raises(NoSpace):
            next(pull)


def test_a_daemon_that_goes_away_in_the_middle_of_a_pull(make_host):
    with streaming(DOWNLOADING, then=lambda connection: connection.close()) as daemon:
        pull = client(make_host, daemon).pull_image("debian:12", deadline_s=10)
        next(pull)
        with pytest.raises(DockerUnreachable, match="docker_closed"):
            next(pull)


def test_a_pull_that_trickles_for_ever_meets_its_deadline(make_host):
    def trickle(connection):
        data = json.dumps(DOWNLOADING).encode() + b"\r\n"
        while True:
            connection.sendall(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            time.sleep(0.05)

    with streaming(then=trickle) as daemon:
        started = time.monotonic()
        with pytest.raises(RegistryUnreachable) as caught:
            list(client(make_host, daemon).pull_image("debian:12", deadline_s=1))
        assert caught.value.code == "pull_timeout"
        assert time.monotonic() - started < 3


def test_a_line_that_arrives_in_pieces_is_one_line(make_host):
    def pieces(connection):
        for piece in (b'{"id":"aa","sta', b'tus":"Pull', b' complete"}\r\n'):
            connection.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        connection.sendall(b"0\r\n\r\n")

    with streaming(then=pieces) as daemon:
        (line,) = client(make_host, daemon).pull_image("debian:12", deadline_s=10)
    assert (line.layer, line.status) == ("aa", "Pull complete")


def test_closing_the_iterator_cancels_the_pull(make_host):
    closed = threading.Event()

    def notice(connection):
        assert connection.recv(1) == b""
        closed.set()

    with streaming(DOWNLOADING, then=notice) as daemon:
        pull = client(make_host, daemon).pull_image("debian:12", deadline_s=30)
        next(pull)
        pull.close()
        assert closed.wait(5)


def test_a_real_daemon_that_is_killed_in_the_middle_of_a_pull(own_engine, make_host):
    host = make_host(own_engine.settings())
    host.ping()
    failures = []

    def pull(reference):
        try:
            list(host.pull_image(reference, deadline_s=60))
        except DockerUnreachable as error:
            failures.append(error)

    with FakeDaemon(silent) as registry:
        waiting = threading.Thread(target=pull, args=(f"127.0.0.1:{registry.port}/lab/x:1",))
        waiting.start()
        eventually(lambda: registry.connections)
        own_engine.kill()
        waiting.join(20)
    assert len(failures) == 1
    own_engine.start()
    host.ping()
