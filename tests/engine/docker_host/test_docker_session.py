"""One client for the process: negotiated lazily, pooled, deaf to the environment, calm about a restart."""

import logging
import socket
import ssl
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from rexec.config import DockerSettings
from rexec.docker_host.errors import DockerRejected, DockerUnreachable
from tests.support.certificates import Authority
from tests.support.fake_daemon import (
    FakeDaemon,
    answer,
    ping_answer,
    read_request,
    serve_requests,
    server_context,
)
from tests.support.proxy import TcpProxy
from tests.support.waiting import eventually

CONTAINER = answer(200, {"Id": "abc"})


def plain(port):
    return DockerSettings(host=f"tcp://127.0.0.1:{port}")


class Versions:
    """A daemon that notes what it is asked and can become another version."""

    def __init__(self, version="1.41"):
        self.version = version
        self.paths = []
        self.kept = []

    def __call__(self, connection):
        self.kept.append(connection)
        while (request := read_request(connection)) is not None:
            path = request[1]
            self.paths.append(path)
            if path.endswith("/_ping"):
                connection.sendall(ping_answer(self.version))
            elif path.startswith(f"/v{self.version}/"):
                connection.sendall(CONTAINER)
            else:
                message = f"client version is too new. Maximum supported API version is {self.version}"
                connection.sendall(answer(400, {"message": message}))

    def drop_connections(self):
        for connection in self.kept:
            connection.shutdown(socket.SHUT_RDWR)
        self.kept.clear()


def test_making_a_client_does_not_connect(make_host):
    with FakeDaemon(Versions()) as daemon:
        make_host(plain(daemon.port)).check_material()
        assert daemon.connections == 0


def test_the_version_is_asked_once_and_used_in_every_path(make_host):
    talk = Versions("1.43")
    with FakeDaemon(talk) as daemon:
        host = make_host(plain(daemon.port))
        for _ in range(3):
            host.inspect_container("abc")
    assert talk.paths == ["/_ping", *["/v1.43/containers/abc/json"] * 3]


def test_a_daemon_newer_than_the_library_is_spoken_to_in_the_librarys_version(make_host):
    paths = []

    def respond(method, path, body):
        paths.append(path)
        return CONTAINER

    talk = serve_requests(respond)

    def newer(connection):
        read_request(connection)
        connection.sendall(ping_answer("1.99"))
        talk(connection)

    with FakeDaemon(newer) as daemon:
        make_host(plain(daemon.port)).inspect_container("abc")
    assert paths == ["/v1.45/containers/abc/json"]


@pytest.mark.parametrize("version", ["1.44", "1.41"], ids=["upgraded", "downgraded"])
def test_the_version_is_asked_again_after_a_reconnect(make_host, version):
    talk = Versions("1.43")
    with FakeDaemon(talk) as daemon:
        host = make_host(plain(daemon.port))
        host.inspect_container("abc")
        talk.version = version
        talk.drop_connections()
        host.inspect_container("abc")
        host.inspect_container("abc")
    assert talk.paths[-1] == f"/v{version}/containers/abc/json"


def test_a_version_that_the_daemon_no_longer_takes_is_asked_again_at_once(make_host):
    talk = Versions("1.43")
    with FakeDaemon(talk) as daemon:
        host = make_host(plain(daemon.port))
        host.inspect_container("abc")
        talk.version = "1.41"
        assert host.inspect_container("abc") == {"Id": "abc"}


def test_a_daemon_that_takes_no_version_is_not_asked_for_ever(make_host):
    refusal = answer(
        400, {"message": "client version 1.41 is too old. Minimum supported API version is 1.52"}
    )
    with FakeDaemon(serve_requests(lambda *_: refusal)) as daemon, pytest.raises(DockerRejected) as caught:
        make_host(plain(daemon.port)).inspect_container("abc")
    assert caught.value.code == "docker_version"


class Stale:
    """A daemon that resets a kept connection when the next request comes: it restarted meanwhile."""

    def __init__(self):
        self.requests = []

    def __call__(self, connection):
        answered = 0
        while (request := read_request(connection)) is not None:
            self.requests.append(request[:2])
            if request[1].endswith("/_ping"):
                connection.sendall(ping_answer())
                continue
            if answered:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                return
            connection.sendall(CONTAINER)
            answered += 1


def test_a_stale_connection_is_no_error_of_a_call_that_may_be_repeated(make_host):
    talk = Stale()
    with FakeDaemon(talk) as daemon:
        host = make_host(plain(daemon.port))
        host.inspect_container("abc")
        assert host.inspect_container("abc") == {"Id": "abc"}
        assert daemon.connections == 2


