"""Certificates that end: `/health`, pages and `rexec certs` say so in time, and after."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.certificates import DAY, Authority
from tests.support.processes import free_port
from tests.support.server import HurriedServer, RexecServer
from tests.support.stacks import on_postgres, on_sqlite
from tests.support.waiting import eventually

HOUR = timedelta(hours=1)
WITHIN_S = 60.0
SOON_S = (12, 30, 60)
"""How long a certificate lasts that ends while a test looks on; more where a daemon starts slowly."""


def authority(engine):
    return Authority.of_files(engine.certificates / "ca.pem", engine.certificates / "ca-key.pem")


def shown_by(engine, ends):
    """Restart a daemon with a certificate that ends then."""
    pair = authority(engine).issue("127.0.0.1", "localhost", ends=ends)
    engine.kill()
    (engine.certificates / "server-cert.pem").write_text(pair.cert)
    (engine.certificates / "server-key.pem").write_text(pair.key)
    engine.start()
    kept = (engine.certificates / "server-cert.pem").read_text()
    assert kept == pair.cert, "the daemon's start has made another certificate"


def shown_until_soon(engine):
    """Restart a daemon with a certificate that ends once it has started; gives how long that lasts."""
    for seconds in SOON_S:
        ends = timedelta(seconds=seconds)
        try:
            shown_by(engine, ends)
        except AssertionError as failure:
            if "certificate has expired" not in str(failure):
                raise
        else:
            return ends
    raise AssertionError("the daemon never starts in time")


def client(engine, ends):
    """The variables of a client whose certificate ends then."""
    pair = authority(engine).issue(ends=ends)
    ca = (engine.certificates / "ca.pem").read_text()
    return {"DOCKER_CA_CERT": ca, "DOCKER_CLIENT_CERT": pair.cert, "DOCKER_CLIENT_KEY": pair.key}


@pytest.fixture
def serve(stack, database_url, tmp_path):
    """Starts `rexec serve` on a daemon, with a client certificate that ends in so long."""
    servers = []

    def start(engine, ends):
        values = {**stack.server_environment(database_url), **engine.environment()}
        values |= client(engine, ends)
        server = HurriedServer(tmp_path / f"server-{len(servers)}", values)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()


def is_said(service, status, /, **levels):
    """Wait for a status and the levels of certificates; gives the body."""

    def said():
        body = service.health()[1]
        found = {shown["name"]: shown["status"] for shown in body["certificates"]}
        return body if body["status"] == status and levels.items() <= found.items() else None

    return eventually(said, WITHIN_S, interval=0.3, message=f"{status} {levels}")


@on_postgres
def test_certificates_that_end_soon_degrade_and_pages_tell_the_admin(own_engine, serve, new_user):
    shown_by(own_engine, 2 * DAY + HOUR)
    server = serve(own_engine, 10 * DAY + HOUR)
    body = is_said(server, "degraded", client="warning", server="critical", ca="ok")
    shown = {one["name"]: one for one in body["certificates"]}
    assert (shown["client"]["days_left"], shown["server"]["days_left"]) == (10, 2)
    assert [set(one) for one in body["certificates"]] == [{"name", "not_after", "days_left", "status"}] * 3
    assert sorted(warning.partition(" (")[0] for warning in body["warnings"]) == [
        "client certificate expires in 10 days",
        "server certificate expires in 2 days",
    ]
    person = new_user(server)
    assert "data-health" not in person.get("/containers").text


@on_postgres
def test_expired_certificates_are_down_while_every_page_answers(own_engine, serve, new_user):
    server = serve(own_engine, shown_until_soon(own_engine))
    person = new_user(server)
    body = is_said(server, "down", client="expired", server="expired")
    assert server.health()[0] == 503
    assert body["checks"]["certificates"]["status"] == "down"
    assert "server certificate expired on" in " ".join(body["warnings"])
    for path in ("/containers", "/containers/new", "/account", "/billing"):
        assert person.get(path).status_code == 200
    assert server.health("/health/live")[0] == 200
    # The date is the one that the daemon shows now, which only a handshake without trust can read.
    served = json.loads(server.run("certs", "show", "--json").stdout)["certificates"][-1]
    assert served["name"] == "server"
    assert datetime.fromisoformat(served["not_after"]) < datetime.now(UTC)
    shown_by(own_engine, 100 * DAY)
    renewed = HurriedServer(server.folder, {**server.values, **client(own_engine, 100 * DAY)})
    server.stop()
    renewed.start()
    try:
        is_said(renewed, "ok", client="ok", server="ok")
    finally:
        renewed.stop()


@pytest.fixture
def certs(engine, tmp_path):
    """Runs `rexec certs` against the session's daemon, with a client certificate that ends then."""

    def run(*arguments, ends=100 * DAY, **values):
        environment = {**engine.environment(), **client(engine, ends), **values}
        return RexecServer(tmp_path, environment).run("certs", *arguments, check=False)

    return run


@on_sqlite
def test_show_prints_each_certificate(certs, engine, stack):
    done = certs("show")
    assert done.returncode == 0, done.stderr
    heads = [line for line in done.stdout.splitlines() if line and not line.startswith(" ")]
    assert heads == ["ca", "client", "server"]
    assert "for      " in done.stdout
    assert "127.0.0.1" in done.stdout
    assert "99 days left" in done.stdout
    listed = json.loads(certs("show", "--json").stdout)["certificates"]
    assert [one["name"] for one in listed] == ["ca", "client", "server"]
    assert listed[1]["key"] == "EC secp256r1"
    assert listed[2]["issuer"] == listed[0]["subject"]
    assert len(listed[2]["fingerprint_sha256"].split(":")) == 32
    assert "PRIVATE" not in done.stdout


@on_sqlite
@pytest.mark.parametrize(
    ("ends", "arguments", "code", "words"),
    [
        (100 * DAY, (), 0, "client  ok"),
        (10 * DAY + HOUR, (), 1, "client  ending        10 days left"),
        (10 * DAY + HOUR, ("--days", "9"), 0, "client  ok"),
        (-HOUR, (), 2, "client  expired"),
    ],
)
def test_check_is_for_cron(certs, stack, ends, arguments, code, words):
    done = certs("check", *arguments, ends=ends)
    assert done.returncode == code, done.stderr
    assert words in done.stdout


@on_sqlite
def test_check_tells_a_daemon_that_does_not_answer(certs, stack):
    done = certs("check", DOCKER_HOST=f"tcp://127.0.0.1:{free_port()}")
    assert done.returncode == 2
    assert "client  ok" in done.stdout
    assert "server  unreadable" in done.stdout
    assert "Nothing listens at DOCKER_HOST" in done.stdout


@on_sqlite
def test_a_local_socket_has_no_certificates(stack, tmp_path):
    server = RexecServer(tmp_path, {"DOCKER_HOST": "unix:///nonexistent/docker.sock"})
    done = server.run("certs", "check", check=False)
    assert done.returncode == 2
    assert "without TLS" in done.stderr
