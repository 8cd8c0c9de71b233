"""Small commands of the deployment guide: they exist, and say what the guide says they say."""

from __future__ import annotations

import os
import subprocess

import pytest

from rexec.config import MIN_SECRET_BYTES
from tests.support.documents import the_command
from tests.support.router import Router
from tests.support.waiting import eventually

GUIDE = "docs/deploy.md"


def run(command, **variables):
    """What a command of the guide prints, typed as root."""
    done = subprocess.run(
        ["sh", "-ec", command.replace("sudo ", "")],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def on_the_vm(engine):
    """The variables of the Docker command line on the VM."""
    return {**engine.environment(), "DOCKER_CONFIG": str(engine.folder / "cli")}


def test_the_secret_it_makes_is_long_enough():
    assert len(run(the_command(GUIDE, "openssl rand")).strip()) >= MIN_SECRET_BYTES


def test_it_says_until_when_a_certificate_is_good(engine):
    command = the_command(GUIDE, "openssl x509").replace("/etc/docker/certs", str(engine.certificates))
    assert "notAfter=" in run(command)


def test_it_says_what_the_daemon_holds_itself_to(on_the_vm):
    said = run(the_command(GUIDE, "sudo docker info"), **on_the_vm)
    assert "name=userns" in said
    assert said.rstrip().endswith("true")


def test_it_says_what_the_daemon_did_of_late(engine, on_the_vm):
    engine.docker("run", "--rm", "--network=none", "--name=of-late", "rexec/shell:latest", "true")
    # It leaves out the second that is not over yet.
    eventually(lambda: "name=of-late" in run(the_command(GUIDE, "sudo docker events"), **on_the_vm))


@pytest.mark.parametrize("guide", [GUIDE, "docs/operations.md"])
def test_health_is_read_with_curl_through_the_router(server, tmp_path, guide):
    router = Router(tmp_path / "router", server.port)
    try:
        router.start()
        command = the_command(guide, "curl -fsS ").replace("https://your-app.example.com", router.url)
        said = run(f"{command} --cacert {router.bundle} --noproxy '*'")
    finally:
        router.stop()
    assert '"version"' in said
