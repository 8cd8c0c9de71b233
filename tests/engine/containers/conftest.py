"""Containers on a real daemon, made by operations that the test works itself."""

from __future__ import annotations

import pytest

from rexec.containers.gateway import docker
from tests.support.by_hand import fresh, launched, owner, work

__all__ = ["fresh", "launched", "owner", "work"]


@pytest.fixture
def inside(app):
    """Runs a command line in a container's shell: exit code and output."""

    def run(row, line, timeout_s=20):
        code, output = docker().exec_run(row.docker_id, ["/bin/sh", "-c", line], timeout_s)
        return code, output.decode(errors="replace").strip()

    return run
