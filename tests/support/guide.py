"""The deployment guide's variables, and reading settings from them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rexec.config import Settings
from rexec.errors import ConfigError
from tests.support.certificates import Authority

CA = Authority()
CLIENT = CA.issue()
SECRET = "s" * 32
PUBLIC = {
    "DOCKER_HOST": "tcp://203.0.113.7:2376",
    "DOCKER_TLS_VERIFY": "1",
    "DOCKER_CA_CERT": CA.cert,
    "DOCKER_CLIENT_CERT": CLIENT.cert,
    "DOCKER_CLIENT_KEY": CLIENT.key,
    "DATABASE_URL": "postgres://u:p@db.example:5432/rexec",
    "JWT_SECRET": SECRET,
}
TLS = {"DOCKER_HOST": "tcp://127.0.0.1:2376", "DOCKER_TLS_VERIFY": "1"}
PEMS = {name: PUBLIC[name] for name in ("DOCKER_CA_CERT", "DOCKER_CLIENT_CERT", "DOCKER_CLIENT_KEY")}


def read(tmp_path: Path, bind: str = "127.0.0.1", **environ: str) -> Settings:
    """The settings of an environment."""
    return Settings.from_env(environ, bind=bind, instance_dir=tmp_path)


def problems(tmp_path: Path, bind: str = "127.0.0.1", **environ: str) -> list[str]:
    """What is wrong with an environment."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, bind, **environ)
    return caught.value.problems
