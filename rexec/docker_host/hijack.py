"""Terminal streams: a connection of their own that the daemon turns into a raw pipe to a container.

docker-py takes such a stream out of its pool and loses bytes that arrived together with the answer's head;
this module opens a connection, reads the head itself, and hands over what came after it.
Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
"""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from rexec.docker_host.answers import error_from_answer
from rexec.docker_host.endpoint import Deadline, Endpoint
from rexec.docker_host.errors import DockerAPIError, DockerHostError
from rexec.docker_host.handshake import connect
from rexec.docker_host.session import DaemonSession
from rexec.docker_host.translate import FOREIGN

DETACH_KEYS: Final = "\xff,\xfe,\xff,\xfe,\xff,\xfe"
"""Bytes that no UTF-8 text contains: nothing a person types is held back, and nobody leaves by accident."""

MAX_HEAD: Final = 64 * 1024
READ_SIZE: Final = 16 * 1024


@dataclass
class HijackedStream:
    """A raw pipe to a container.

    Args:
        sock: Non-blocking, keepalive set, owned by whoever holds this. Over TLS, read until
            `ssl.SSLWantReadError`: bytes that OpenSSL has already decrypted do not make the descriptor
            readable.
        pending: Bytes from the container that arrived with the answer's head; they come first.
    """

    sock: socket.socket | ssl.SSLSocket
    pending: bytes

    def close(self) -> None:
        """Close the connection. An attach leaves the container's process alone; so does an exec."""
        self.sock.close()


def open_stream(
    session: DaemonSession, path: str, *, body: dict[str, Any] | None = None, deadline_s: float
) -> HijackedStream:
    """Ask the daemon for a raw stream.

    Args:
        session: Gives address, certificates and version.
        path: Below the version, with its query, already quoted.
        body: JSON to post with it.
        deadline_s: For everything from connecting to the end of the answer's head.

    Raises:
        DockerHostError: The daemon is away or refuses.
    """
    deadline = Deadline(deadline_s)
    version = session.call(lambda client: client.negotiated_version)
    try:
        sock = connect(session, deadline)
        try:
            pending = _converse(sock, _request(session.endpoint, f"/v{version}{path}", body), deadline)
            sock.setblocking(False)
        except BaseException:
            sock.close()
            raise
    except FOREIGN as error:
        raise session.translated(error) from error
    return HijackedStream(sock, pending)


def _converse(sock: socket.socket, request: bytes, deadline: Deadline) -> bytes:
    """Send the request and read the answer's head; what came after it is the container's."""
    sock.settimeout(deadline.left())
    sock.sendall(request)
    head, rest = _read_head(sock, deadline)
    status, headers = _parse(head)
    if status != HTTPStatus.SWITCHING_PROTOCOLS:
        raise _refusal(sock, status, headers, rest, deadline)
    return rest


def _request(endpoint: Endpoint, path: str, body: dict[str, Any] | None) -> bytes:
    payload = json.dumps(body).encode() if body is not None else b""
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {endpoint.authority}",
        "User-Agent: rexec",
        "Content-Type: application/json",
        f"Content-Length: {len(payload)}",
        "Connection: Upgrade",
        "Upgrade: tcp",
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + payload


def _receive(sock: socket.socket, deadline: Deadline) -> bytes:
    sock.settimeout(deadline.left())
    data = sock.recv(READ_SIZE)
    if not data:
        raise ConnectionResetError("the daemon closed the connection in the middle of its answer")
    return data


def _read_head(sock: socket.socket, deadline: Deadline) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        if len(data) > MAX_HEAD:
            raise DockerAPIError(code="docker_protocol", detail="the answer's head does not end")
        data += _receive(sock, deadline)
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def _parse(head: bytes) -> tuple[int, dict[str, str]]:
    status_line, *lines = head.decode("latin-1").split("\r\n")
    protocol, _, rest = status_line.partition(" ")
    number = rest[:3]
    if not protocol.startswith("HTTP/1.") or not number.isdigit():
        raise DockerAPIError(code="docker_protocol", detail="the answer is not HTTP")
    pairs = (line.partition(":") for line in lines)
    return int(number), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _refusal(
    sock: socket.socket, status: int, headers: dict[str, str], body: bytes, deadline: Deadline
) -> DockerHostError:
    if status < HTTPStatus.BAD_REQUEST:
        return DockerAPIError(
            code="docker_protocol", detail=f"HTTP {status} where 101 was due: a proxy in between?"
        )
    length = headers.get("content-length", "")
    wanted = min(int(length), MAX_HEAD) if length.isdigit() else 0
    while len(body) < wanted:
        body += _receive(sock, deadline)
    try:
        message = str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        message = body.decode("utf-8", "replace").strip() or f"HTTP {status}"
    return error_from_answer(status, message)
