"""Reading a terminal's stream in tests."""

from __future__ import annotations

import contextlib
import select
import ssl
import time

from rexec.docker_host import HijackedStream


class Reader:
    """Collects what a container prints, in order, from the first pending byte on."""

    def __init__(self, stream: HijackedStream) -> None:
        self.stream = stream
        self.seen = stream.pending
        self.ended = False

    def until(self, wanted: bytes, timeout: float = 10.0) -> bytes:
        """Everything up to and including `wanted`; the rest waits for the next call."""
        deadline = time.monotonic() + timeout
        while wanted not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{wanted!r} did not come; so far: {self.seen[-500:]!r}"
            assert not self.ended, f"the stream ended without {wanted!r}: {self.seen[-500:]!r}"
            self._read(left)
        text, _, self.seen = self.seen.partition(wanted)
        return text + wanted

    def to_the_end(self, timeout: float = 10.0) -> bytes:
        """Everything until the daemon closes the stream."""
        deadline = time.monotonic() + timeout
        while not self.ended:
            left = deadline - time.monotonic()
            assert left > 0, "the stream did not end"
            self._read(left)
        return self.seen

    def _read(self, left: float) -> None:
        select.select([self.stream.sock], [], [], min(left, 0.5))
        with contextlib.suppress(ssl.SSLWantReadError, BlockingIOError):
            while piece := self.stream.sock.recv(65536):
                self.seen += piece
            self.ended = True

    def type(self, text: bytes) -> None:
        """Send all of it, waiting where the connection is full."""
        view = memoryview(text)
        while view:
            try:
                view = view[self.stream.sock.send(view) :]
            except (ssl.SSLWantWriteError, BlockingIOError):
                select.select([], [self.stream.sock], [], 1)
