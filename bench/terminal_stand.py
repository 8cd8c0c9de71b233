"""What the terminal bench stands on: a database, a web process, containers, and two ways into a terminal."""

from __future__ import annotations

import os
import secrets
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from flask import Flask

from rexec import create_app
from rexec.accounts import sessions
from rexec.accounts.models import User
from rexec.config import Settings
from rexec.containers.models import Container
from rexec.containers.specs import shell_loop
from rexec.docker_host import ContainerSpec, DockerHost, NetworkSpec
from rexec.extensions import db
from rexec.supervisor import migrate

IMAGE = "rexec/shell:latest"
LABEL = {"rexec.deployment": "bench"}
NETWORK = "rexec-bench"


def free_port() -> int:
    """A port on loopback that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Stand:
    """Everything the bench needs; `close` takes it away again."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="rexec-bench-"))
        self.port = free_port()
        self.environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{self.folder}/bench.sqlite3",
            "PORT": str(self.port),
            "JWT_SECRET": secrets.token_hex(32),
            "LOG_LEVEL": "WARNING",
        }
        self.app: Flask = create_app(Settings.from_env(self.environment))
        self.docker: DockerHost = self.app.extensions["rexec.docker_host"]
        self._clear()  # a bench that was killed left floods running
        self.docker.ensure_network(NetworkSpec(NETWORK, labels=LABEL))
        self.cookie = self._make_user()
        self._log = (self.folder / "web.log").open("wb")
        self.web = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("terminal_web.py"))],
            env=self.environment,
            cwd=self.folder,
            stdout=self._log,
            stderr=self._log,
        )
        self._wait_ready()

    @property
    def url(self) -> str:
        """The web process's address."""
        return f"http://127.0.0.1:{self.port}"

    def _make_user(self) -> str:
        with self.app.app_context():
            migrate(within_s=10)
            user = User(email="bench@example.com", password_hash="-")
            db.session.add(user)
            db.session.commit()
            self.user_id = user.id
            token = sessions.start(user.id)
            db.session.commit()
            signer: Any = self.app.session_interface
            value = signer.get_signing_serializer(self.app).dumps({"_user_id": token, "_fresh": True})
        return f"{self.app.config['SESSION_COOKIE_NAME']}={value}"

    def _wait_ready(self) -> None:
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"{self.url}/health/live", timeout=2):
                    return
            except OSError:
                time.sleep(0.05)
        raise SystemExit((self.folder / "web.log").read_text())

    def container(self, pids: int = 512) -> tuple[str, str]:
        """A running container with two processors: its public id and the daemon's."""
        public_id = secrets.token_hex(6)
        spec = ContainerSpec(
            name=f"rexec-{public_id}",
            image=IMAGE,
            command=("/bin/sh", "-c", shell_loop()),
            hostname="bench",
            network=NETWORK,
            volume_name=f"rexec-home-{public_id}",
            volume_target="/root",
            memory_bytes=512 * 1024**2,
            nano_cpus=2_000_000_000,
            pids_limit=pids,
            env={"TERM": "xterm-256color", "REXEC_SHELL": "/bin/sh", "PS1": "$ "},
            labels=LABEL,
            volume_labels=LABEL,
        )
        docker_id = self.docker.create_container(spec)
        self.docker.start_container(docker_id)
        with self.app.app_context():
            values = {"image": "shell", "image_reference": IMAGE, "shell": "/bin/sh", "status": "running"}
            db.session.add(
                Container(
                    public_id=public_id, owner_id=self.user_id, name=public_id, docker_id=docker_id,
                    memory_mb=512, cpu_millis=2000, pids=pids, **values,
                )
            )  # fmt: skip
            db.session.commit()
        return public_id, docker_id

    def through_hub(self, public_id: str, tab: int = 1) -> HubWay:
        """A terminal as a browser has it."""
        return HubWay(self, public_id, tab)

    def direct(self, docker_id: str) -> DirectWay:
        """The same attach socket, read by nobody else."""
        return DirectWay(self.docker.open_attach(docker_id, logs=False))

    def pss_kb(self) -> int:
        """Memory of the process that serves, gunicorn's worker, with its part of shared pages, in KB."""
        worker = Path(f"/proc/{self.web.pid}/task/{self.web.pid}/children").read_text().split()[0]
        lines = Path(f"/proc/{worker}/smaps_rollup").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))

    def close(self) -> None:
        """End the web process, remove the containers."""
        self.web.send_signal(signal.SIGTERM)
        self.web.wait(20)
        self._clear()
        self.docker.remove_network(NETWORK)

    def _clear(self) -> None:
        for container in self.docker.list_containers(LABEL):
            self.docker.remove_container(container["Id"])
        for volume in self.docker.list_volumes(LABEL):
            self.docker.remove_volume(volume["Name"])


