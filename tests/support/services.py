"""PostgreSQL behind PgBouncer, Redis and an image registry: real ones, private to the test session."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import redis

from tests.support.processes import Program, free_port, listens, unprivileged_user


def _program(name: str, *folders: str) -> str:
    """The path of a program, looked for in these folders too (`/usr/sbin` is not on everybody's PATH)."""
    path = shutil.which(name) or shutil.which(name, path=os.pathsep.join((*folders, "/usr/sbin")))
    assert path is not None, f"{name} is not installed; scripts/test installs it"
    return path


def _own(folder: Path, user: str | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if user:
        entry = pwd.getpwnam(user)
        os.chown(folder, entry.pw_uid, entry.pw_gid)


class Postgres(Program):
    """A PostgreSQL cluster in a folder of its own, without fsync: its data are worth nothing."""

    # Fast shutdown: the default, smart, waits for clients to leave.
    stop_signal = signal.SIGINT

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.user = unprivileged_user()
        self.data = folder / "data"
        versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
        self.bin_folder = str(versions[-1]) if versions else "/usr/bin"

    def launch(self) -> None:
        """Make the cluster the first time, then start it."""
        _own(self.folder, self.user)
        if not self.data.exists():
            initdb = [_program("initdb", self.bin_folder), "-D", str(self.data), "-U", "rexec", "-A", "trust"]
            subprocess.run(
                [*initdb, "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"],
                check=True,
                capture_output=True,
                user=self.user,
                cwd=self.folder,
            )
        super().launch()

    def command(self) -> list[str]:
        """Listens on loopback and on a socket in its own folder."""
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "max_connections": "300",
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        return [_program("postgres", self.bin_folder), "-D", str(self.data), *flags]

    def is_ready(self) -> bool:
        """Say whether it runs queries."""
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def url(self, database: str = "postgres") -> str:
        """Address of a database, past PgBouncer."""
        return f"postgresql://rexec@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, database: str = "postgres") -> None:
        """Run one statement outside a transaction, straight, past PgBouncer."""
        with psycopg.connect(self.url(database), autocommit=True, connect_timeout=5) as connection:
            connection.execute(statement)

    def fetch(
        self, query: LiteralString, *values: object, database: str = "postgres"
    ) -> list[tuple[Any, ...]]:
        """The rows that a query finds, its `%s` filled in."""
        with psycopg.connect(self.url(database), connect_timeout=5) as connection:
            return connection.execute(query, values).fetchall()


class PgBouncer(Program):
    """A pooler in transaction mode before PostgreSQL, as hosted databases have it."""

    stop_signal = signal.SIGTERM

    def __init__(self, folder: Path, postgres_port: int) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.user = unprivileged_user()
        self.postgres_port = postgres_port

    def launch(self) -> None:
        """Write its settings, then start it."""
        _own(self.folder, self.user)
        settings = (
            "[databases]",
            f"* = host=127.0.0.1 port={self.postgres_port} user=rexec",
            "[pgbouncer]",
            "listen_addr = 127.0.0.1",
            f"listen_port = {self.port}",
            "unix_socket_dir =",
            "auth_type = any",
            "pool_mode = transaction",
            "max_client_conn = 1000",
            "default_pool_size = 20",
            "max_db_connections = 20",
            "server_idle_timeout = 10",
            "ignore_startup_parameters = extra_float_digits",
        )
        (self.folder / "pgbouncer.ini").write_text("\n".join(settings) + "\n", encoding="ascii")
        super().launch()

    def command(self) -> list[str]:
        """Runs in the foreground."""
        return [_program("pgbouncer"), str(self.folder / "pgbouncer.ini")]

    def is_ready(self) -> bool:
        """Say whether it accepts connections."""
        return listens(self.port)

    def url(self, database: str) -> str:
        """Address of a database through the pooler, in the form that hosts hand out."""
        return f"postgres://rexec@127.0.0.1:{self.port}/{database}"


class Redis(Program):
    """A Redis that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()

    def command(self) -> list[str]:
        """Without persistence, so that a restart loses everything."""
        settings = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        return [_program("redis-server"), *settings, "--dir", str(self.folder)]

    def url(self, number: int = 0) -> str:
        """Address of one of its sixteen databases."""
        return f"redis://127.0.0.1:{self.port}/{number}"

    def is_ready(self) -> bool:
        """Say whether it answers."""
        try:
            with redis.Redis.from_url(self.url(), socket_timeout=1) as client:
                return bool(client.ping())
        except redis.exceptions.RedisError:
            return False

    def flush(self, number: int) -> None:
        """Empty one database."""
        with redis.Redis.from_url(self.url(number), socket_timeout=5) as client:
            client.flushdb()

    def commands_processed(self) -> int:
        """How many commands it has got since it started, this question included."""
        with redis.Redis.from_url(self.url(), socket_timeout=5) as client:
            return int(client.info("stats")["total_commands_processed"])


class Registry(Program):
    """Debian's image registry; a daemon pulls from it over plain HTTP, since it is on 127.0.0.1."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()

    @property
    def address(self) -> str:
        """What an image's reference starts with: `host:port`."""
        return f"127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Write its settings, then start it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "config.yml").write_text(
            f"version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {self.folder / 'data'}\n"
            f"http:\n  addr: {self.address}\n",
            encoding="ascii",
        )
        super().launch()

    def command(self) -> list[str]:
        """Runs in the foreground."""
        return [_program("docker-registry"), "serve", str(self.folder / "config.yml")]

    def is_ready(self) -> bool:
        """Say whether it answers as a registry."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/v2/", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False
