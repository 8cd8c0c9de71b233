"""A raw pipe to the engine, read and written without ever waiting, over TLS or not."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from typing import Final

from rexec.docker_host import is_cut_off, is_near
from rexec.terminals.loop import READ, WRITE, Loop

RECORD: Final = 16 * 1024
"""Bytes in a TLS record: what one read gives and one write takes."""
AT_ONCE: Final = 16
"""Reads before the others have their turn."""


class EngineStream:
    """Belongs to the loop's thread.

    Args:
        loop: Where it is watched.
        sock: Connected to the container, non-blocking; this closes it.
        on_output: Called with bytes from the container.
        on_drained: Called when bytes to the container have gone.
        on_end: Called once, when the engine or the network ended it.
    """

    def __init__(
        self,
        loop: Loop,
        sock: socket.socket,
        on_output: Callable[[bytes], None],
        on_drained: Callable[[], None],
        on_end: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._sock = sock
        self._receive: Callable[[int], bytes] = sock.recv
        self._send: Callable[[bytes], int] = sock.send
        if isinstance(sock, ssl.SSLSocket):
            # What the others come down to.
            self._receive, self._send = sock.read, sock.write
        self._on_output = on_output
        self._on_drained = on_drained
        self._on_end = on_end
        self._waiting = bytearray()
        self._record = b""
        self._paused = False
        self._read_wants_write = False
        self._write_wants_read = False
        self._mask = READ
        self._open = True
        self._is_near = is_near(sock)
        loop.register(self, READ)
        # OpenSSL may hold bytes already, for which the descriptor will not become ready.
        loop.again(self)

    def fileno(self) -> int:
        """The socket's descriptor."""
        return self._sock.fileno()

    @property
    def unsent(self) -> int:
        """Bytes that wait for the container to read."""
        return len(self._waiting) + len(self._record)

    def send(self, data: bytes) -> None:
        """Send bytes to the container, as soon as it takes them."""
        if self._record or self._waiting or len(data) > RECORD:
            self._waiting += data
        else:
            self._record = data
        self._flush()
        self._watch()
        if self._is_near:
            self._loop.stay_awake()

    def pause(self) -> None:
        """Read no more, but for `read_a_little`."""
        self._paused = True
        self._watch()

    def resume(self) -> None:
        """Read again."""
        if self._paused:
            self._paused = False
            self._watch()
            self._loop.again(self)

    def read_a_little(self) -> None:
        """Read one record although paused: a stream left unread makes the engine hold on to its container."""
        self._read(1)

    def end_if_cut_off(self) -> None:
        """End where the network is lost: the kernel gives up only after minutes, while somebody types."""
        if self._open and is_cut_off(self._sock):
            self._end()

    def on_events(self, mask: int) -> None:
        """See `Handler`."""
        readable = bool(mask & ~WRITE) or self._read_wants_write
        if mask & WRITE or self._write_wants_read:
            self._flush()
        if readable and not self._paused:
            self._read(AT_ONCE)
        elif mask & ~(READ | WRITE):
            # Broken, and nobody reads: reading tells.
            self._read(1)
        self._watch()

    def on_broken(self) -> None:
        """See `Handler`."""
        self._end()

    def close(self) -> None:
        """Close the connection; `on_end` is not called."""
        if self._open:
            self._open = False
            self._loop.unregister(self)
            with contextlib.suppress(OSError):
                self._sock.close()

    def _end(self) -> None:
        if self._open:
            self.close()
            self._on_end()

    def _read(self, times: int) -> None:
        self._read_wants_write = False
        for _ in range(times):
            if not self._open:
                return
            try:
                data = self._receive(RECORD)
            except (BlockingIOError, ssl.SSLWantReadError):
                return
            except ssl.SSLWantWriteError:
                self._read_wants_write = True
                return
            except OSError:
                data = b""
            if not data:
                self._end()
                return
            self._loop.output_bytes += len(data)
            self._on_output(data)
            if self._paused or (len(data) < RECORD and not self._buffered()):
                return
        if self._open:
            self._loop.again(self)

    def _buffered(self) -> bool:
        """Say whether OpenSSL holds bytes of which the descriptor says nothing."""
        return self._open and isinstance(self._sock, ssl.SSLSocket) and self._sock.pending() > 0

    def _flush(self) -> None:
        self._write_wants_read = False
        while (self._record or self._waiting) and self._open:
            if not self._record:
                # OpenSSL insists on the same bytes when a write is tried again.
                self._record = bytes(self._waiting[:RECORD])
                del self._waiting[:RECORD]
            try:
                sent = self._send(self._record)
            except (BlockingIOError, ssl.SSLWantWriteError):
                return
            except ssl.SSLWantReadError:
                self._write_wants_read = True
                return
            except OSError:
                self._end()
                return
            self._loop.input_bytes += sent
            self._record = self._record[sent:]
            self._on_drained()

    def _watch(self) -> None:
        if not self._open:
            return
        mask = 0
        if not self._paused or self._write_wants_read:
            mask |= READ
        if (self.unsent and not self._write_wants_read) or self._read_wants_write:
            mask |= WRITE
        if mask != self._mask:
            self._mask = mask
            self._loop.modify(self, mask)
