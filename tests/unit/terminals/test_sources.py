"""A further tab: what is an outage is not taken for the end of its shell."""

from __future__ import annotations

import pytest

from rexec.docker_host.errors import DockerUnreachable
from rexec.terminals.sources import ExecSource, Over


class Daemon:
    """Makes execs, and starts them where it is told to."""

    def __init__(self):
        self.made = 0
        self.started = []
        self.is_away = False

    def exec_create(self, _container, _argv, _env):
        self.made += 1
        return f"exec-{self.made}"

    def open_exec(self, exec_id):
        if self.is_away:
            raise DockerUnreachable
        self.started.append(exec_id)
        return exec_id

    def exec_inspect(self, _exec_id):
        return {"Running": False}

    def inspect_container(self, _container):
        return {"State": {"Running": True}}


@pytest.fixture
def daemon():
    return Daemon()


@pytest.fixture
def tab(daemon):
    return ExecSource(daemon, "web-lab", "token")


def test_a_shell_that_could_not_be_started_is_started_when_the_daemon_is_back(daemon, tab):
    daemon.is_away = True
    with pytest.raises(DockerUnreachable):
        tab.open()
    daemon.is_away = False
    assert tab.open() == "exec-2"


def test_a_shell_that_was_started_and_does_not_run_has_ended(daemon, tab):
    tab.open()
    with pytest.raises(Over, match="ended"):
        tab.open()
