"""The web worker alone, around a small application, in a thread of the test."""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from rexec.web.worker import Worker
from tests.support.waiting import eventually


class SmallApp:
    """Answers /echo with the body, /big with much, /slow when it is let go; hands /take over."""

    def __init__(self):
        self.config = {"MAX_CONTENT_LENGTH": 64 * 1024}
        self.let_go = threading.Event()
        self.started = threading.Semaphore(0)
        self.taken = []
        self.calls = []

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        self.calls.append(path)
        body = environ["wsgi.input"].read()
        if path == "/slow":
            self.started.release()
            self.let_go.wait(20)
        if path == "/take":
            environ["rexec.hand_over"](lambda sock, leftover: self.taken.append((sock, leftover)))
        if path == "/fail":
            raise ValueError("on purpose")
        answer = {"/echo": body, "/big": b"x" * 4_000_000}.get(path, b"ok")
        start_response("200 OK", [("Content-Length", str(len(answer)))])
        return [answer]


class Platform:
    """What the worker wants from gunicorn's application."""

    def __init__(self, app, hops):
        self.app = app
        self.settings = type("Settings", (), {"trusted_proxy_hops": hops})()
        self.events = []

    def wsgi(self):
        return self.app

    def stopping(self):
        self.events.append("stopping")

    def stopped(self, timeout_s):
        self.events.append("stopped")


class Served:
    """A running worker."""

    def __init__(self, hops=0, threads=4, connections=1000):
        self.app = SmallApp()
        self.platform = Platform(self.app, hops)
        cfg = Config()
        options = {"threads": threads, "worker_connections": connections, "keepalive": 30}
        for name, value in {**options, "graceful_timeout": 6, "sendfile": False}.items():
            cfg.set(name, value)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = self.listener.getsockname()
        log = Logger(cfg)
        self.worker = Worker(1, os.getppid(), [self.listener], self.platform, 30, cfg, log)
        self.worker.load_wsgi()
        self.worker.tpool = self.worker.get_thread_pool()
        self.worker.poller = selectors.DefaultSelector()
        self.worker.method_queue.init()
        self._thread = threading.Thread(target=self.worker.run)
        self._thread.start()

    def connect(self, receive_buffer=None):
        sock = socket.socket()
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(20)
        try:
            sock.connect(self.address)
        except OSError:
            sock.close()
            raise
        return sock

    def get(self, path="/", sock=None, **headers):
        """One request; returns status and body."""
        own = sock is None
        sock = sock or self.connect()
        lines = [f"GET {path} HTTP/1.1", "Host: here", *(f"{k}: {v}" for k, v in headers.items())]
        sock.sendall("\r\n".join([*lines, "", ""]).encode())
        try:
            return answer(sock)
        finally:
            if own:
                sock.close()

    def delay(self):
        """Seconds that a request takes now."""
        started = time.monotonic()
        assert self.get() == (200, b"ok")
        return time.monotonic() - started

    def stop(self):
        self.app.let_go.set()
        self.worker.handle_exit(None, None)
        self._thread.join(20)
        assert not self._thread.is_alive()

    def ended(self):
        return not self._thread.is_alive()


def answer(sock):
    """Read one response; returns status and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            raise EOFError(data)
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    length = next(int(line.split(":")[1]) for line in lines if line.lower().startswith("content-length:"))
    while len(body) < length:
        piece = sock.recv(65536)
        if not piece:
            raise EOFError(body)
        body += piece
    return int(lines[0].split()[1]), body


@pytest.fixture
def serve():
    made = []

    def make(**options):
        made.append(Served(**options))
        return made[-1]

    yield make
    for served in made:
        if not served.ended():
            served.stop()
        served.worker.tmp.close()


@pytest.fixture
def served(serve):
    return serve()


@pytest.fixture
def settled(served):
    """Waits until the worker counts no connection any more."""
    return lambda: eventually(lambda: served.worker.nr_conns == 0, 10)
