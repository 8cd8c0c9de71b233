"""Each way in which a daemon can fail to answer, on real sockets and a real daemon, has its own error."""

import socket
import time
from dataclasses import replace

import pytest

from rexec.config import DockerSettings
from rexec.docker_host.errors import (
    DockerConflict,
    DockerNotFound,
    DockerRejected,
    DockerUnreachable,
    ImageNotFound,
)
from tests.engine.docker_host.failing import SERVER, close, failure, plain, tls
from tests.support.blackhole import blackhole
from tests.support.fake_daemon import (
    FakeDaemon,
    answer,
    ping_answer,
    read_request,
    serve_requests,
    server_context,
    silent,
)
from tests.support.packet_loss import PacketLoss
from tests.support.processes import free_port

# Nobody answers


@pytest.mark.parametrize("settings", [plain, tls], ids=["plain", "tls"])
def test_nobody_listens(make_host, settings):
    error = failure(make_host(settings(free_port())))
    assert isinstance(error, DockerUnreachable)
    assert error.code == "docker_refused"


def test_the_name_has_no_address(make_host):
    # The domain `invalid` never resolves (RFC 6761); how long that takes is the resolver's business.
    error = failure(make_host(tls(2376, host="vm.invalid")), within_s=30)
    assert error.code == "docker_dns"


@pytest.mark.parametrize("settings", [plain, tls], ids=["plain", "tls"])
def test_packets_vanish(make_host, settings):
    with blackhole() as port:
        error = failure(make_host(settings(port), connect_timeout=0.5, read_timeout=30))
    assert isinstance(error, DockerUnreachable)
    assert error.code == "docker_timeout"


def test_packets_vanish_before_a_terminal_is_opened(make_host):
    with FakeDaemon(serve_requests(lambda *_: ping_answer())) as daemon:
        host = make_host(plain(daemon.port), connect_timeout=0.5, read_timeout=30)
        host.ping()
        loss = PacketLoss(daemon.port)
        try:
            loss.begin()
            started = time.monotonic()
            with pytest.raises(DockerUnreachable, match="docker_timeout"):
                host.open_attach("abc", logs=False)
        finally:
            loss.end()
    assert time.monotonic() - started < 2


def test_tls_is_never_answered(make_host):
    with FakeDaemon(silent) as daemon:
        error = failure(make_host(tls(daemon.port), connect_timeout=0.5, read_timeout=0.5))
    assert error.code == "docker_timeout"


def test_http_is_never_answered(make_host, tmp_path):
    with FakeDaemon(silent, server_context(SERVER, tmp_path)) as daemon:
        error = failure(make_host(tls(daemon.port), connect_timeout=0.5, read_timeout=0.5))
    assert error.code == "docker_timeout"


@pytest.mark.parametrize("settings", [plain, tls], ids=["plain", "tls"])
def test_the_peer_closes_at_once(make_host, settings):
    with FakeDaemon(close) as daemon:
        error = failure(make_host(settings(daemon.port)))
    assert isinstance(error, DockerUnreachable)
    assert error.code == "docker_closed"


def test_the_peer_closes_after_the_handshake(make_host, tmp_path):
    with FakeDaemon(close, server_context(SERVER, tmp_path)) as daemon:
        error = failure(make_host(tls(daemon.port)))
    assert error.code == "docker_closed"


def test_an_answer_breaks_off_in_the_middle(make_host):
    def half(connection):
        read_request(connection)
        connection.sendall(answer(200, "x" * 500, Api_Version="1.41")[:-100])

    with FakeDaemon(half) as daemon:
        assert failure(make_host(plain(daemon.port))).code == "docker_closed"


def test_the_socket_file_is_not_there(make_host, tmp_path):
    assert failure(make_host(DockerSettings(host=f"unix://{tmp_path}/none.sock"))).code == "docker_no_socket"


def test_nobody_listens_on_the_socket_file(make_host, tmp_path):
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(tmp_path / "old.sock"))
    assert failure(make_host(DockerSettings(host=f"unix://{tmp_path}/old.sock"))).code == "docker_refused"


def test_something_else_listens(make_host):
    def mail_server(connection):
        connection.sendall(b"220 mail.example ESMTP\r\n")
        read_request(connection)

    with FakeDaemon(mail_server) as daemon:
        error = failure(make_host(plain(daemon.port)))
    assert error.code in {"docker_protocol", "docker_closed"}


def test_a_web_server_listens(make_host):
    with FakeDaemon(
        lambda connection: connection.sendall(answer(200, "hello")) or silent(connection)
    ) as daemon:
        assert failure(make_host(plain(daemon.port))).code == "docker_protocol"


# The daemon answers, and says no


def test_there_is_no_such_container(host):
    with pytest.raises(DockerNotFound):
        host.inspect_container("rexec-none")


def test_there_is_no_such_image(host, spec):
    with pytest.raises(ImageNotFound) as caught:
        host.create_container(replace(spec, image="rexec/none:1"))
    assert caught.value.permanent


def test_an_exec_in_a_stopped_container(host, spec, container):
    host.stop_container(container, grace_s=0)
    with pytest.raises(DockerConflict) as caught:
        host.exec_create(container, ["sh"])
    assert caught.value.code == "docker_not_running"


def test_a_name_that_is_taken(host, spec, container):
    with pytest.raises(DockerConflict) as caught:
        host.create_container(spec)
    assert caught.value.code == "docker_name_taken"


def test_a_request_that_the_daemon_rejects(host, spec):
    with pytest.raises(DockerRejected) as caught:
        host.create_container(replace(spec, memory_bytes=4096))
    assert caught.value.permanent


def test_a_daemon_of_another_age(make_host):
    def too_old(connection):
        while read_request(connection):
            connection.sendall(answer(200, "OK", Api_Version="1.30"))

    with FakeDaemon(too_old) as daemon:
        error = failure(make_host(plain(daemon.port)))
    assert isinstance(error, DockerRejected)
    assert error.code == "docker_version"
