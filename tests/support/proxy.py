"""A TCP relay that can be told to misbehave as networks do."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self


@dataclass(eq=False)
class _Pair:
    """A connection: the client's end, the server's end, and how far their talk has come."""

    near: socket.socket
    far: socket.socket
    was_greeted: bool = False
    has_asked: bool = False
    """The client spoke again after the server's first words: a TLS 1.3 handshake is over (RFC 8446, 2)."""


class TcpProxy:
    """Forwards connections from a port of its own to a target on 127.0.0.1.

    It keeps its port through all moods, so that a client finds it again. `bytes_forwarded` counts both ways.
    """

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.bytes_forwarded = 0
        self._silent_at: int | None = None
        self._flowing = threading.Event()
        self._flowing.set()
        self._answering = threading.Event()
        self._answering.set()
        self._lock = threading.Lock()
        self._pairs: set[_Pair] = set()
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self._listen(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _listen(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        self._run(self._accept, self._listener)

    def _run(self, work, *arguments) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            self._run(self._relay, near)

    def _relay(self, near: socket.socket) -> None:
        self._flowing.wait()
        try:
            far = socket.create_connection(("127.0.0.1", self.target_port), timeout=10)
        except OSError:
            near.close()
            return
        far.settimeout(None)
        pair = _Pair(near, far)
        with self._lock:
            self._pairs.add(pair)
        self._run(self._pump_answers, pair)
        self._pump_requests(pair)

    def _pump_requests(self, pair: _Pair) -> None:
        with contextlib.suppress(OSError):
            while data := pair.near.recv(65536):
                self._flowing.wait()
                pair.has_asked = pair.was_greeted
                self._pass_on(data, pair.far)
        self._close_pair(pair)

    def _pump_answers(self, pair: _Pair) -> None:
        with contextlib.suppress(OSError):
            while data := pair.far.recv(65536):
                self._flowing.wait()
                if pair.has_asked:
                    self._answering.wait()
                pair.was_greeted = True
                self._pass_on(data, pair.near)
        self._close_pair(pair)

    def _pass_on(self, data: bytes, target: socket.socket) -> None:
        target.sendall(data)
        self.bytes_forwarded += len(data)
        if self._silent_at is not None and self.bytes_forwarded >= self._silent_at:
            self._silent_at = None
            self.blackhole()

    def _close_pair(self, pair: _Pair) -> None:
        with self._lock:
            self._pairs.discard(pair)
        for end in (pair.near, pair.far):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    @property
    def connections(self) -> int:
        """How many connections it forwards now."""
        with self._lock:
            return len(self._pairs)

    def blackhole(self) -> None:
        """Swallow everything: connections stay, new ones open, and no byte passes in either direction."""
        self._flowing.clear()

    def hold_answers(self) -> None:
        """Pass what clients send and no answer to it; the handshake of a new connection still succeeds.

        So a request surely arrives, whether the client had a connection to send it by or not.
        """
        self._answering.clear()

    def blackhole_after(self, count: int) -> None:
        """Fall silent once so many more bytes have passed."""
        self._silent_at = self.bytes_forwarded + count

    @property
    def is_silent(self) -> bool:
        """Whether no byte passes."""
        return not self._flowing.is_set()

    def forward(self) -> None:
        """Pass everything again, what was held back included; listen again after `refuse`."""
        self._flowing.set()
        self._answering.set()
        if self._listener is None:
            self._listen(self.port)

    def cut(self) -> None:
        """Reset all connections; new ones are welcome."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            for end in (pair.near, pair.far):
                with contextlib.suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._close_pair(pair)

    def refuse(self) -> None:
        """Reset all connections and refuse new ones."""
        if self._listener is not None:
            # Closing alone would leave the accepting thread asleep in it.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        self.cut()

    def close(self) -> None:
        """End everything."""
        self.refuse()
        self._flowing.set()
        self._answering.set()
        self.cut()
        for thread in self._threads:
            thread.join(5)
