"""The two sides do not trust each other: each cause has its own error, on real handshakes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from rexec.docker_host.errors import DockerTLSError
from tests.engine.docker_host.failing import CA, CLIENT, SERVER, failure, plain, tls
from tests.support.certificates import DAY, Authority
from tests.support.fake_daemon import FakeDaemon, answer, serve_requests, server_context, silent


def test_the_port_speaks_plain_http(make_host):
    def refuse(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with FakeDaemon(refuse) as daemon:
        error = failure(make_host(tls(daemon.port)))
    assert isinstance(error, DockerTLSError)
    assert error.code == "tls_plain_http"


def test_plain_http_to_the_tls_port(engine, make_host):
    error = failure(make_host(plain(engine.port)))
    assert isinstance(error, DockerTLSError)
    assert error.code == "tls_required"


def engine_authority(engine):
    return Authority.of_files(engine.certificates / "ca.pem", engine.certificates / "ca-key.pem")


@pytest.mark.parametrize(
    ("life", "code"),
    [
        ({"starts": -2 * DAY, "ends": -timedelta(hours=1)}, "tls_client_expired"),
        ({"starts": DAY, "ends": 2 * DAY}, "tls_client_not_yet_valid"),
    ],
    ids=["expired", "from tomorrow"],
)
def test_our_certificate_is_out_of_date(engine, make_host, life, code):
    pair = engine_authority(engine).issue(**life)
    error = failure(make_host(engine.settings(client_cert=pair.cert, client_key=pair.key)))
    assert isinstance(error, DockerTLSError)
    assert error.code == code


def test_our_certificate_is_of_another_authority(engine, make_host):
    error = failure(make_host(engine.settings(client_cert=CLIENT.cert, client_key=CLIENT.key)))
    assert error.code == "tls_client_other_ca"


def test_we_have_no_certificate(engine, make_host, tmp_path):
    (tmp_path / "ca.pem").write_bytes((engine.certificates / "ca.pem").read_bytes())
    assert failure(make_host(engine.settings(cert_path=tmp_path))).code == "tls_client_missing"


def test_the_daemon_trusts_another_authority_than_ours(make_host, tmp_path):
    other = server_context(SERVER, tmp_path, client_ca=Authority("Another").cert)
    with FakeDaemon(silent, other) as daemon:
        assert failure(make_host(tls(daemon.port))).code == "tls_client_refused"


def test_the_reason_is_the_same_on_a_hijacked_connection(engine, make_host, container):
    good = make_host(engine.settings())
    good.ping()
    pair = engine_authority(engine).issue(starts=-2 * DAY, ends=-DAY)
    bad = make_host(engine.settings(client_cert=pair.cert, client_key=pair.key))
    with pytest.raises(DockerTLSError, match="tls_client_expired"):
        bad.open_attach(container, logs=False)


def test_another_authority_signed_the_server(engine, make_host):
    error = failure(make_host(engine.settings(ca_cert=Authority("Another").cert)))
    assert isinstance(error, DockerTLSError)
    assert error.code == "tls_wrong_ca"


def test_an_authority_of_the_same_name_signed_the_server(make_host, tmp_path):
    with FakeDaemon(silent, server_context(SERVER, tmp_path)) as daemon:
        assert failure(make_host(tls(daemon.port, ca=Authority().cert))).code == "tls_wrong_ca"


@pytest.mark.parametrize(
    ("pair", "host", "code"),
    [
        (CA.issue("127.0.0.1", starts=-2 * DAY, ends=-DAY), "127.0.0.1", "tls_server_expired"),
        (CA.issue("127.0.0.1", starts=DAY, ends=2 * DAY), "127.0.0.1", "tls_server_not_yet_valid"),
        (CA.issue("10.1.2.3"), "127.0.0.1", "tls_hostname"),
        (CA.issue("vm.example"), "localhost", "tls_hostname"),
    ],
    ids=["expired", "from tomorrow", "another address", "another name"],
)
def test_the_servers_certificate_does_not_fit(make_host, tmp_path, pair, host, code):
    with FakeDaemon(silent, server_context(pair, tmp_path)) as daemon:
        error = failure(make_host(tls(daemon.port, host=host)))
    assert isinstance(error, DockerTLSError)
    assert error.code == code


def test_our_authority_has_expired(make_host, tmp_path):
    old = Authority(starts=-3 * DAY, ends=-DAY)
    with FakeDaemon(silent, server_context(old.issue("127.0.0.1"), tmp_path)) as daemon:
        assert failure(make_host(tls(daemon.port, ca=old.cert))).code == "tls_ca_expired"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"client_key": CA.issue().key}, "tls_key_mismatch"),
        ({"client_cert": "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"}, "tls_bad_pem"),
        ({"ca_cert": "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----"}, "tls_bad_pem"),
        ({"client_key": CLIENT.encrypted_key()}, "tls_key_encrypted"),
        ({"ca_cert": None}, "tls_missing"),
    ],
    ids=["key of another", "bad certificate", "bad authority", "encrypted key", "nothing"],
)
def test_bad_material_is_found_before_any_connection(make_host, changes, code):
    with FakeDaemon(silent) as daemon:
        assert failure(make_host(replace(tls(daemon.port), **changes))).code == code
        assert daemon.connections == 0


def test_certificates_without_key_usage_go_on_working(make_host, tmp_path):
    authority = Authority("openssl req -x509", key_usage=False)
    server, client = authority.issue("127.0.0.1", key_usage=False), authority.issue(key_usage=False)
    context = server_context(server, tmp_path, client_ca=authority.cert)
    with FakeDaemon(serve_requests(lambda *_: answer(200, "OK")), context) as daemon:
        make_host(tls(daemon.port, ca=authority.cert, client=client)).ping()
