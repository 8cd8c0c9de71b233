"""Every connection is kept alive, and the handshake shows the certificate that the daemon really has."""

import contextlib
import json
import socket
import ssl
from datetime import UTC, datetime

import pytest

from rexec.config import DockerSettings
from rexec.docker_host import certificate_facts, endpoint, is_cut_off, is_near
from rexec.docker_host.errors import DockerTLSError
from tests.support.certificates import DAY, Authority
from tests.support.fake_daemon import (
    FakeDaemon,
    server_context,
)
from tests.support.hurried import KEEPALIVE
from tests.support.packet_loss import PacketLoss
from tests.support.waiting import eventually


def option(sock, level, name, *size):
    return sock.getsockopt(level, name, *size)


def test_every_connection_is_kept_alive(host, container):
    host.ping()
    pool = host._session._adapter._pool
    connection = pool._get_conn()
    stream = host.open_attach(container, logs=False)
    events = host.events()
    try:
        for sock in (connection.sock, stream.sock, events._sock):
            assert isinstance(sock, ssl.SSLSocket)
            assert option(sock, socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
            assert option(sock, socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) <= 60
            assert option(sock, socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) >= 10_000
            assert option(sock, socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
    finally:
        pool._put_conn(connection)
        stream.close()
        events.close()


@pytest.fixture
def pair(monkeypatch):
    """A terminal's connection with short deadlines, and its other end."""
    monkeypatch.setattr(endpoint, "KEEPALIVE_OPTIONS", KEEPALIVE)
    monkeypatch.setattr(endpoint, "UNACKNOWLEDGED_S", 2)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        place = endpoint.Endpoint("tcp", "127.0.0.1", listener.getsockname()[1])
        with place.connect(endpoint.Deadline(5), stream=True) as near, listener.accept()[0] as far:
            near.setblocking(False)
            yield near, far


@pytest.mark.parametrize("typed", [b"", b"x"], ids=["idle", "typed"])
def test_a_terminal_whose_packets_vanish_is_cut_off_long_before_the_kernel_gives_up(pair, typed):
    near, far = pair
    assert not is_cut_off(near)
    loss = PacketLoss(far.getsockname()[1])
    try:
        loss.begin()
        near.send(typed)
        eventually(lambda: is_cut_off(near), 10)
    finally:
        loss.end()
    eventually(lambda: not is_cut_off(near), 10)


def test_a_reader_that_is_merely_slow_is_not_cut_off(pair):
    near, _ = pair
    with contextlib.suppress(BlockingIOError):
        while near.send(b"x" * 65536):
            pass
    verdicts = set()

    def was_silent_for_longer_than_allowed():
        verdicts.add(is_cut_off(near))
        *_, silence_ms = endpoint.TCP_SILENCE.unpack(
            option(near, socket.IPPROTO_TCP, socket.TCP_INFO, endpoint.TCP_SILENCE.size)
        )
        return silence_ms > 1200 * endpoint.UNACKNOWLEDGED_S

    eventually(was_silent_for_longer_than_allowed)
    assert verdicts == {False}


def test_a_unix_socket_is_never_cut_off():
    near, far = socket.socketpair()
    with near, far:
        assert not is_cut_off(near)


def test_a_daemon_on_the_same_machine_is_near(pair):
    assert is_near(pair[0])


def test_the_certificate_of_the_handshake_is_the_daemons(engine, host):
    served = certificate_facts(host.served_certificate())
    assert served == certificate_facts((engine.certificates / "server-cert.pem").read_bytes())


def test_an_expired_certificate_is_shown_without_presenting_ours(make_host, tmp_path):
    authority = Authority()
    pair = authority.issue("127.0.0.1", starts=-2 * DAY, ends=-DAY)
    presented = []
    context = server_context(pair, tmp_path)
    context.load_verify_locations(cadata=authority.cert)
    context.verify_mode = ssl.CERT_OPTIONAL

    def talk(connection):
        presented.append(connection.getpeercert(binary_form=True))
        connection.recv(1)

    client = authority.issue()
    with FakeDaemon(talk, context) as daemon:
        settings = DockerSettings(
            host=f"tcp://127.0.0.1:{daemon.port}",
            tls_verify=True,
            ca_cert=authority.cert,
            client_cert=client.cert,
            client_key=client.key,
        )
        facts = certificate_facts(make_host(settings).served_certificate())
    assert facts.not_after < datetime.now(UTC)
    assert presented == [None]


def test_every_method_works_over_a_unix_socket(engine, make_host, spec):
    (path,) = (
        address
        for address in json.loads((engine.folder / "daemon.json").read_text())["hosts"]
        if address.startswith("unix://")
    )
    host = make_host(DockerSettings(host=path))
    made = host.create_container(spec)
    host.start_container(made)
    assert host.exec_run(made, ["echo", "hello"], 10) == (0, b"hello\n")
    stream = host.open_attach(made, logs=True)
    stream.close()
    events = host.events(since_ns=0, labels=spec.labels)
    assert next(events)["Action"] == "create"
    events.close()
    host.remove_container(made)
    host.remove_volume(spec.volume_name)
    with pytest.raises(DockerTLSError):
        host.served_certificate()
