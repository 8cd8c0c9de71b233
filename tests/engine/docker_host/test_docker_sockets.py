"""Every connection is kept alive, and the handshake shows the certificate that the daemon really has."""

import json
import socket
import ssl
from datetime import UTC, datetime

import pytest

from rexec.config import DockerSettings
from rexec.docker_host import certificate_facts
from rexec.docker_host.errors import DockerTLSError
from tests.support.certificates import DAY, Authority
from tests.support.fake_daemon import (
    FakeDaemon,
    server_context,
)


def option(sock, level, name):
    return sock.getsockopt(level, name)


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
