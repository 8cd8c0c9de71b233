"""Servers that answer as a Docker daemon does, or as one in trouble: real sockets, a thread for each."""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.support.certificates import Pair

TLS_HELLO = b"\x16\x03"
Talk = Callable[[socket.socket], None]


class FakeDaemon:
    """Accepts connections on a free port of 127.0.0.1 and hands each to `talk` in a thread of its own.

    Args:
        talk: What to do with a connection; it is closed afterwards.
        context: For TLS; the handshake comes before `talk`.
    """

    def __init__(self, talk: Talk, context: ssl.SSLContext | None = None) -> None:
        self._talk = talk
        self._context = context
        self._open: list[socket.socket] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.enter_context(connection)
            if self._context is not None:
                connection = stack.enter_context(
                    self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
                )
                self._open.append(connection)
                self._shake_hands(connection)
            self._talk(connection)

    @staticmethod
    def _shake_hands(connection: ssl.SSLSocket) -> None:
        try:
            connection.do_handshake()
        except ssl.SSLError:
            # What is not read has the kernel reset the connection, and the reset may overtake the alert.
            socket.socket.shutdown(connection, socket.SHUT_WR)
            while socket.socket.recv(connection, 65536):
                pass
            raise


def server_context(pair: Pair, folder: Path, *, client_ca: str | None = None) -> ssl.SSLContext:
    """A server's side of TLS; with `client_ca` it demands a certificate from there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair.write(folder, "server"))
    if client_ca is not None:
        context.load_verify_locations(cadata=client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def read_request(connection: socket.socket) -> tuple[str, str, bytes] | None:
    """Method, path and body of the next request; None at the end of the connection, or where TLS is tried."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece or piece.startswith(TLS_HELLO):
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    while len(body) < int(headers.get("content-length", "0")):
        body += connection.recv(65536)
    method, path, _ = lines[0].split(" ", 2)
    return method, path, body


def answer(status: int, body: object, **headers: str) -> bytes:
    """An answer with a JSON body."""
    payload = json.dumps(body).encode()
    lines = [
        f"HTTP/1.1 {status} X",
        "Content-Type: application/json",
        f"Content-Length: {len(payload)}",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + payload


def ping_answer(version: str = "1.41") -> bytes:
    """What a daemon answers to /_ping."""
    return answer(200, "OK", Api_Version=version)


def serve_requests(respond: Callable[[str, str, bytes], bytes]) -> Talk:
    """A talk that answers one request after the other, pings by itself."""

    def talk(connection: socket.socket) -> None:
        while (request := read_request(connection)) is not None:
            method, path, body = request
            connection.sendall(ping_answer() if path.endswith("/_ping") else respond(method, path, body))

    return talk


def silent(connection: socket.socket) -> None:
    """A talk that reads and never answers."""
    while connection.recv(65536):
        pass
