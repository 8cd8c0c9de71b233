"""The private Docker daemon of scripts/engine, for tests."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from rexec.config import DockerSettings
from tests.support.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
SHELL_IMAGE = "rexec/shell:latest"
DEPLOYMENT_LABEL = "rexec.deployment"
"""On everything that Rexec makes."""


class Engine:
    """A daemon over mutual TLS that no other test session shares."""

    script: tuple[str, ...] = (str(ROOT / "scripts" / "engine"),)
    variables: dict[str, str] = {}  # noqa: RUF012 - a constant

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started = False

    def _script(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "ENGINE_DIR": str(self.folder), **self.variables}
        return subprocess.run(
            [*self.script, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=300,
        )

    def start(self) -> None:
        """Start it, or do nothing where it runs; wait until it answers."""
        # From here on there is something to stop, also when this is interrupted.
        self.started = True
        done = self._script("start")
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        """End it with its containers and take away what it left on the machine."""
        if self.started:
            done = self._script("stop")
            assert done.returncode == 0, done.stderr
            self.started = False

    def end(self) -> None:
        """Stop it without the ten seconds that each container may take to end."""
        if self.started and (self.folder / "dockerd.pid").exists() and _runs(self.pid):
            self.resume()
            running = self.docker("ps", "-q", check=False).split()
            if running:
                self.docker("kill", *running, check=False)
        self.stop()

    def environment(self) -> dict[str, str]:
        """DOCKER_HOST, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, as `scripts/engine env` prints them."""
        return {
            "DOCKER_HOST": f"tcp://127.0.0.1:{self.port}",
            "DOCKER_TLS_VERIFY": "1",
            "DOCKER_CERT_PATH": str(self.certificates),
        }

    def settings(self, **changes: Any) -> DockerSettings:
        """How a client reaches it, with changes."""
        values: dict[str, Any] = {
            "host": f"tcp://127.0.0.1:{self.port}",
            "tls_verify": True,
            "cert_path": self.certificates,
        }
        return DockerSettings(**{**values, **changes})

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1."""
        return int((self.folder / "port").read_text())

    @property
    def certificates(self) -> Path:
        """The folder with ca.pem, cert.pem, key.pem and the server's."""
        return self.folder / "certs"

    @property
    def pid(self) -> int:
        """The daemon's process id."""
        return int((self.folder / "dockerd.pid").read_text())

    @property
    def log(self) -> str:
        """What the daemon has printed since it started."""
        return (self.folder / "dockerd.log").read_text(errors="replace")

    def kill(self) -> None:
        """End the daemon with SIGKILL; its containers live on, as live-restore wants it."""
        pid = self.pid
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: not _runs(pid), message="dockerd gone")

    def restart_politely(self) -> None:
        """Ask the daemon to end, as `systemctl restart docker` does, frozen or not, and start it again."""
        pid = self.pid
        os.kill(pid, signal.SIGTERM)
        self.resume()
        eventually(lambda: not _runs(pid), message="dockerd gone")
        self.start()

    def pause(self) -> None:
        """Freeze the daemon: connections are accepted by the kernel and nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a frozen daemon go on."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Kill the daemon and start it again; containers live on."""
        self.kill()
        self.start()

    def docker(
        self, *arguments: str, stdin: bytes | None = None, check: bool = True, timeout: float = 120
    ) -> str:
        """Run the Docker command line against this daemon and return what it printed, stripped."""
        environment = {**os.environ, **self.environment(), "DOCKER_CONFIG": str(self.folder / "cli")}
        done = subprocess.run(
            ["docker", *arguments],
            env=environment,
            input=stdin,
            capture_output=True,
            check=False,
            timeout=timeout,
        )
        assert done.returncode == 0 or not check, done.stderr.decode() + done.stdout.decode()[-4000:]
        return done.stdout.decode(errors="replace").strip()

    def containers(self) -> set[str]:
        """Ids of all containers that Rexec made, running or not."""
        return set(self.docker("ps", "-aq", "--no-trunc", "--filter", f"label={DEPLOYMENT_LABEL}").split())

    def remove(self, containers: set[str]) -> None:
        """Remove containers, and the homes that are nobody's then; those already gone are no mistake."""
        if not containers:
            return
        self.docker("rm", "-f", "-v", *containers, check=False)
        unused = ("--filter", f"label={DEPLOYMENT_LABEL}", "--filter", "dangling=true")
        if homes := self.docker("volume", "ls", "--quiet", *unused).split():
            self.docker("volume", "rm", *homes, check=False)


def _runs(pid: int) -> bool:
    """Say whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
