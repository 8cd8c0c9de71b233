"""`rexec doctor` on a whole deployment that is well, and on each part of it that is not, for real."""

import base64

import pytest

from tests.support.certificates import DAY, Authority
from tests.support.fake_daemon import FakeDaemon, answer, serve_requests, server_context, silent
from tests.support.processes import free_port
from tests.support.stacks import on_postgres

LOCAL = {"settings", "ca-cert", "client-cert", "client-key", "key-pair", "chain", "dates", "key-usage"}
REST = {"database", "migrations", "redis", "worker", "watcher"}
AFTER_TRUST = {
    *("api-version", "live-restore", "icc", "storage-driver", "disk-quota", "userns-remap", "runtimes"),
    *("cgroup-limits", "clock", "test-container"),
}
AFTER_HANDSHAKE = AFTER_TRUST | {"client-accepted"}
AFTER_TCP = AFTER_HANDSHAKE | {"tls-handshake", "server-certificate"}
# Whether the disk of a container can be limited is a matter of the test machine's file system.
MAY_WARN = {"disk-quota", "cgroup-limits"}
CA = Authority("Our CA", ends=400 * DAY)
CLIENT = CA.issue(ends=100 * DAY)


def only(found, name, code):
    """One check failed, with this code."""
    assert found.named("fail") == {name}
    assert f"({code}" in found.message(name)
    assert found.found[name][2]
    assert LOCAL | REST - {name} | {"redis"} <= found.named("ok") | found.named("warning") | {name}


def test_a_whole_deployment_is_well(examined, engine, stack):
    found = examined()
    unused = {"stripe"} if stack.redis_url() else {"stripe", "redis"}
    assert found.named("fail") == set()
    assert found.named("warning") <= MAY_WARN
    assert found.named("skipped") == unused
    assert LOCAL | AFTER_TCP | REST - unused <= found.named("ok") | MAY_WARN
    assert found.message("test-container").startswith("Made of rexec/shell:latest")
    assert "TLSv1.3" in found.message("tls-handshake")
    assert "127.0.0.1" in found.message("server-certificate")
    assert engine.docker("ps", "-aq", "--filter", "label=rexec.doctor") == ""
    assert engine.docker("volume", "ls", "-q", "--filter", "label=rexec.doctor") == ""


def pems(engine):
    files = {"DOCKER_CA_CERT": "ca.pem", "DOCKER_CLIENT_CERT": "cert.pem", "DOCKER_CLIENT_KEY": "key.pem"}
    return {name: (engine.certificates / file).read_text() for name, file in files.items()}


@on_postgres
def test_certificates_whose_newlines_were_mangled_work(examined, engine):
    given = pems(engine)
    given["DOCKER_CA_CERT"] = given["DOCKER_CA_CERT"].replace("\n", "\\n")
    given["DOCKER_CLIENT_CERT"] = f'"{given["DOCKER_CLIENT_CERT"]}"'.replace("\n", " ")
    given["DOCKER_CLIENT_KEY"] = base64.b64encode(given["DOCKER_CLIENT_KEY"].encode()).decode()
    found = examined(DOCKER_CERT_PATH=None, **given)
    assert found.named("fail") == set()
    assert "test-container" in found.named("ok")


# The way to the daemon


@on_postgres
def test_connection_refused(examined):
    found = examined(DOCKER_HOST=f"tcp://127.0.0.1:{free_port()}")
    only(found, "tcp", "docker_refused")
    assert found.waits_for("tcp") == AFTER_TCP


@on_postgres
def test_a_name_without_an_address(examined):
    found = examined(DOCKER_HOST="tcp://vm.invalid:2376")
    only(found, "dns", "docker_dns")
    assert found.waits_for("dns") == AFTER_TCP | {"tcp"}


