"""The command: its output for people and for programs, its exit code, and its end within twenty seconds."""

import json
import os
import pty
import subprocess
import time
import urllib.request

import pytest

from tests.engine.doctor.conftest import diagnosis
from tests.support.blackhole import blackhole
from tests.support.certificates import DAY, Authority
from tests.support.fake_daemon import FakeDaemon, silent
from tests.support.processes import free_port
from tests.support.proxy import TcpProxy
from tests.support.server import REXEC, RexecServer, clean_environment
from tests.support.stacks import on_postgres
from tests.support.waiting import eventually

WITHIN_S = 18.0
"""Of the twenty seconds promised, two are for the start of Python, which `timed` leaves out."""
NOWHERE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}


@pytest.fixture
def command(tmp_path):
    """Runs `rexec doctor` in an environment."""

    def run(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
        return RexecServer(tmp_path / "doctor", environ).run("doctor", *arguments, check=False)

    return run


@pytest.fixture
def timed(command):
    """Runs it for a program: gives what ended, and its seconds but for those that Python takes to start."""

    def run(environ: dict[str, str]) -> tuple[subprocess.CompletedProcess[str], float]:
        moments = [time.monotonic()]
        for argument in ("--help", "--json"):
            done = command(environ, argument)
            moments.append(time.monotonic())
        before, between, after = moments
        return done, (after - between) - (between - before)

    return run


@on_postgres
def test_a_well_deployment_is_told_line_by_line_and_ends_with_0(command, variables):
    done = command(variables)
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert lines[0].split()[:3] == ["✓", "settings", "ok"]
    assert lines[-1].startswith(("Everything works.", "It works, with "))
    assert "\x1b" not in done.stdout


@on_postgres
def test_programs_get_json_with_four_fields_a_check(command, variables):
    done = command(variables, "--json")
    assert done.returncode == 0, done.stdout
    checks = json.loads(done.stdout)["checks"]
    assert {tuple(check) for check in checks} == {("name", "status", "message", "hint")}
    assert {check["status"] for check in checks} <= {"ok", "warning", "skipped"}


def test_a_failure_ends_with_1_and_the_summary_says_what_to_do_first(command):
    done = command({**NOWHERE, "SIGNUPS": "sometimes", "JWT_SECRET": "hunter2-hunter2-hunter2-hunter2-"})
    assert done.returncode == 1
    assert done.stderr == ""
    assert "✗ settings            fail     SIGNUPS is not one of open, invite, closed." in done.stdout
    assert "(docker_no_socket" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("3 failed. First, settings: SIGNUPS")
    assert "hunter2" not in done.stdout


def test_a_public_service_lacks_what_the_guide_requires(command):
    done = command({}, "--json", "--bind", "0.0.0.0")
    found = json.loads(done.stdout)["checks"]
    missing = [check["message"] for check in found if check["name"] == "settings"]
    names = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DATABASE_URL", "JWT_SECRET")
    assert missing == [f"{name} is missing." for name in names]
    assert diagnosis(found).message("client-key") == "DOCKER_CLIENT_KEY is missing."
    assert done.returncode == 1


def on_a_terminal(environ):
    """What the command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [str(REXEC), "doctor"],
        env=clean_environment(environ),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        cwd=environ["HOME"],
    ) as process:
        os.close(theirs)
        written = b""
        try:
            while piece := os.read(ours, 65536):
                written += piece
        except OSError:
            pass  # EIO is how a terminal says that nobody writes any more.
        os.close(ours)
        assert process.wait(30) == 1
    return written.decode()


def test_colours_are_for_terminals_whose_owner_wants_them(tmp_path):
    environ = {**NOWHERE, "HOME": str(tmp_path), "TERM": "xterm-256color"}
    assert "\x1b[31m✗ tcp" in on_a_terminal(environ)
    assert "\x1b[" not in on_a_terminal({**environ, "NO_COLOR": "yes, none"})


def everything_at(port, engine):
    """A deployment whose every dependency is behind one port."""
    return {
        **engine.environment(),
        "DOCKER_HOST": f"tcp://127.0.0.1:{port}",
        "DATABASE_URL": f"postgresql://rexec@127.0.0.1:{port}/rexec",
        "REDIS_URL": f"redis://127.0.0.1:{port}/0",
        "JWT_SECRET": "s" * 32,
        "STRIPE_SECRET_KEY": "sk_test_1",
        "STRIPE_API_BASE": f"http://127.0.0.1:{port}",
    }


@on_postgres
def test_a_firewall_that_drops_everything_takes_less_than_twenty_seconds(timed, engine, stack):
    with blackhole() as port:
        done, took_s = timed(everything_at(port, engine))
    found = diagnosis(json.loads(done.stdout)["checks"])
    assert took_s < WITHIN_S
    assert done.returncode == 1
    assert found.named("fail") == {"tcp", "database", "redis", "stripe"}
    assert "(docker_timeout" in found.message("tcp")
    assert "(database_timeout)" in found.message("database")
    assert "(redis_timeout)" in found.message("redis")
    assert "(stripe_unreachable)" in found.message("stripe")


@on_postgres
def test_peers_that_accept_and_never_answer_take_less_than_twenty_seconds(timed, engine, stack):
    with FakeDaemon(silent) as daemon:
        done, took_s = timed(everything_at(daemon.port, engine))
    found = diagnosis(json.loads(done.stdout)["checks"])
    assert took_s < WITHIN_S
    assert {"tls-handshake", "database", "redis", "stripe"} == found.named("fail")
    assert "(docker_timeout" in found.message("tls-handshake")


@on_postgres
@pytest.mark.parametrize("bytes_before", [6_000, 20_000])
def test_a_way_that_falls_silent_in_the_middle_takes_less_than_twenty_seconds(
    timed, variables, engine, bytes_before
):
    with TcpProxy(engine.port) as proxy:
        proxy.blackhole_after(bytes_before)
        done, took_s = timed({**variables, "DOCKER_HOST": f"tcp://127.0.0.1:{proxy.port}"})
    found = diagnosis(json.loads(done.stdout)["checks"])
    assert proxy.bytes_forwarded >= bytes_before
    assert took_s < WITHIN_S
    assert done.returncode == 1
    assert "database" in found.named("ok")


@on_postgres
def test_an_expired_certificate_prevents_no_start_and_is_named_by_health_and_doctor(
    stack, engine, database_url, tmp_path
):
    authority = Authority.of_files(engine.certificates / "ca.pem", engine.certificates / "ca-key.pem")
    pair = authority.issue(starts=-9 * DAY, ends=-DAY)
    given = {"DOCKER_CLIENT_CERT": pair.cert, "DOCKER_CLIENT_KEY": pair.key}
    server = RexecServer(tmp_path / "server", {**stack.server_environment(database_url), **given})
    server.start()
    try:
        with urllib.request.urlopen(f"{server.url}/login", timeout=10) as page:  # noqa: S310 - our own server
            assert page.status == 200
        told = eventually(lambda: server.health()[1]["certificates"], 30, message="/health knows the dates")
        assert {one["name"]: one["status"] for one in told}["client"] == "expired"
        done = server.run("doctor", check=False)
    finally:
        server.stop()
    assert done.returncode == 1
    assert "(tls_client_expired)" in done.stdout
    assert "First, dates: DOCKER_CLIENT_CERT has expired" in done.stdout


def test_the_help_is_there_at_once(command):
    done = command({"PORT": str(free_port())}, "--help")
    assert done.returncode == 0
    assert "--json" in done.stdout
