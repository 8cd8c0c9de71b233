"""One HTTP connection of the web worker: what came in, what still has to go out."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections import defaultdict
from typing import Any

from rexec.web.incoming import IncomingRequest

KEPT_REPLY = 8 * 1024 * 1024
WRITE_DEADLINE_S = 10.0


class Reply:
    """Takes a response from a pool thread without ever waiting for a slow reader.

    What the socket does not take at once is kept for the poller to send. Stands in for the socket where
    gunicorn writes, so it has the few methods that gunicorn calls.

    Args:
        sock: The client's socket, non-blocking.
    """

    __slots__ = ("_closed", "rest", "sock")

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.rest = bytearray()
        self._closed = False

    def sendall(self, data: bytes) -> None:
        """Send or keep bytes.

        Raises:
            OSError: The client is gone, or does not read a response larger than we keep.
        """
        if self._closed:
            raise OSError(errno.EPIPE, "closed")
        if self.rest:
            self.rest += data
        else:
            sent = self._send(data)
            self.rest += memoryview(data)[sent:]
        if len(self.rest) > KEPT_REPLY:
            self.sock.settimeout(WRITE_DEADLINE_S)
            self.sock.sendall(self.rest)
            self.sock.setblocking(False)
            self.rest.clear()

    def _send(self, data: bytes | bytearray) -> int:
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0

    def flush(self) -> bool:
        """Send what is kept, as far as the socket takes it; say whether all of it is gone."""
        if self.rest:
            del self.rest[: self._send(self.rest)]
        return not self.rest

    def gettimeout(self) -> float:
        """Gunicorn asks before it sends an error: this never waits."""
        return 0.0

    def shutdown(self, _how: int) -> None:
        """Gunicorn's way of ending a broken response; the poller closes the connection."""
        self._closed = True
        raise OSError(errno.ENOTCONN, "closed by the poller")

    def close(self) -> None:
        """See `shutdown`."""
        self._closed = True


class Connection:
    """A client's connection.

    Args:
        sock: Its socket.
        client: The peer's address, as `accept` gives it.
        server: Our own.
        max_body: Bytes of body that are waited for.
    """

    __slots__ = (
        "client",
        "closing",
        "deadline",
        "incoming",
        "request",
        "server",
        "sock",
        "socket",
        "started",
    )

    def __init__(self, sock: socket.socket, client: Any, server: Any, max_body: int) -> None:
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = sock
        self.sock = Reply(sock)
        """What gunicorn writes to."""
        self.client = client
        self.server = server
        self.incoming = IncomingRequest(max_body)
        self.request = b""
        """The whole request that a pool thread works on."""
        self.started = 0.0
        """When the first byte of an incomplete request came; 0 between requests."""
        self.deadline = 0.0
        self.closing = False

    @property
    def address(self) -> str:
        """The peer's address without its port."""
        return str(self.client[0]) if isinstance(self.client, tuple) else ""

    def end_writing(self) -> bool:
        """Tell the client that nothing more comes; say whether it is still there to hear it."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            return True
        return False

    def close(self) -> None:
        """Close the socket."""
        with contextlib.suppress(OSError):
            self.socket.close()


class Connections:
    """Every open connection, by the address it comes from.

    Args:
        per_address: How many an address may have; None for any number, as behind a proxy.
    """

    def __init__(self, per_address: int | None) -> None:
        self._per_address = per_address
        self._by_address: defaultdict[str, set[Connection]] = defaultdict(set)

    def __len__(self) -> int:
        return sum(len(same) for same in self._by_address.values())

    def add(self, conn: Connection) -> None:
        """Count a connection."""
        self._by_address[conn.address].add(conn)

    def remove(self, conn: Connection) -> bool:
        """Count it no more; say whether it was counted."""
        same = self._by_address.get(conn.address, set())
        if conn not in same:
            return False
        same.remove(conn)
        if not same:
            del self._by_address[conn.address]
        return True

    def crowd(self, address: str) -> frozenset[Connection]:
        """The connections of an address that has as many as it may have; none while it has fewer."""
        same = self._by_address.get(address, ())
        full = self._per_address is not None and len(same) >= self._per_address
        return frozenset(same) if full else frozenset()
