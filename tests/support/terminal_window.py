"""A browser window that shows a terminal, without a browser: a WebSocket and what came through it."""

from __future__ import annotations

import contextlib
import itertools
import json
import select
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    RejectData,
    Request,
    TextMessage,
)

_marks = itertools.count(1)


class Refused(Exception):
    """The upgrade was refused.

    Args:
        status: HTTP status.
        body: What the answer said.
    """

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body
        super().__init__(f"{status}: {body[:200]!r}")


class TerminalWindow:
    """Connects at once; reads only while a method waits for something.

    Args:
        url: The server's address.
        cookie: The Cookie header; empty for a stranger.
        public_id: The container.
        tab: Which tab; the main terminal where left out.
        origin: What page it claims to be; the server's own where left out, None for no header.
        receive_buffer: Bytes the kernel may keep for this socket; small where a test does not read.
        headers: More of them.
        tls: For an https address: whom to trust.
    """

    def __init__(
        self,
        url: str,
        cookie: str,
        public_id: str,
        *,
        tab: int | None = None,
        origin: str | None = "",
        receive_buffer: int | None = None,
        headers: dict[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._sock = socket.socket()
        if receive_buffer is not None:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._sock.settimeout(10)
        self._sock.connect((parts.hostname, parts.port))
        if tls is not None:
            self._sock = tls.wrap_socket(self._sock, server_hostname=parts.hostname)
        self._websocket = WSConnection(ConnectionType.CLIENT)
        self.states: list[dict[str, Any]] = []
        """Every control message, in order."""
        self.replayed = b""
        self.live = b""
        self.received = 0
        self.pings = 0
        self.closed: tuple[int, str] | None = None
        self._in_replay = False
        self._text = ""
        extra = {"Cookie": cookie, **(headers or {})}
        if origin is not None:
            extra["Origin"] = origin or url
        query = "" if tab is None else f"?tab={tab}"
        self._send(
            Request(
                host=f"{parts.hostname}:{parts.port}",
                target=f"/containers/{public_id}/terminal{query}",
                extra_headers=[(name.encode(), value.encode()) for name, value in extra.items() if value],
            )
        )
        self._accepted = False
        self._refusal = (0, b"")
        try:
            self.wait(lambda: self._accepted, "the upgrade")
        except BaseException:
            self.close()
            raise

    def _send(self, event: Event) -> None:
        view = memoryview(self._websocket.send(event))
        while view:
            try:
                view = view[self._sock.send(view) :]
            except TimeoutError:
                raise AssertionError("the server takes nothing more") from None

    def type(self, data: bytes) -> None:
        """Type bytes."""
        self._send(BytesMessage(data=data))

    def control(self, **message: Any) -> None:
        """Send a control message."""
        self._send(TextMessage(data=json.dumps(message)))

    def resize(self, cols: int, rows: int) -> None:
        """Say how large the window is."""
        self.control(type="resize", cols=cols, rows=rows)

    def wait(self, reached: Callable[[], object], what: str, timeout: float = 20.0) -> None:
        """Read until something has happened."""
        deadline = time.monotonic() + timeout
        while not reached():
            left = deadline - time.monotonic()
            assert left > 0, f"not within {timeout} s: {what}; {self}"
            assert self.closed is None, f"closed before: {what}; {self}"
            self.read(left)

    def read(self, timeout: float) -> int:
        """Take what has come, waiting for something at most so long; returns its bytes."""
        unread = isinstance(self._sock, ssl.SSLSocket) and self._sock.pending()
        if not unread and not select.select([self._sock], [], [], max(timeout, 0))[0]:
            return 0
        try:
            data = self._sock.recv(1024 * 1024)
        except ConnectionResetError:
            data = b""
        self.received += len(data)
        self._websocket.receive_data(data or None)
        for event in self._websocket.events():
            self._take(event)
        if not data and self.closed is None:
            self.closed = (1006, "")
        return len(data)

    def _take(self, event: Event) -> None:
        if isinstance(event, BytesMessage):
            if self._in_replay:
                self.replayed += bytes(event.data)
            else:
                self.live += bytes(event.data)
        elif isinstance(event, TextMessage):
            self._text += event.data
            if event.message_finished:
                text, self._text = self._text, ""
                self._take_control(json.loads(text))
        elif isinstance(event, Ping):
            self.pings += 1
            self._send(event.response())
        elif isinstance(event, CloseConnection):
            self.closed = (int(event.code), event.reason or "")
            if self._websocket.state is ConnectionState.REMOTE_CLOSING:
                with contextlib.suppress(OSError):
                    self._sock.sendall(self._websocket.send(event.response()))
        else:
            self._take_answer(event)

    def _take_answer(self, event: Event) -> None:
        if isinstance(event, AcceptConnection):
            self._accepted = True
        elif isinstance(event, RejectConnection):
            self._refusal = (event.status_code, b"")
            if not event.has_body:
                raise Refused(*self._refusal)
        elif isinstance(event, RejectData):
            self._refusal = (self._refusal[0], self._refusal[1] + bytes(event.data))
            if event.body_finished:
                raise Refused(*self._refusal)

    def _take_control(self, message: dict[str, Any]) -> None:
        self.states.append(message)
        if message.get("state") == "replay":
            self._in_replay = True
            self.replayed = self.live = b""
        elif message.get("state") == "live":
            self._in_replay = False

    def last(self, state: str) -> dict[str, Any] | None:
        """The newest status of this kind."""
        return next((message for message in reversed(self.states) if message.get("state") == state), None)

    def count(self, state: str) -> int:
        """How many statuses of this kind there were."""
        return sum(message.get("state") == state for message in self.states)

    def ready(self, cols: int = 80, rows: int = 24) -> TerminalWindow:
        """Wait for the replay's end and say how large the window is."""
        self.wait(lambda: self.count("live"), "live")
        self.resize(cols, rows)
        return self

    def until(self, wanted: bytes, timeout: float = 20.0) -> bytes:
        """Read until the live output has these bytes; takes everything up to their end away."""
        self.wait(lambda: wanted in self.live, f"{wanted!r}", timeout)
        before, _, self.live = self.live.partition(wanted)
        return before + wanted

    def run(self, line: str, timeout: float = 20.0) -> str:
        """Run a command line in the shell; returns what it printed."""
        mark = f"{next(_marks)}-{time.monotonic_ns() % 10**6}"
        # The quotes keep the echoed line itself from looking like the end.
        typed = f"'en''d'-{mark}"
        self.type(f"{line}{' ' if line.endswith('&') else '; '}echo {typed}\n".encode())
        text = self.until(f"end-{mark}".encode(), timeout).decode(errors="replace")
        # A shell that edits lines wraps the echo at the window's edge by itself.
        printed = text.replace("\r\r\n", "").rpartition(typed)[2].partition("\n")[2]
        return printed.rpartition("\n")[0].replace("\r", "").removeprefix("\x1b[?2004l")

    def exit_message(self) -> dict[str, Any] | None:
        """The message that the terminal is over."""
        return next((message for message in self.states if message.get("type") == "exit"), None)

    def wait_closed(self, timeout: float = 20.0) -> tuple[int, str]:
        """Read until the server closes; returns code and reason."""
        deadline = time.monotonic() + timeout
        while self.closed is None:
            assert time.monotonic() < deadline, f"not closed; {self}"
            self.read(0.5)
        return self.closed

    def close(self) -> None:
        """Vanish without a word."""
        self._sock.close()

    def __str__(self) -> str:
        return f"states {self.states[-6:]}, closed {self.closed}, live {self.live[-300:]!r}"
