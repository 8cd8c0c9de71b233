"""`rexec serve`, started as an operator starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.processes import Program, free_port

ROOT = Path(__file__).resolve().parents[2]
REXEC = ROOT / ".venv" / "bin" / "rexec"
OURS = (
    "DOCKER_",
    "DATABASE_",
    "REDIS_",
    "JWT_",
    "STRIPE_",
    "APP_URL",
    "SIGNUPS",
    "PORT",
    "PLANS_",
    "IMAGES_",
    "ALERT_",
)


def clean_environment(values: dict[str, str]) -> dict[str, str]:
    """The environment of the tests without any setting of Rexec, plus `values`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    return {**inherited, "PYTHONUNBUFFERED": "1", **values}


class RexecServer(Program):
    """All of Rexec on a free port of 127.0.0.1.

    Args:
        folder: Its working directory, where SQLite and instance files go, and its log.
        values: Its environment; anything else that Rexec reads is taken out.
        arguments: After `rexec`; `serve` unless a test wants another part alone.
    """

    ready_within_s = 30.0

    def __init__(self, folder: Path, values: dict[str, str], *arguments: str) -> None:
        super().__init__(folder)
        self.values = dict(values)
        self.arguments = arguments or ("serve",)
        self.port = int(self.values.setdefault("PORT", str(free_port())))

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        """The command in the project's environment."""
        return [str(REXEC), *self.arguments]

    def environment(self) -> dict[str, str]:
        """Only the settings it was given."""
        return clean_environment(self.values)

    def is_ready(self) -> bool:
        """Say whether it serves pages and knows how its parts are."""
        return self.health()[0] in {200, 503}

    def health(self, path: str = "/health") -> tuple[int, dict[str, Any]]:
        """Status code and body of a health page; code 0 when nothing answers."""
        try:
            with urllib.request.urlopen(self.url + path, timeout=5) as answer:  # noqa: S310 - our own URL
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                body = error.read()
            return error.code, json.loads(body) if body.startswith(b"{") else {}
        except OSError:
            return 0, {}

    def healthy(self) -> bool:
        """Say whether everything it needs is up."""
        return self.health()[1].get("status") == "ok"

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another `rexec` command with the same settings and wait for its end."""
        self.folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [str(REXEC), *arguments],
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        assert done.returncode == 0 or not check, done.stderr
        return done


class HurriedServer(RexecServer):
    """The same with short intervals: for tests that wait for several of them in a row."""

    def command(self) -> list[str]:
        """The command by way of `hurried`."""
        return [sys.executable, "-m", "tests.support.hurried", *self.arguments]

    def environment(self) -> dict[str, str]:
        """With a way to the tests' modules."""
        return {**super().environment(), "PYTHONPATH": str(ROOT)}
