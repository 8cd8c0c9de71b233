"""Opening a terminal stream: the head of the answer, in whatever pieces it comes, within one deadline."""

import socket
import time

import pytest

from rexec.config import DockerSettings
from rexec.docker_host import DockerHost
from rexec.docker_host.errors import DockerAPIError, DockerConflict, DockerNotFound, DockerUnreachable
from tests.engine.docker_host.streams import Reader
from tests.support.fake_daemon import FakeDaemon, answer, read_request, serve_requests

SWITCH = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"


def hijacking(talk):
    """A daemon that answers pings and hands every other connection over."""

    def serve(connection):
        while (request := read_request(connection)) is not None:
            if request[1].endswith("/_ping"):
                connection.sendall(answer(200, "OK", Api_Version="1.41"))
            else:
                talk(connection)
                return

    return FakeDaemon(serve)


def plain(daemon, **options):
    return DockerHost(DockerSettings(host=f"tcp://127.0.0.1:{daemon.port}"), **options)


def test_bytes_that_arrive_with_the_answers_head_are_not_lost():
    with hijacking(
        lambda connection: connection.sendall(SWITCH + b"first bytes") or connection.recv(1)
    ) as daemon:
        stream = plain(daemon).open_attach("abc", logs=True)
        assert stream.pending == b"first bytes"
        stream.close()


def test_a_head_that_comes_byte_by_byte_is_understood():
    def drip(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in SWITCH + b"x":
            connection.sendall(bytes([byte]))
        connection.recv(1)

    with hijacking(drip) as daemon:
        stream = plain(daemon).open_attach("abc", logs=True)
        assert Reader(stream).until(b"x") == b"x"
        stream.close()


def test_one_deadline_covers_the_whole_opening():
    def drip(connection):
        for byte in SWITCH * 50:
            connection.sendall(bytes([byte]))
            time.sleep(0.1)

    with hijacking(drip) as daemon:
        started = time.monotonic()
        with pytest.raises(DockerUnreachable, match="docker_timeout"):
            plain(daemon, connect_timeout=0.3, read_timeout=0.7).open_attach("abc", logs=True)
        assert time.monotonic() - started < 3


def test_a_head_without_an_end_is_refused():
    def flood(connection):
        connection.sendall(b"HTTP/1.1 101 UPGRADED\r\nX: " + b"x" * 200_000)
        connection.recv(1)

    with hijacking(flood) as daemon, pytest.raises(DockerAPIError, match="docker_protocol"):
        plain(daemon).open_attach("abc", logs=True)


@pytest.mark.parametrize("said", [b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
def test_an_answer_that_is_no_switch_of_protocols_is_refused(said):
    with (
        hijacking(lambda connection: connection.sendall(said) or connection.recv(1)) as daemon,
        pytest.raises(DockerAPIError, match="docker_protocol"),
    ):
        plain(daemon).open_attach("abc", logs=True)


def test_a_connection_that_ends_in_the_head_is_an_outage():
    with (
        hijacking(lambda connection: connection.sendall(SWITCH[:30])) as daemon,
        pytest.raises(DockerUnreachable, match="docker_closed"),
    ):
        plain(daemon).open_attach("abc", logs=True)


def test_a_refusal_is_read_to_its_end():
    message = "Container abc is not running" + " " * 3000

    def slowly(connection):
        data = answer(409, {"message": message})
        connection.sendall(data[:200])
        connection.sendall(data[200:])
        connection.recv(1)

    with hijacking(slowly) as daemon, pytest.raises(DockerConflict) as caught:
        plain(daemon).open_attach("abc", logs=True)
    assert caught.value.code == "docker_not_running"


def test_names_are_quoted_into_the_path():
    paths = []

    def respond(method, path, body):
        paths.append(path)
        return answer(404, {"message": "No such container"})

    with FakeDaemon(serve_requests(respond)) as daemon, pytest.raises(DockerNotFound):
        plain(daemon).open_attach("../info?x=1 \r\nX: y", logs=False)
    assert paths[0].startswith("/v1.41/containers/..%2Finfo%3Fx%3D1%20%0D%0AX%3A%20y/attach?")
