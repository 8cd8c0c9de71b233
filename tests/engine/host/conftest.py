"""Machines that the set-up script has made Docker hosts of."""

from __future__ import annotations

import functools
import http.server
import threading
from dataclasses import dataclass

import pytest

from rexec.config import Settings
from rexec.docker_host import DockerHost
from tests.support.engine import ROOT
from tests.support.fresh_vm import Done, FreshVM

SETUP = "/opt/rexec/docker/docker-host/setup.sh"
IN_ORDER = "nothing to do: everything was in place"


class _Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def source_server():
    """A function that says under which address a machine finds the checkout, as it would the repository."""
    handler = functools.partial(_Files, directory=str(ROOT))
    server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield lambda machine: f"http://{machine.gateway}:{server.server_address[1]}"
    server.shutdown()
    thread.join(10)
    server.server_close()


@dataclass
class DockerMachine:
    """A machine and what set-up said there."""

    vm: FreshVM
    first: Done

    def set_up(self, *options: str) -> Done:
        """Run it again, with the images left out, which no registry has here."""
        return self.vm.run(" ".join([SETUP, "--no-pull", *options]), timeout=200)

    def sets_up(self, *options: str) -> Done:
        """The same, where it has to succeed."""
        done = self.set_up(*options)
        assert done.code == 0, done.stderr
        return done

    def daemon(self) -> str:
        """The process number of its Docker daemon."""
        return self.vm.check("systemctl show -p MainPID --value docker")


def variables(printed: str, *, several: bool = False) -> dict[str, str]:
    """What a dashboard takes from one of the two forms that set-up prints.

    Args:
        printed: Its standard output.
        several: The form whose certificates have several lines, in quotes.
    """
    several_lines, one_line = printed.split("# The same, a line each.")
    text = several_lines if several else one_line
    found, name = {}, None
    for line in text.splitlines():
        head, sign, value = line.partition("=")
        if sign and head.isupper():
            name = head if value.startswith('"') else None
            found[head] = value
        elif name:
            found[name] += "\n" + line
            name = None if line.endswith('"') else name
    return found


def client(values: dict[str, str]) -> DockerHost:
    """Rexec's own client, from nothing but what was printed."""
    return DockerHost(Settings.from_env(values).docker)


def connects(printed: str, *, several: bool = False) -> str:
    """The version of the daemon that answers to the variables."""
    host = client(variables(printed, several=several))
    try:
        return host.version()["Version"]
    finally:
        host.close()


@pytest.fixture(scope="module")
def piped_machine(fresh_vm, source_server):
    """Set up as the guide says: fetched, and piped into bash."""
    source = source_server(fresh_vm)
    fetched = f"curl -fsSL {source}/docker/docker-host/setup.sh"
    piped = f"{fetched} | sudo REXEC_SOURCE={source} bash -s -- --no-pull"
    return DockerMachine(fresh_vm, fresh_vm.run(f"set -o pipefail; {piped}", timeout=200))
