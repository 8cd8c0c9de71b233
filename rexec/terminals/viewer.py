"""One browser on a terminal: its WebSocket, and how far it has been shown the output."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from wsproto.connection import ConnectionState
from wsproto.events import BytesMessage, CloseConnection, Message, Ping, Pong, TextMessage

from rexec.terminals.loop import READ, WRITE, Loop

if TYPE_CHECKING:
    from rexec.terminals.admission import Admission

CHUNK: Final = 64 * 1024
READ_SIZE: Final = 16 * 1024
ROOM: Final = 128 * 1024
"""Bytes that wait for a browser in our memory; what is behind them stays in the ring."""
STALLED_S: Final = 2.0
PING_EVERY_S: Final = 25.0
SILENT_S: Final = 70.0
CLOSE_S: Final = 3.0
MAX_CONTROL: Final = 4 * 1024

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
BAD_FRAME: Final = 1008
OVERLOADED: Final = 1013
SESSION_OVER: Final = 4401
GONE: Final = 4404


class Shown(Protocol):
    """What a viewer looks at."""

    def on_typed(self, viewer: Viewer, data: bytes) -> None:
        """Bytes for the shell."""
        ...

    def on_control(self, viewer: Viewer, message: dict[str, Any]) -> None:
        """A control message."""
        ...

    def on_room(self, viewer: Viewer) -> None:
        """The browser took bytes: there is room for more."""
        ...

    def on_left(self, viewer: Viewer) -> None:
        """The browser is gone."""
        ...


class Viewer:
    """A WebSocket, in the loop's thread.

    Args:
        loop: Where it is watched.
        sock: The browser's socket.
        admission: Whose it is, and what the handshake led to.
        shown: What it looks at.
    """

    __slots__ = (
        *(
            "identity",
            "cursor",
            "live_at",
            "size",
            "typed_at",
            "is_done",
            "_loop",
            "_sock",
            "_websocket",
            "_shown",
        ),
        *(
            "_out",
            "_text",
            "_mask",
            "_reading",
            "_open",
            "_closing",
            "_progress_at",
            "_heard_at",
            "_pinged_at",
        ),
    )

    def __init__(self, loop: Loop, sock: socket.socket, admission: Admission, shown: Shown) -> None:
        self.identity = admission.identity
        self.cursor: int | None = None
        """Position in the ring up to which output was sent; None before there is any to send."""
        self.live_at: int | None = None
        """Where the replay ends, as long as that is ahead."""
        self.size: tuple[int, int] | None = None
        """Columns and rows of its window."""
        self.typed_at = 0.0
        self.is_done = False
        """Whether the browser said that it will not come back: a tab was closed, not a page left."""
        now = time.monotonic()
        self._loop = loop
        self._sock = sock
        self._websocket = admission.websocket
        self._shown = shown
        self._out = bytearray(admission.greeting)
        self._text = ""
        self._reading = True
        self._open = True
        self._closing = False
        self._progress_at = self._heard_at = self._pinged_at = now
        self._mask = READ
        loop.register(self, READ)

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._sock.fileno()

    @property
    def closing(self) -> bool:
        """Whether nothing more is to be sent."""
        return self._closing or not self._open

    @property
    def waiting(self) -> int:
        """Bytes that wait for the browser."""
        return len(self._out)

    def has_room(self) -> bool:
        """Say whether more output should be handed over."""
        return len(self._out) < ROOM and not self.closing

    def is_stalled(self, now: float) -> bool:
        """Say whether the browser has not taken anything for a while although there is something to take."""
        return bool(self._out) and now - self._progress_at > STALLED_S

    def begin(self, leftover: bytes) -> None:
        """Send the handshake's answer, and read what the browser sent right behind its request."""
        if leftover:
            self._receive(leftover)
        self._flush()

    def send_status(self, state: str, **facts: Any) -> None:
        """Send a status message."""
        self.send_control({"type": "status", "state": state, **facts})

    def send_control(self, message: dict[str, Any]) -> None:
        """Send a control message."""
        if not self.closing:
            self._send(TextMessage(data=json.dumps(message, separators=(",", ":"))))

    def send_output(self, data: bytes) -> None:
        """Send terminal bytes."""
        if not self.closing:
            self._send(BytesMessage(data=data))

    def close(self, code: int, reason: str = "") -> None:
        """End the WebSocket properly."""
        if self.closing:
            return
        if self._websocket.state is ConnectionState.OPEN:
            self._send(CloseConnection(code=code, reason=reason))
        self._closing = True
        self._reading = True
        self._watch()
        self._loop.call_later(CLOSE_S, self._drop)

    def hold(self) -> None:
        """Read nothing more from the browser for now."""
        self._reading = False
        self._watch()

    def release(self) -> None:
        """Read from the browser again."""
        if not self._reading:
            self._reading = True
            self._watch()

    def keep_alive(self, now: float) -> None:
        """Ping the browser when it is due; drop it where it has been silent for too long."""
        if self._reading and now - self._heard_at > SILENT_S:
            self._drop()
        elif now - self._pinged_at >= PING_EVERY_S and not self.closing:
            self._pinged_at = now
            self._send(Ping())

    def on_events(self, mask: int) -> None:
        """See `Handler`."""
        if mask & WRITE:
            self._flush()
            if self.has_room():
                self._shown.on_room(self)
        if mask & ~WRITE and self._open:
            self._read()

    def on_broken(self) -> None:
        """See `Handler`."""
        self._drop()

    def _send(self, event: Message[Any] | Ping | Pong | CloseConnection) -> None:
        if not self._out:
            self._progress_at = time.monotonic()
        self._out += self._websocket.send(event)
        self._flush()

    def _flush(self) -> None:
        while self._out and self._open:
            try:
                sent = self._sock.send(self._out)
            except BlockingIOError:
                break
            except OSError:
                self._drop()
                return
            del self._out[:sent]
            self._progress_at = time.monotonic()
        if not self._out and self._websocket.state is ConnectionState.CLOSED:
            self._drop()
            return
        self._watch()

    def _read(self) -> None:
        try:
            data = self._sock.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop()
            return
        self._heard_at = time.monotonic()
        self._receive(data)

    def _receive(self, data: bytes) -> None:
        state = self._websocket.state
        if state is ConnectionState.CLOSED or state is ConnectionState.REMOTE_CLOSING:
            return
        self._websocket.receive_data(data)
        for event in self._websocket.events():
            if isinstance(event, CloseConnection):
                self._answer_close(event)
                return
            if self._closing:
                continue
            if isinstance(event, Ping):
                self._send(event.response())
            elif isinstance(event, BytesMessage):
                self._shown.on_typed(self, bytes(event.data))
            elif isinstance(event, TextMessage):
                self._take_text(event)

    def _answer_close(self, event: CloseConnection) -> None:
        state = self._websocket.state
        if state is ConnectionState.REMOTE_CLOSING:
            self._closing = True
            self.is_done = event.code == NORMAL
            self._send(event.response())
        elif state is ConnectionState.OPEN:
            # wsproto's way of saying that the frame was broken.
            self.close(event.code, event.reason or "")
        else:
            self._flush()

    def _take_text(self, event: TextMessage) -> None:
        self._text += event.data
        if len(self._text) > MAX_CONTROL:
            self.close(BAD_FRAME, "control message too long")
            return
        if not event.message_finished:
            return
        text, self._text = self._text, ""
        try:
            message = json.loads(text)
        except ValueError:
            message = None
        if isinstance(message, dict):
            self._shown.on_control(self, message)
        else:
            self.close(BAD_FRAME, "control message not understood")

    def _watch(self) -> None:
        if not self._open:
            return
        mask = (READ if self._reading else 0) | (WRITE if self._out else 0)
        if mask != self._mask:
            self._mask = mask
            self._loop.modify(self, mask)

    def _drop(self) -> None:
        if not self._open:
            return
        self._open = False
        self._loop.unregister(self)
        with contextlib.suppress(OSError):
            self._sock.close()
        self._shown.on_left(self)