def test_a_create_is_never_sent_twice(make_host, spec):
    talk = Stale()
    with FakeDaemon(talk) as daemon:
        host = make_host(plain(daemon.port))
        host.inspect_container("abc")
        with pytest.raises(DockerUnreachable) as caught:
            host.create_container(spec)
        assert caught.value.code == "docker_closed"
    assert [method for method, path in talk.requests if path.startswith("/v1.41/containers/create")] == [
        "POST"
    ]


def test_a_restarted_daemon_is_spoken_to_without_an_error(own_engine, make_host):
    host = make_host(own_engine.settings())
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: host.ping(), range(16)))
        own_engine.restart()
        list(threads.map(lambda _: host.ping(), range(16)))
        own_engine.kill()
        with pytest.raises(DockerUnreachable, match="docker_refused"):
            host.ping()
        own_engine.start()
        host.ping()


def test_a_frozen_daemon_is_an_outage_within_the_deadline(own_engine, make_host):
    host = make_host(own_engine.settings(), read_timeout=1)

    def outage():
        try:
            host.ping()
        except DockerUnreachable as error:
            return error.code
        return None

    assert outage() is None
    own_engine.pause()
    try:
        # Its last threads stop a moment after the signal, so that one more answer may come.
        assert eventually(outage) == "docker_timeout"
    finally:
        own_engine.resume()
    host.ping()


def test_a_blackholed_daemon_is_an_outage_and_comes_back(engine, make_host):
    with TcpProxy(engine.port) as proxy:
        settings = engine.settings(host=f"tcp://127.0.0.1:{proxy.port}")
        host = make_host(settings, connect_timeout=1, read_timeout=1)
        host.ping()
        proxy.blackhole()
        with pytest.raises(DockerUnreachable, match="docker_timeout"):
            host.ping()
        proxy.forward()
        host.ping()
        proxy.cut()
        host.ping()


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
def test_as_many_connections_are_kept_as_there_are_threads(make_host, tmp_path, caplog, secure):
    authority = Authority()
    pair = authority.issue("127.0.0.1")
    barrier = threading.Barrier(32)

    def respond(method, path, body):
        barrier.wait(20)
        return CONTAINER

    context = server_context(pair, tmp_path) if secure else None
    with FakeDaemon(serve_requests(respond), context) as daemon, ThreadPoolExecutor(32) as threads:
        tls = {"tls_verify": True, "ca_cert": authority.cert} if secure else {}
        host = make_host(replace(plain(daemon.port), **tls))
        host.ping()
        with caplog.at_level(logging.WARNING):
            for _ in range(3):
                list(threads.map(lambda _: host.inspect_container("abc"), range(32)))
        assert daemon.connections == 32
    assert "pool is full" not in caplog.text


def test_many_threads_at_once_on_one_client(host):
    with ThreadPoolExecutor(24) as threads:
        answers = list(threads.map(lambda _: host.version()["ApiVersion"], range(240)))
    assert len(set(answers)) == 1


FORKING = """
import os, sys
from pathlib import Path
from rexec.config import DockerSettings
from rexec.docker_host import DockerHost
host = DockerHost(DockerSettings(host=sys.argv[1], tls_verify=True, cert_path=Path(sys.argv[2])))
host.ping()
child = os.fork()
for _ in range(50):
    assert host.version()["ApiVersion"]
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_child_uses_connections_of_its_own(engine):
    settings = engine.settings()
    command = [sys.executable, "-W", "error", "-c", FORKING, settings.host, str(settings.cert_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


def test_stop_may_take_its_grace_however_short_the_read_deadline_is(make_host):
    released = threading.Event()

    def respond(method, path, body):
        released.wait(1.0)
        return answer(204, {}) if "/stop?t=2" in path else CONTAINER

    with FakeDaemon(serve_requests(respond)) as daemon:
        host = make_host(plain(daemon.port), read_timeout=0.3)
        host.stop_container("abc", grace_s=2)
        with pytest.raises(DockerUnreachable, match="docker_timeout"):
            host.inspect_container("abc")
        released.set()


def test_no_connection_changes_what_all_of_them_are_made_with(host, container, monkeypatch):
    """OpenSSL reads it without Python's lock: what is replaced meanwhile is read after it was freed."""
    context = host._session.context
    changes = []
    monkeypatch.setattr(ssl.SSLContext, "set_alpn_protocols", lambda *arguments: changes.append(arguments))
    for _ in range(2):
        host.ping()
        host._session.drop_idle_connections()
    host.open_attach(container, logs=False).close()
    assert host._session.context is context
    assert changes == []
