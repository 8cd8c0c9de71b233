"""`rexec serve`: migrates the database, then starts and watches over web, worker and watcher.

The parts are forked from one process that has imported the code already, so that they share its memory.
Only web is vital: when it dies, the whole service ends and the platform starts it again; worker and watcher
are started again here, with back-off.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import logging
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rexec.config import Settings

log = logging.getLogger("rexec.serve")

STOP_WITHIN_S = 9.0
"""Platforms send SIGKILL ten seconds after SIGTERM."""
MAX_BACKOFF_S = 30.0
STEADY_AFTER_S = 60.0
MIGRATE_WITHIN_S = 60.0
PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15

_PARTS_MODULES = ("rexec.web.server", "rexec.web.worker", "rexec.watcher", "rexec.jobs.rq_worker")


@dataclass
class Part:
    """One process of the service."""

    name: str
    run: Callable[[Settings], None]
    vital: bool = False
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    start_at: float = field(default_factory=time.monotonic)


def serve(settings: Settings) -> int:
    """Run the whole service until SIGTERM or SIGINT, or until web dies.

    Args:
        settings: For all parts.

    Returns:
        The exit code: 0 after a signal, 1 when the database could not be migrated or web died.
    """
    # As the first process of a container this one has no default reaction to a signal: it would be lost.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)
    _load_what_all_parts_share(settings)
    if not _wait_for(_fork("migrate", lambda: _migrate(settings))):
        return 1
    return _Supervisor(settings, parts(settings)).run()


def _leave(number: int, _frame: object) -> None:
    """End before anything was started that would have to be stopped; a migration ends with this process."""
    log.info("%s: stopping", signal.Signals(number).name)
    sys.exit(0)


def _load_what_all_parts_share(settings: Settings) -> None:
    """Import everything before the forks, and refuse here what cannot work.

    Raises:
        ConfigError: The plans or the catalogue cannot work.
    """
    from sqlalchemy.orm import configure_mappers

    from rexec import create_app
    from rexec.web.server import limit_memory_arenas

    limit_memory_arenas()
    # Where payments are taken, the first event of Stripe's is not to wait for its library.
    for module in (*_PARTS_MODULES, *(("stripe",) if settings.stripe_secret_key else ())):
        importlib.import_module(module)
    # Thrown away: each part makes its own, but the code and what it caches stay in the shared memory.
    create_app(settings)
    configure_mappers()
    gc.collect()
    # Out of the collector's sight, it is not written to, and so not copied.
    gc.freeze()


def parts(settings: Settings) -> list[Part]:
    """The processes that these settings ask for: a worker only where there is Redis."""
    from rexec.watcher import run_watcher
    from rexec.web.server import serve_web
    from rexec.worker import run_worker

    wanted = [Part("web", serve_web, vital=True), Part("watcher", run_watcher)]
    if settings.redis_url:
        wanted.append(Part("worker", run_worker))
    return wanted


class _Supervisor:
    def __init__(self, settings: Settings, wanted: list[Part]) -> None:
        self.settings = settings
        self.parts = wanted
        self.stopping = False

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        # Python calls a handler only between two steps of its own: the pipe is what ends the wait.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        woken, wake = socket.socketpair()
        for end in (woken, wake):
            end.setblocking(False)
        signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
        code = 0
        while not self.stopping:
            self._start_due()
            died = self._reap()
            if died is not None and not self.stopping:
                log.error("web ended; the service ends so that the platform starts it again")
                code = 1
                break
            self._wait(woken)
        self._stop_all()
        return code

    def _on_signal(self, number: int, _frame: object) -> None:
        log.info("%s: stopping", signal.Signals(number).name)
        self.stopping = True

    def _wait(self, woken: socket.socket) -> None:
        ready, _, _ = select.select([woken], [], [], 1.0)
        if ready:
            woken.recv(4096)

    def _start_due(self) -> None:
        now = time.monotonic()
        for part in self.parts:
            if part.pid == 0 and part.start_at <= now:
                part.pid = _fork(part.name, lambda part=part: part.run(self.settings))  # type: ignore[misc]
                part.started = now

    def _reap(self) -> Part | None:
        """Note every child that ended; give the vital one back."""
        died = None
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return died
            if pid == 0:
                return died
            part = next((part for part in self.parts if part.pid == pid), None)
            if part is None:
                continue
            part.pid = 0
            if part.vital:
                died = part
            else:
                self._schedule_again(part, os.waitstatus_to_exitcode(status))

    def _schedule_again(self, part: Part, code: int) -> None:
        now = time.monotonic()
        part.failures = 1 if now - part.started > STEADY_AFTER_S else part.failures + 1
        delay = min(MAX_BACKOFF_S, 2.0 ** (part.failures - 1))
        part.start_at = now + delay
        if not self.stopping:
            log.warning("%s ended with code %s; it starts again in %.0f s", part.name, code, delay)

    def _stop_all(self) -> None:
        deadline = time.monotonic() + STOP_WITHIN_S
        self._send(signal.SIGTERM)
        while any(part.pid for part in self.parts) and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.02)
        self._send(signal.SIGKILL)
        self._reap()

    def _send(self, number: signal.Signals) -> None:
        for part in self.parts:
            if part.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(part.pid, number)


def _fork(name: str, run: Callable[[], None]) -> int:
    """Run a function in a child process that ends when this one does.

    Args:
        name: For the log.
        run: Its work; the child ends with 0 when it returns, 1 when it raises.

    Returns:
        The child's process id.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        _die_with(parent, f"rexec-{name}")
        run()
        code = 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        log.exception("%s failed", name)
    finally:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _die_with(parent: int, name: str) -> None:
    """Have the kernel end this process with its parent, and show its name in `ps -e` and `top`."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode())
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)


def _wait_for(pid: int) -> bool:
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) == 0


def _migrate(settings: Settings) -> None:
    from rexec import create_app
    from rexec.accounts import service as accounts

    if settings.database_url.startswith("sqlite"):
        settings.instance_dir.mkdir(parents=True, exist_ok=True)
    app = create_app(settings)
    with app.app_context():
        migrate(within_s=MIGRATE_WITHIN_S)
        link = accounts.admin_link(settings.app_url or f"http://127.0.0.1:{settings.port}")
    if link:
        log.warning("There is no admin yet. Whoever opens this link first and signs up becomes one: %s", link)


def migrate(within_s: float) -> None:
    """Bring the database of the current app to the newest schema, waiting for it to answer.

    Args:
        within_s: How long to wait, in seconds.

    Raises:
        OperationalError: When it still does not answer after that.
    """
    import flask_migrate
    from sqlalchemy.exc import OperationalError

    deadline = time.monotonic() + within_s
    while True:
        try:
            flask_migrate.upgrade()
        except OperationalError:
            if time.monotonic() > deadline:
                log.exception(
                    "The database did not answer: check DATABASE_URL and that it accepts connections."
                )
                raise
            log.warning("The database does not answer yet; trying again.")
            time.sleep(1)
        else:
            return
