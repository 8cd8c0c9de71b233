"""The whole application on an SQLite file, with a Docker host that a test can make fail."""

import pytest

from rexec.docker_host.errors import DockerUnreachable
from tests.support.settings import make_settings


class FakeDockerHost:
    """Answers, or is unreachable; counts how often it was asked anything."""

    def __init__(self):
        self.reachable = True
        self.calls = 0

    def _answer(self):
        self.calls += 1
        if not self.reachable:
            raise DockerUnreachable(code="docker_refused", detail="10.1.2.3:2376 refused")

    def ping(self):
        self._answer()

    def version(self):
        self._answer()
        return {"Version": "26.1.5"}

    def __getattr__(self, name):
        raise AssertionError(f"nobody should call {name} here")


@pytest.fixture
def docker_host():
    return FakeDockerHost()


@pytest.fixture
def settings(tmp_path):
    return make_settings(database_url=f"sqlite:///{tmp_path / 'rexec.db'}", instance_dir=tmp_path)
