"""Gunicorn's `gthread` worker, with clients that cannot hold a thread.

A pool thread is used from a whole request to its response, no longer: bytes are collected and responses sent
by the poller, which never waits for anybody. An upgraded connection is handed over and forgotten.
"""

from __future__ import annotations

import errno
import selectors
import socket
import time
from collections.abc import Callable
from concurrent import futures
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from gunicorn import http
from gunicorn.workers.gthread import ThreadWorker

from rexec.web.connection import Connection, Connections
from rexec.web.handover import HandedOver, HandOver
from rexec.web.incoming import Expects, Refused

READ_DEADLINE_S: Final = 10.0
SLOWEST_BODY: Final = 64 * 1024
"""Bytes a second that a body may take on top of the deadline."""
WRITE_DEADLINE_S: Final = 30.0
LINGER_S: Final = 2.0
STOP_LINGER_S: Final = 0.5
STOP_RESERVE_S: Final = 2.0
"""What is left of the grace period for the parts beside the pages."""
PER_ADDRESS: Final = 128
CHUNK: Final = 64 * 1024
SWEEP_EVERY_S: Final = 0.5
EVICTED_AT_ONCE: Final = 16

_GONE = object()


class Worker(ThreadWorker):
    """The web worker."""

    poller: selectors.BaseSelector

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._watched: set[Connection] = set()
        # A proxy's address says nothing about who is behind it.
        self._open = Connections(PER_ADDRESS if self.app.settings.trusted_proxy_hops == 0 else None)
        self._max_body = 0
        self._accept_again = 0.0
        self._next_sweep = 0.0

    def load_wsgi(self) -> None:
        """Load the application and let it hand connections over."""
        super().load_wsgi()
        self._max_body = self.wsgi.config["MAX_CONTENT_LENGTH"]
        self.wsgi = HandOver(self.wsgi)

    # -- the poller's thread: never waits

    def run(self) -> None:
        """Serve until told to stop, then let what is under way finish."""
        self.poller.register(
            self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks
        )
        while self.alive:
            self.notify()
            self.set_accept_enabled(
                self.nr_conns < self.worker_connections and time.monotonic() >= self._accept_again
            )
            self.wait_for_and_dispatch_events(timeout=SWEEP_EVERY_S)
            if not self.is_parent_alive():
                break
            self._sweep()
        self._drain()

    def _drain(self) -> None:
        self.set_accept_enabled(False)
        for listener in self.sockets:
            listener.close()
        self.app.stopping()
        deadline = time.monotonic() + self.cfg.graceful_timeout - STOP_RESERVE_S
        for conn in self._watched:
            conn.deadline = min(conn.deadline, time.monotonic() + STOP_LINGER_S)
        while self.nr_conns > 0 and time.monotonic() < deadline:
            self.notify()
            self.wait_for_and_dispatch_events(timeout=0.1)
            self._sweep()
        if self.tpool is not None:
            self.tpool.shutdown(wait=False, cancel_futures=True)
        self.poller.close()
        self.method_queue.close()
        self.app.stopped(deadline + STOP_RESERVE_S - 0.5 - time.monotonic())

    def accept(self, listener: socket.socket) -> None:
        """Take a new connection, unless its address has too many."""
        try:
            sock, client = listener.accept()
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}:
                self.log.warning("No more connections for now: %s", error.strerror)
                self._accept_again = time.monotonic() + 1
            return
        conn = Connection(sock, client, listener.getsockname(), self._max_body)
        if not self._make_room(conn):
            conn.close()
            return
        self.nr_conns += 1
        self._open.add(conn)
        self._await_request(conn)

    def _make_room(self, conn: Connection) -> bool:
        """Close the idlest connection of an address that has too many; say whether there is room now."""
        crowd = self._open.crowd(conn.address)
        waiting = [other for other in crowd if other in self._watched and not other.closing]
        if waiting:
            self._drop(min(waiting, key=lambda other: (other.started, other.deadline)))
        return bool(waiting) or not crowd

    def _await_request(self, conn: Connection) -> None:
        conn.started = 0.0
        conn.deadline = time.monotonic() + (self.cfg.keepalive if self.alive else STOP_LINGER_S)
        self._watch(conn, selectors.EVENT_READ, self._read)
        if len(conn.incoming):
            self._advance(conn)

    def _watch(self, conn: Connection, events: int, callback: Callable[[Connection], None]) -> None:
        self._watched.add(conn)
        self.poller.register(conn.socket, events, partial(self._guarded, callback, conn))

    def _guarded(
        self, callback: Callable[[Connection], None], conn: Connection, _sock: socket.socket
    ) -> None:
        try:
            callback(conn)
        except Exception:
            # One broken connection must not end the worker with all the others.
            self.log.exception("Error on a connection")
            self._drop(conn)

    def _unwatch(self, conn: Connection) -> None:
        if conn in self._watched:
            self._watched.discard(conn)
            self.poller.unregister(conn.socket)

    def _drop(self, conn: Connection) -> None:
        self._unwatch(conn)
        self._forget(conn)
        conn.close()

    def _forget(self, conn: Connection) -> None:
        if self._open.remove(conn):
            self.nr_conns -= 1

    def _read(self, conn: Connection) -> None:
        try:
            data = conn.socket.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(conn)
            return
        if conn.closing:
            return
        conn.incoming.feed(data)
        self._advance(conn)

    def _advance(self, conn: Connection) -> None:
        if not conn.started:
            conn.started = time.monotonic()
        try:
            whole = conn.incoming.is_whole()
        except Refused as refusal:
            self._refuse(conn, refusal.status)
            return
        if whole:
            self._unwatch(conn)
            conn.closing = conn.incoming.oversized
            conn.request = conn.incoming.take()
            self.enqueue_req(conn)
            return
        conn.deadline = conn.started + READ_DEADLINE_S + conn.incoming.needed / SLOWEST_BODY
        if conn.incoming.expects is Expects.CONTINUE:
            conn.incoming.expects = Expects.NOTHING
            self._send_now(conn, b"HTTP/1.1 100 Continue\r\n\r\n")

    def _send_now(self, conn: Connection, data: bytes) -> None:
        try:
            conn.sock.sendall(data)
        except OSError:
            self._drop(conn)

    def _refuse(self, conn: Connection, status: HTTPStatus) -> None:
        words = f"{status.value} {status.phrase}"
        head = f"HTTP/1.1 {words}\r\nContent-Type: text/plain\r\nContent-Length: {len(words)}\r\n"
        self._unwatch(conn)
        conn.closing = True
        try:
            conn.sock.sendall(f"{head}Connection: close\r\n\r\n{words}".encode())
        except OSError:
            self._drop(conn)
            return
        self._linger(conn)

    def finish_request(self, conn: Connection, fs: futures.Future[object]) -> None:
        """Go on after a pool thread: forget, flush, keep or close the connection."""
        result = False if fs.cancelled() or fs.exception() else fs.result()
        if result is _GONE:
            self._forget(conn)
            return
        conn.request = b""
        conn.closing = conn.closing or not result
        if conn.sock.rest:
            conn.deadline = time.monotonic() + WRITE_DEADLINE_S
            self._watch(conn, selectors.EVENT_WRITE, self._flush)
        else:
            self._after_reply(conn)

    def _flush(self, conn: Connection) -> None:
        before = len(conn.sock.rest)
        try:
            flushed = conn.sock.flush()
        except OSError:
            self._drop(conn)
            return
        if flushed:
            self._unwatch(conn)
            self._after_reply(conn)
        elif len(conn.sock.rest) < before:
            conn.deadline = time.monotonic() + WRITE_DEADLINE_S

    def _after_reply(self, conn: Connection) -> None:
        if conn.closing:
            self._linger(conn)
        else:
            self._await_request(conn)

    def _linger(self, conn: Connection) -> None:
        """Read until the client closes too, so that its last response is not cut off by a reset."""
        conn.deadline = time.monotonic() + LINGER_S
        if conn.end_writing():
            self._watch(conn, selectors.EVENT_READ, self._read)
        else:
            self._drop(conn)

    def _sweep(self) -> None:
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_EVERY_S
        for conn in [conn for conn in self._watched if conn.deadline <= now]:
            if conn.started and not conn.closing and not conn.sock.rest:
                self._refuse(conn, HTTPStatus.REQUEST_TIMEOUT)
            else:
                self._drop(conn)
        if self.alive and self.nr_conns >= self.worker_connections:
            idle = sorted((conn for conn in self._watched if not conn.started), key=lambda c: c.deadline)
            for conn in idle[:EVICTED_AT_ONCE]:
                self._drop(conn)

    # -- a pool thread

    def handle(self, conn: Connection) -> object:
        """Answer one whole request; say whether the connection can be kept."""
        request = None
        try:
            request = next(http.RequestParser(self.cfg, iter([conn.request]), conn.client))
            return self.handle_request(request, conn) and not request.should_close()
        except HandedOver as handed:
            handed.take(conn.socket, conn.incoming.leftover())
            return _GONE
        except (http.errors.NoMoreData, StopIteration):
            return False
        except OSError as error:
            if error.errno not in {errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN}:
                self.log.exception("Socket error processing request.")
            return False
        except Exception as error:  # noqa: BLE001 - gunicorn's own last resort: logs it and answers 400 or 500
            self.handle_error(request, conn.sock, conn.client, error)
            return False
