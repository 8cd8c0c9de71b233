"""scripts/run: which Docker daemon it takes, what it prints, how it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess

import pytest

from tests.support.checkout import copy_checkout
from tests.support.processes import free_port, listens
from tests.support.server import RexecServer, clean_environment
from tests.support.waiting import eventually

# A machine whose /run is empty has no Docker socket.
WITHOUT_SOCKET = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /run && exec "$0" "$@"']


class ScriptsRun(RexecServer):
    """`scripts/run` in a copy of the checkout."""

    stop_signal = signal.SIGINT

    def command(self) -> list[str]:
        return [str(self.folder / "scripts" / "run")]

    def is_ready(self) -> bool:
        return f"Rexec is ready: {self.url}\n" in self.log


@pytest.fixture
def checkout(tmp_path):
    return copy_checkout(tmp_path / "checkout")


@pytest.fixture
def start_run(checkout):
    """Starts `scripts/run` with these variables and waits for the address."""
    started: list[ScriptsRun] = []

    def start(**variables: str) -> ScriptsRun:
        running = ScriptsRun(checkout, variables)
        started.append(running)
        running.start()
        return running

    yield start
    for running in started:
        running.stop()


def run(checkout, *prefix: str, arguments=(), **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*prefix, str(checkout / "scripts" / "run"), *arguments],
        env=clean_environment(variables),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


def test_it_serves_with_sqlite_and_without_redis_on_the_daemon_that_docker_host_names(start_run, engine):
    redis = f"redis://127.0.0.1:{free_port()}/0"
    running = start_run(
        **engine.environment(), REDIS_URL=redis, DATABASE_URL="postgres://nobody@127.0.0.1:1/x"
    )
    code, health = running.health()
    assert (code, health["checks"]["redis"]["status"]) == (200, "off")
    assert (running.folder / "instance" / "rexec.sqlite3").exists()
    assert "using the Docker daemon that DOCKER_HOST names" in running.log


def test_without_docker_host_it_takes_the_private_engine_and_leaves_it_running(start_run, engine):
    running = start_run(ENGINE_DIR=str(engine.folder))
    assert f"already running at tcp://127.0.0.1:{engine.port}" in running.log
    assert running.stop() == 0
    assert engine.docker("version", "--format", "{{.Server.Version}}")


def test_ctrl_c_ends_everything_it_started(start_run, engine):
    running = start_run(**engine.environment())
    session = running.pid
    # A terminal sends it to all processes of the foreground group.
    os.killpg(session, signal.SIGINT)
    assert running.process.wait(15) == 0
    assert not listens(running.port)
    eventually(lambda: not _members(session), 5, message="all processes of its session gone")


def _members(session: int) -> list[str]:
    """Processes of a session that still run."""
    found = subprocess.run(
        ["ps", "-o", "stat=,args=", "--sid", str(session)], capture_output=True, text=True, check=False
    )
    return [line for line in found.stdout.splitlines() if not line.startswith("Z")]


def test_a_daemon_that_cannot_start_gives_its_own_reason_and_exit_code_3(checkout, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(checkout, ENGINE_DIR=str(tmp_path / "engine"), ENGINE_PORT=port)
    assert done.returncode == 3
    assert "address already in use" in done.stderr


@pytest.fixture
def nobody_special(tmp_path):
    """A PATH on which the user is not root and has no sudo."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "id").write_text("#!/bin/sh\ncase $1 in -u) echo 1000 ;; *) echo users ;; esac\n")
    (folder / "sudo").write_text("#!/bin/sh\nexit 1\n")
    for program in folder.iterdir():
        program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_without_any_daemon_it_prints_what_to_type_and_exits_2(checkout, nobody_special):
    prefix = [*([] if os.geteuid() == 0 else ["sudo"]), *WITHOUT_SOCKET]
    done = run(checkout, *prefix, PATH=nobody_special)
    assert done.returncode == 2, done.stderr
    assert "sudo scripts/engine start" in done.stderr
    assert "DOCKER_HOST=tcp://" in done.stderr
    assert done.stdout == ""


def test_an_argument_is_refused_with_the_usage(checkout):
    done = run(checkout, arguments=["serve"])
    assert done.returncode == 2
    assert "Usage: scripts/run" in done.stderr


def test_help_names_the_port_and_the_exit_codes(checkout):
    text = run(checkout, arguments=["--help"]).stdout
    assert "127.0.0.1:${PORT:-8080}" in text
    assert "Exit codes: 2" in text
