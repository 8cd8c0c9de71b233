"""Settings for tests, made without looking at the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rexec.config import DockerSettings, Settings

SECRET = "a-secret-of-the-test-suite-" + "0123456789abcdef"
NOWHERE = DockerSettings(host="unix:///nonexistent/docker.sock")


def make_settings(**values: Any) -> Settings:
    """Settings that work without any service: SQLite in memory, a daemon that is not there.

    Args:
        values: Fields of `Settings` to set otherwise.
    """
    defaults: dict[str, Any] = {
        "docker": NOWHERE,
        "database_url": "sqlite://",
        "jwt_secret": SECRET,
        "instance_dir": Path("/nonexistent"),
    }
    return Settings(**{**defaults, **values})
