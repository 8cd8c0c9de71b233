"""What surrounds the process does not reach the client: bundles, proxies, other settings, redirects."""

import json

import pytest

from rexec.config import DockerSettings
from rexec.docker_host.errors import DockerAPIError
from tests.support.certificates import Authority
from tests.support.fake_daemon import (
    FakeDaemon,
    answer,
    ping_answer,
    serve_requests,
)


def plain(port):
    return DockerSettings(host=f"tcp://127.0.0.1:{port}")


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_ca_bundle_in_the_environment_changes_nothing(engine, make_host, monkeypatch, tmp_path, variable):
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(Authority("A company's own").cert)
    monkeypatch.setenv(variable, str(bundle))
    make_host(engine.settings()).ping()


def test_a_missing_ca_bundle_in_the_environment_changes_nothing(engine, make_host, monkeypatch):
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/bundle.pem")
    make_host(engine.settings()).ping()


def test_a_proxy_in_the_environment_is_not_used(engine, make_host, monkeypatch):
    with (
        FakeDaemon(lambda connection: connection.recv(1)) as proxy,
        FakeDaemon(serve_requests(lambda *_: answer(200, {"Id": "abc"}))) as plain_daemon,
    ):
        for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(variable, f"http://127.0.0.1:{proxy.port}")
            monkeypatch.setenv(variable.lower(), f"http://127.0.0.1:{proxy.port}")
        make_host(engine.settings()).ping()
        make_host(plain(plain_daemon.port)).inspect_container("abc")
        assert proxy.connections == 0


def test_the_docker_commands_own_settings_are_not_used(make_host, monkeypatch, tmp_path):
    settings = {"HttpHeaders": {"X-Secret": "1"}, "credsStore": "none", "detachKeys": "ctrl-q", "proxies": {}}
    (tmp_path / "config.json").write_text(json.dumps(settings))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    heads = []

    def talk(connection):
        while data := connection.recv(65536):
            heads.append(data)
            connection.sendall(ping_answer())

    with FakeDaemon(talk) as daemon:
        make_host(plain(daemon.port)).ping()
    assert heads
    assert b"X-Secret" not in b"".join(heads)


def test_a_redirect_is_not_followed_to_another_host(make_host):
    with FakeDaemon(serve_requests(lambda *_: answer(200, {"Id": "abc"}))) as elsewhere:
        target = f"http://127.0.0.1:{elsewhere.port}/v1.41/containers/abc/json"
        with FakeDaemon(serve_requests(lambda *_: answer(307, {}, Location=target))) as daemon:
            host = make_host(plain(daemon.port))
            with pytest.raises(DockerAPIError, match="docker_protocol"):
                host.inspect_container("abc")
        assert elsewhere.connections == 0
