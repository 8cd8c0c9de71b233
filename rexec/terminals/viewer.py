"""One browser on a terminal: its WebSocket, and how far it has been shown the output."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from typing import TYPE_CHECKING, Any, Final, Protocol

from wsproto.frame_protocol import CloseReason, Frame, FrameProtocol, Opcode, ParseFailed

from rexec.terminals.loop import READ, WRITE, Loop

if TYPE_CHECKING:
    from rexec.terminals.admission import Admission

CHUNK: Final = 64 * 1024
READ_SIZE: Final = 16 * 1024
ROOM: Final = 128 * 1024
"""Bytes that wait for a browser in our memory; what is behind them stays in the ring."""
STALLED_S: Final = 2.0
PING_EVERY_S: Final = 20.0
"""Looked at every 5 s, so that no router sees 25 s without a byte."""
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
        admission: Whose it is, and the handshake's answer.
        shown: What it looks at.
    """

    __slots__ = (
        *("cursor", "identity", "is_done", "live_at", "size", "typed_at"),
        *("_closing", "_frames", "_heard_at", "_loop", "_mask", "_open", "_out"),
        *("_pinged_at", "_progress_at", "_reading", "_shown", "_sock", "_text"),
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
        self._frames = FrameProtocol(client=False, extensions=[])
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
        self._flush()
        if leftover:
            self._receive(leftover)

    def send_status(self, state: str, **facts: Any) -> None:
        """Send a status message."""
        self.send_control({"type": "status", "state": state, **facts})

    def send_control(self, message: dict[str, Any]) -> None:
        """Send a control message."""
        if not self.closing:
            self._send(self._frames.send_data(json.dumps(message, separators=(",", ":"))))

    def send_output(self, data: bytes) -> None:
        """Send terminal bytes."""
        if not self.closing:
            self._send(self._frames.send_data(data))

    def close(self, code: int, reason: str = "") -> None:
        """End the WebSocket properly."""
        if self.closing:
            return
        self._closing = True
        self._reading = True
        self._send(self._frames.close(code, reason))
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
            self._send(self._frames.ping())

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

    def _send(self, data: bytes | bytearray) -> None:
        if self._out:
            self._out += data
            return
        self._progress_at = self._loop.beat
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop()
            return
        if sent < len(data):
            self._out += memoryview(data)[sent:]
        self._watch()

    def _flush(self) -> None:
        """Send what waits, as far as the socket takes it."""
        while self._out and self._open:
            try:
                sent = self._sock.send(self._out)
            except BlockingIOError:
                break
            except OSError:
                self._drop()
                return
            del self._out[:sent]
            self._progress_at = self._loop.beat
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
        self._heard_at = self._loop.beat
        self._receive(data)

    def _receive(self, data: bytes) -> None:
        self._frames.receive_bytes(data)
        try:
            for frame in self._frames.received_frames():
                if frame.opcode is Opcode.BINARY and not self._closing:
                    self._shown.on_typed(self, frame.payload)  # type: ignore[arg-type]  # bytes, by its opcode
                else:
                    self._take(frame)
        except ParseFailed as error:
            self.close(error.code, str(error))

    def _take(self, frame: Frame) -> None:
        if frame.opcode is Opcode.CLOSE:
            self._answer_close(frame)
        elif self._closing:
            return
        elif frame.opcode is Opcode.PING:
            self._send(self._frames.pong(frame.payload))  # type: ignore[arg-type]  # bytes, by its opcode
        elif frame.opcode is Opcode.TEXT:
            self._take_text(frame)

    def _answer_close(self, frame: Frame) -> None:
        """The browser says good-bye, or answers ours; what still waits for it is of no use any more."""
        if not self._closing:
            code: Any = frame.payload[0]
            self.is_done = code == NORMAL
            self._closing = True
            self._send(self._frames.close(code if code != CloseReason.NO_STATUS_RCVD else None))
        self._drop()

    def _take_text(self, frame: Frame) -> None:
        self._text += str(frame.payload)
        if len(self._text) > MAX_CONTROL:
            self.close(BAD_FRAME, "control message too long")
            return
        if not frame.message_finished:
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