@on_postgres
def test_a_port_that_speaks_plain_http(examined):
    def refuse(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

    with FakeDaemon(refuse) as daemon:
        found = examined(DOCKER_HOST=f"tcp://127.0.0.1:{daemon.port}")
    only(found, "tls-handshake", "tls_plain_http")
    assert "tcp" in found.named("ok")


@on_postgres
def test_verification_that_is_not_turned_on(examined):
    found = examined(DOCKER_TLS_VERIFY=None)
    assert found.named("fail") == {"tls-handshake"}
    assert "(tls_required" in found.message("tls-handshake")


@on_postgres
def test_verification_that_is_not_turned_on_for_a_daemon_elsewhere(examined):
    found = examined(DOCKER_TLS_VERIFY=None, DOCKER_HOST="tcp://vm.invalid:2376")
    assert found.named("fail") == {"settings", "dns"}
    assert "DOCKER_TLS_VERIFY is not 1" in found.message("settings")


# Trust in the daemon


@on_postgres
def test_a_daemon_of_another_authority(examined, engine):
    found = examined(DOCKER_CA_CERT=Authority("Another CA", ends=400 * DAY).cert)
    only(found, "server-certificate", "tls_wrong_ca")
    assert "Rexec Docker CA" in found.message("server-certificate")
    assert found.waits_for("server-certificate") == AFTER_HANDSHAKE


@on_postgres
@pytest.mark.parametrize(
    ("pair", "code", "said"),
    [
        (CA.issue("127.0.0.1", starts=-9 * DAY, ends=-DAY), "tls_server_expired", "It ended on "),
        (CA.issue("127.0.0.1", starts=DAY, ends=9 * DAY), "tls_server_not_yet_valid", "It begins on "),
        (CA.issue("vm.example", "10.1.2.3"), "tls_hostname", "It is for vm.example, 10.1.2.3."),
    ],
    ids=["expired", "not yet valid", "another host"],
)
def test_a_certificate_of_the_daemon_that_does_not_fit(examined, tmp_path, pair, code, said):
    with FakeDaemon(silent, server_context(pair, tmp_path, client_ca=CA.cert)) as daemon:
        found = examined(DOCKER_HOST=f"tcp://127.0.0.1:{daemon.port}", **ours())
    only(found, "server-certificate", code)
    assert said in found.message("server-certificate")


def ours(pair=CLIENT):
    return {
        "DOCKER_CA_CERT": CA.cert,
        "DOCKER_CLIENT_CERT": pair.cert,
        "DOCKER_CLIENT_KEY": pair.key,
        "DOCKER_CERT_PATH": None,
    }


@on_postgres
def test_a_certificate_of_the_daemon_that_ends_soon(examined, tmp_path):
    pair = CA.issue("127.0.0.1", ends=10 * DAY)
    with FakeDaemon(serve_requests(lambda *_: answer(404, {})), server_context(pair, tmp_path)) as daemon:
        found = examined(DOCKER_HOST=f"tcp://127.0.0.1:{daemon.port}", **ours())
    assert "server certificate expires in 9 days" in found.message("server-certificate")
    assert "client-accepted" in found.named("warning")
    assert "lets everybody in" in found.message("client-accepted")


# The daemon's trust in us


def engine_authority(engine):
    return Authority.of_files(engine.certificates / "ca.pem", engine.certificates / "ca-key.pem")


@on_postgres
@pytest.mark.parametrize(
    ("life", "code"),
    [
        ({"starts": -9 * DAY, "ends": -DAY}, "tls_client_expired"),
        ({"starts": DAY, "ends": 9 * DAY}, "tls_client_not_yet_valid"),
    ],
    ids=["expired", "not yet valid"],
)
def test_our_certificate_is_out_of_date(examined, engine, life, code):
    pair = engine_authority(engine).issue(**life)
    found = examined(DOCKER_CLIENT_CERT=pair.cert, DOCKER_CLIENT_KEY=pair.key)
    assert found.named("fail") == {"dates", "client-accepted"}
    assert all(f"({code}" in found.message(name) for name in ("dates", "client-accepted"))
    assert found.waits_for("client-accepted") == AFTER_TRUST


@on_postgres
def test_our_certificate_is_of_another_authority(examined):
    found = examined(DOCKER_CLIENT_CERT=CLIENT.cert, DOCKER_CLIENT_KEY=CLIENT.key)
    only(found, "client-accepted", "tls_client_other_ca")
    assert "chain" in found.named("warning")


@on_postgres
def test_our_certificate_is_not_for_clients(examined, engine):
    pair = engine_authority(engine).issue("127.0.0.1", ends=100 * DAY)
    found = examined(DOCKER_CLIENT_CERT=pair.cert, DOCKER_CLIENT_KEY=pair.key)
    assert found.named("fail") == {"key-usage", "client-accepted"}


@on_postgres
def test_a_key_that_does_not_belong_to_the_certificate(examined, engine):
    found = examined(DOCKER_CLIENT_KEY=CLIENT.key)
    only_pair = {"chain", "dates", "key-usage"} | AFTER_TCP
    assert found.named("fail") == {"key-pair"}
    assert "(tls_key_mismatch" in found.message("key-pair")
    assert found.waits_for("key-pair") == only_pair
    assert "tcp" in found.named("ok")


# The daemon itself


@on_postgres
def test_a_daemon_that_is_too_old(examined, tmp_path):
    def old(connection):
        while connection.recv(65536):
            connection.sendall(answer(200, "OK", Api_Version="1.30"))

    context = server_context(CA.issue("127.0.0.1", ends=99 * DAY), tmp_path, client_ca=CA.cert)
    with FakeDaemon(old, context) as daemon:
        found = examined(DOCKER_HOST=f"tcp://127.0.0.1:{daemon.port}", **ours())
    only(found, "api-version", "docker_version")


@on_postgres
def test_a_runtime_that_the_daemon_does_not_know(examined):
    found = examined(CONTAINER_RUNTIME="runsc")
    only(found, "runtimes", "docker_runtime_unknown")
    assert found.waits_for("runtimes") == {"test-container"}


# What Rexec keeps its things in


@on_postgres
def test_a_database_that_is_down(examined):
    found = examined(DATABASE_URL=f"postgresql://rexec@127.0.0.1:{free_port()}/rexec")
    assert found.named("fail") == {"database"}
    assert "(database_refused)" in found.message("database")
    assert found.waits_for("database") == {"migrations", "worker", "watcher"}
    assert "test-container" in found.named("ok")


@on_postgres
def test_a_database_that_is_not_there(examined, postgres):
    found = examined(DATABASE_URL=postgres.url("nowhere"))
    assert "(database_unknown)" in found.message("database")


@on_postgres
def test_a_database_without_tables(examined, postgres):
    postgres.execute("CREATE DATABASE without_tables")
    found = examined(DATABASE_URL=postgres.url("without_tables"))
    postgres.execute("DROP DATABASE without_tables")
    assert found.named("fail") == {"migrations"}
    assert "(migrations_missing)" in found.message("migrations")
    assert found.waits_for("migrations") == {"worker", "watcher"}


@on_postgres
def test_redis_that_is_down(examined):
    found = examined(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    assert found.named("fail") == {"redis"}
    assert "(redis_refused)" in found.message("redis")


def test_a_service_that_does_not_run(examined, database_url):
    found = examined(DATABASE_URL=database_url)
    assert found.named("fail") == {"worker", "watcher"}
    assert "(worker_gone)" in found.message("worker")
    assert "(watcher_gone)" in found.message("watcher")


@on_postgres
@pytest.mark.parametrize(
    ("status", "verdict", "said"),
    [(200, "ok", "test mode"), (401, "fail", "stripe_key"), (403, "fail", "stripe_permission")],
)
def test_the_key_of_stripe(examined, status, verdict, said):
    asked = []

    def stripe(method, path, _body):
        asked.append((method, path))
        return answer(status, {"data": []})

    with FakeDaemon(serve_requests(stripe)) as server:
        found = examined(STRIPE_SECRET_KEY="sk_test_1", STRIPE_API_BASE=f"http://127.0.0.1:{server.port}")
    assert asked == [("GET", "/v1/prices?limit=1")]
    assert found.found["stripe"][0] == verdict
    assert said in found.message("stripe")


@on_postgres
def test_settings_that_allow_no_application_are_told_and_the_rest_is_looked_at(examined):
    found = examined(PORT="eighty", DOCKER_CLIENT_CERT="/certs/cert.pem", REDIS_URL="localhost")
    assert found.named("fail") == {"settings", "client-cert"}
    assert found.waits_for("client-cert") == {"key-pair", "chain", "dates", "key-usage"} | AFTER_TCP
    assert found.waits_for("settings") == {"redis"}
    assert {"ca-cert", "tcp", "database", "worker"} <= found.named("ok")
