"""A deployment to look at, with a Docker host in memory."""

from __future__ import annotations

import pytest

from rexec.config import Settings
from rexec.doctor.deployment import Deployment
from tests.support.fake_docker_host import FakeDockerHost


@pytest.fixture
def host():
    """The Docker host in memory; its default network is there."""
    host = FakeDockerHost()
    host.networks.add("bridge")
    host.exec_output = b"well\n67108864\n"
    return host


@pytest.fixture
def deployment(tmp_path, host):
    """Makes deployments of environments."""

    def make(**environ: str) -> Deployment:
        reading = Settings.read(environ, instance_dir=tmp_path)
        public = Settings.read(environ, bind="0.0.0.0", instance_dir=tmp_path)
        return Deployment(reading, public, host)

    return make
