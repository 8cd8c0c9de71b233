"""The image of Dockerfile.remote, built as the guide says, and the service run from it."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path

from tests.support.base_image import base_image_file
from tests.support.engine import Engine
from tests.support.plain_engine import PlainEngine
from tests.support.server import ROOT, RexecServer

NAME = "rexec:latest"
BASE = "rexec/base:local"
KEPT = ROOT / ".test" / "base"
BUILD_COMMAND = ("docker", "build", "-f", "Dockerfile.remote", "-t", NAME, ".")
"""As docs/deploy.md has it; only the base image and this machine's proxies are added."""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")


class RexecImage:
    """Built once for all processes of a test session, by the first that needs it.

    Args:
        folder: Shared by these processes.
    """

    def __init__(self, folder: Path) -> None:
        self.file = folder / "rexec-image.tar"
        self.layers = folder / "rexec-image.json"
        self._lock = folder / "rexec-image.lock"

    def build(self, builder: PlainEngine) -> RexecImage:
        """Build it, unless another process did.

        Args:
            builder: A daemon that reaches the mirrors; started only where there is something to build.
        """
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not self.file.exists():
                try:
                    builder.start()
                    self._build(builder)
                finally:
                    builder.end()
        return self

    def _build(self, builder: PlainEngine) -> None:
        builder.docker("import", "--change", 'CMD ["sh"]', str(base_image_file(KEPT, self.file.parent)), BASE)
        *command, context = BUILD_COMMAND
        arguments = [f"BASE_IMAGE={BASE}", *(name for name in PROXIES if name in os.environ)]
        done = subprocess.run(
            [*command, *(f"--build-arg={argument}" for argument in arguments), context],
            cwd=ROOT,
            env={**os.environ, **builder.environment(), "DOCKER_BUILDKIT": "0"},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        history = builder.docker("history", "--human=false", "--no-trunc", "--format", "{{json .}}", NAME)
        self.layers.write_text(history, encoding="utf-8")
        unfinished = self.file.with_suffix(".part")
        builder.docker("save", "-o", str(unfinished), NAME)
        unfinished.rename(self.file)

    def own_size(self) -> int:
        """Bytes of all layers on top of the base image."""
        layers = [json.loads(line) for line in self.layers.read_text(encoding="utf-8").splitlines()]
        return sum(int(layer["Size"]) for layer in layers[:-1])

    def load(self, engine: Engine) -> None:
        """Put it into a daemon, unless it is there."""
        if not engine.docker("images", "-q", NAME):
            engine.docker("load", "-i", str(self.file))


class RexecContainer(RexecServer):
    """`rexec serve` in a container of the image, in the network of its daemon.

    Args:
        folder: For its log.
        engine: The daemon, in the tests' own network; it has the image.
        values: The whole environment of the container but PORT.
        options: More words for `docker run`.
    """

    def __init__(
        self, folder: Path, engine: PlainEngine, values: dict[str, str], options: tuple[str, ...] = ()
    ) -> None:
        super().__init__(folder, values)
        self.engine = engine
        self.name = f"rexec-{self.port}"
        self.options = options

    def command(self) -> list[str]:
        """Read-only, with the memory of the smallest plans; secrets are in nobody's command line."""
        certificates = self.engine.certificates
        return [
            *("docker", "--host", f"tcp://127.0.0.1:{self.engine.port}", "--tlsverify"),
            *("--tlscacert", str(certificates / "ca.pem"), "--tlscert", str(certificates / "cert.pem")),
            *("--tlskey", str(certificates / "key.pem"), "run", "--name", self.name, "--network", "host"),
            *("--read-only", "--memory=512m", "--memory-swap=512m"),
            *(word for name in self.values for word in ("--env", name)),
            *self.options,
            NAME,
        ]

    def environment(self) -> dict[str, str]:
        """What `--env NAME` takes the values from; the command line is told its daemon by options."""
        return {**os.environ, **self.values, "DOCKER_CONFIG": str(self.folder)}

    def inspect(self) -> dict:
        """What the daemon knows about the container."""
        return json.loads(self.engine.docker("inspect", self.name))[0]

    def shell(self, line: str) -> str:
        """Run a line in the container as its own user; returns what it printed."""
        return self.engine.docker("exec", self.name, "sh", "-c", line)

    def kill(self) -> None:
        """End it with SIGKILL."""
        self.engine.docker("kill", self.name, check=False)
        super().kill()

    def remove(self) -> None:
        """Take the container away, running or not."""
        self.engine.docker("rm", "-f", "-v", self.name, check=False)
        super().kill()
