"""The web process: gunicorn run from here, with the parts of Rexec that live in it.

Gunicorn's master only watches; the application is loaded in its one worker, so that the master stays small.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import sys
import time
from typing import TYPE_CHECKING, Any, Final, cast

from gunicorn.app.base import BaseApplication

if TYPE_CHECKING:
    from flask import Flask
    from gunicorn.config import Config

    from rexec.config import Settings

THREADS: Final = 16
CONNECTIONS: Final = 2000
KEEPALIVE_S: Final = 75
"""Longer than routers keep theirs, so that none sends a request into a connection that closes."""
STOP_S: Final = 8
"""A stopping process is killed after 10 s by most platforms."""
LAST_WAIT_S: Final = 0.5
WATCHDOG_S: Final = 60
SWITCH_S: Final = 0.0005
MAX_FILES: Final = 65_536
_M_ARENA_MAX: Final = -8


def serve_web(settings: Settings) -> None:
    """Serve the web part until SIGTERM; does not return.

    Args:
        settings: What to serve, and where.
    """
    limit_memory_arenas()
    raise_file_limit()
    WebApplication(settings).run()


def limit_memory_arenas() -> None:
    """Keep glibc from giving each thread a heap of its own: two serve as well and hold far less."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_ARENA_MAX, 2)


def raise_file_limit() -> None:
    """Allow as many descriptors as the system does: a terminal takes two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class WebApplication(BaseApplication):
    """Gunicorn's view of Rexec.

    Args:
        settings: What to serve, and where.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.flask: Flask | None = None
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn's options; nothing is taken from files or from gunicorn's own variables."""
        host = f"[{self.settings.bind}]" if ":" in self.settings.bind else self.settings.bind
        options: dict[str, Any] = {
            "bind": f"{host}:{self.settings.port}",
            "worker_class": "rexec.web.worker.Worker",
            "workers": 1,
            "threads": THREADS,
            "worker_connections": CONNECTIONS,
            "backlog": 512,
            "keepalive": KEEPALIVE_S,
            "timeout": WATCHDOG_S,
            "graceful_timeout": STOP_S,
            "limit_request_line": 8190,
            # Responses go through `Reply`, which never waits for the reader.
            "sendfile": False,
            "accesslog": None,
            "errorlog": "-",
            "loglevel": self.settings.log_level.lower(),
            "proc_name": "rexec-web",
            "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108 - a watchdog's file
            "control_socket_disable": True,
            # What a proxy says is weighed in rexec.web.security, by TRUSTED_PROXY_HOPS alone.
            "secure_scheme_headers": {},
            "forwarded_allow_ips": "",
            "post_worker_init": _started,
        }
        for name, value in options.items():
            cast("Config", self.cfg).set(name, value)

    def load(self) -> Flask:
        """Build the application, in the worker."""
        from rexec import create_app

        self.flask = create_app(self.settings)
        return self.flask

    def started(self) -> None:
        """Start what lives in the web process beside the pages."""
        from rexec import health, jobs
        from rexec.terminals import service as terminals

        app = self._app()
        # What is loaded now stays: the collector need not look at it again, for milliseconds each time.
        gc.collect()
        gc.freeze()
        # A page's thread gives way to the terminals sooner than after the usual 5 ms.
        sys.setswitchinterval(SWITCH_S)
        if self.settings.redis_url is None:
            jobs.start_in_process(app)
        terminals.hub_of(app)
        health.start(app)

    def stopping(self) -> None:
        """Tell the terminals' browsers to come back; returns at once."""
        from rexec.terminals import service as terminals

        terminals.hub_of(self._app()).begin_stop()

    def stopped(self, timeout_s: float) -> None:
        """Wait for what still runs, at most so many seconds."""
        from rexec import health, jobs
        from rexec.terminals import service as terminals

        app, deadline = self._app(), time.monotonic() + timeout_s
        terminals.stop_hub(app, max(timeout_s / 2, LAST_WAIT_S))
        if self.settings.redis_url is None:
            jobs.stop(max(deadline - time.monotonic(), LAST_WAIT_S))
        health.stop(app)

    def _app(self) -> Flask:
        if self.flask is None:
            raise RuntimeError("the application is not loaded")
        return self.flask


def _started(worker: Any) -> None:
    worker.app.started()