class Way:
    """A terminal as seen by a reader that looks for a mark."""

    sock: socket.socket

    def __init__(self) -> None:
        self.seen = bytearray()

    def send(self, data: bytes) -> None:
        """Type bytes."""
        raise NotImplementedError

    def read(self, size: int = 1024 * 1024) -> int:
        """Wait for bytes and take them; returns how many."""
        data = self.sock.recv(size)
        if not data:
            raise SystemExit(f"the terminal closed after {bytes(self.seen[-300:])!r}")
        self.seen += data
        return len(data)

    def until(self, mark: bytes) -> int:
        """Read until a mark; returns the bytes read."""
        total, looked = len(self.seen), 0
        while (at := self.seen.find(mark, max(0, looked - len(mark)))) < 0:
            looked = len(self.seen)
            if looked > 1024 * 1024:
                del self.seen[: looked - len(mark)]
                looked = len(mark)
            total += self.read()
        del self.seen[: at + len(mark)]
        return total

    def drain(self, quiet_s: float = 0.3) -> None:
        """Read until nothing comes."""
        while select.select([self.sock], [], [], quiet_s)[0]:
            self.read()
        self.seen.clear()

    def run(self, line: str, mark: str) -> int:
        """Run a line that prints a mark at its end."""
        self.send(f"{line}\n".encode())
        return self.until(mark.encode())


class DirectWay(Way):
    """The engine's attach socket over TLS."""

    def __init__(self, stream: Any) -> None:
        super().__init__()
        self.sock = stream.sock
        self.sock.setblocking(True)
        self.seen += stream.pending

    def send(self, data: bytes) -> None:
        """See `Way`."""
        self.sock.sendall(data)

    def drain(self, quiet_s: float = 0.3) -> None:
        """See `Way`; OpenSSL may hold bytes that select does not see."""
        while True:
            pending = isinstance(self.sock, ssl.SSLSocket) and self.sock.pending()
            if not pending and not select.select([self.sock], [], [], quiet_s)[0]:
                self.seen.clear()
                return
            self.read()


class HubWay(Way):
    """A WebSocket through the hub. Frames from the server are not masked, so marks are found between them."""

    def __init__(self, stand: Stand, public_id: str, tab: int) -> None:
        super().__init__()
        self.sock = socket.create_connection(("127.0.0.1", stand.port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        lines = (
            f"GET /containers/{public_id}/terminal?tab={tab} HTTP/1.1",
            f"Host: 127.0.0.1:{stand.port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            f"Origin: {stand.url}",
            f"Cookie: {stand.cookie}",
        )
        self.sock.sendall("\r\n".join([*lines, "", ""]).encode())
        self.until(b'"live"}')
        self.frame(0x1, b'{"type":"resize","cols":80,"rows":24}')

    def read(self, size: int = 1024 * 1024) -> int:
        """See `Way`; answers the hub's pings, as a browser does."""
        count = super().read(size)
        if b"\x89\x00" in self.seen[-count:]:
            self.frame(0xA, b"")
        return count

    def frame(self, opcode: int, data: bytes) -> None:
        """Send a masked frame; the mask is zero, which is one of the possible ones."""
        size = len(data)
        short = bytes([0x80 | opcode, 0x80 | size]) if size < 126 else b""
        head = short or bytes([0x80 | opcode, 0xFE]) + size.to_bytes(2, "big")
        self.sock.sendall(head + bytes(4) + data)

    def send(self, data: bytes) -> None:
        """See `Way`."""
        self.frame(0x2, data)
