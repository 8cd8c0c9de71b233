"""Programs that tests start: on free ports, in sessions of their own, ended by process id."""

from __future__ import annotations

import os
import pwd
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.waiting import eventually


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def listens(port: int) -> bool:
    """Say whether somebody accepts connections on this port of 127.0.0.1."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def unprivileged_user() -> str | None:
    """Whom PostgreSQL and PgBouncer, which refuse root, run as when the tests run as root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def children(pid: int) -> dict[str, int]:
    """The processes below one, by name; one that ends meanwhile is left out."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):
            found[Path(f"/proc/{child}/comm").read_text().strip()] = int(child)
    return found


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Stop a process in its tracks for a while."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Program:
    """One program; a subclass says how it is started and when it is ready."""

    ready_within_s = 30.0
    stop_signal = signal.SIGTERM
    user: str | None = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log_path = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """The command line."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """The environment of the program."""
        return dict(os.environ)

    def is_ready(self) -> bool:
        """Say whether it can be used now."""
        raise NotImplementedError

    @property
    def log(self) -> str:
        """Everything it has printed so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace") if self.log_path.exists() else ""

    @property
    def pid(self) -> int:
        """Its process id while it runs."""
        assert self.process is not None, f"{type(self).__name__} is not running"
        return self.process.pid

    def launch(self) -> None:
        """Start it and return at once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        as_user = (
            {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []}
            if self.user
            else {}
        )
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **as_user,
            )

    def start(self) -> None:
        """Start it and wait until it is ready."""
        self.launch()
        self.wait_ready()

    def wait_ready(self) -> None:
        """Wait until it is ready; fails with its output when it ended instead."""

        def ready_or_ended() -> bool:
            return self.ended() or self.is_ready()

        try:
            eventually(ready_or_ended, self.ready_within_s, message=f"{type(self).__name__} ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log[-4000:]}") from None
        assert not self.ended(), f"{type(self).__name__} ended at start:\n{self.log[-4000:]}"

    def ended(self) -> bool:
        """Say whether it has ended by itself."""
        return self.process is None or self.process.poll() is not None

    def stop(self, within_s: float = 15.0) -> int | None:
        """End it as an operator would, by force after `within_s` seconds; returns its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(self.stop_signal)
        try:
            code = self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process = None
        return code

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def pause(self) -> None:
        """Stop it in its tracks: it accepts nothing and answers nothing, as a machine that hangs."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Stop it and start it again on the same port, with the same data."""
        self.stop()
        self.start()
