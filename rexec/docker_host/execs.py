"""Processes beside a container's main one."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rexec.docker_host.endpoint import Deadline
from rexec.docker_host.errors import DockerAPIError, DockerUnreachable
from rexec.docker_host.hijack import HijackedStream, open_stream
from rexec.docker_host.session import DaemonSession
from rexec.docker_host.translate import FOREIGN

EXEC_DETACH_KEYS: Final = "\x00,\x1e,\x00,\x1e,\x00,\x1e"
"""The engine holds the first key back until the next comes. JSON cannot carry a byte that UTF-8 lacks, as
attach uses; of the rest, Ctrl-Space does nothing by itself in most programs, so that holding it back goes
unnoticed."""

MAX_OUTPUT: Final = 1024 * 1024
FRAME_HEAD: Final = 8


def exec_create(
    session: DaemonSession, container: str, argv: Sequence[str], env: Mapping[str, str] | None, *, tty: bool
) -> str:
    """Prepare a process in a running container.

    Returns:
        The exec's id.

    Raises:
        DockerNotFound: No such container.
        DockerConflict: `docker_not_running`.
    """
    created: dict[str, Any] = session.call(
        lambda client: client.exec_create(
            container,
            list(argv),
            stdin=tty,
            tty=tty,
            environment=dict(env or {}),
            detach_keys=EXEC_DETACH_KEYS if tty else None,
        )
    )
    return str(created["Id"])


def open_exec(session: DaemonSession, exec_id: str, *, tty: bool, deadline_s: float) -> HijackedStream:
    """Start a prepared process and take its stream.

    Raises:
        DockerNotFound: The daemon has forgotten it.
        DockerConflict: The container stopped meanwhile. What goes wrong later, such as a program that is not
            there, the daemon writes into the stream.
    """
    body = {"Detach": False, "Tty": tty}
    return open_stream(session, f"/exec/{exec_id}/start", body=body, deadline_s=deadline_s)


def exec_run(
    session: DaemonSession, container: str, argv: Sequence[str], timeout_s: float
) -> tuple[int, bytes]:
    """Run a process to its end.

    Args:
        session: The daemon.
        container: Name or id.
        argv: Argument list.
        timeout_s: For everything; the process itself goes on in the container when it is over.

    Returns:
        Exit code, and what it wrote to both outputs, the first MB of it.

    Raises:
        DockerAPIError: `docker_exec_timeout`.
        DockerHostError: As `exec_create` and `open_exec`.
    """
    deadline = Deadline(timeout_s)
    exec_id = exec_create(session, container, argv, None, tty=False)
    try:
        stream = open_exec(session, exec_id, tty=False, deadline_s=deadline.left())
        try:
            output = _collect(stream, deadline)
        finally:
            stream.close()
    except TimeoutError as error:
        raise DockerAPIError(code="docker_exec_timeout") from error
    except DockerUnreachable as error:
        if error.code == "docker_timeout":
            raise DockerAPIError(code="docker_exec_timeout") from error
        raise
    except FOREIGN as error:
        raise session.translated(error) from error
    state: dict[str, Any] = session.call(lambda client: client.exec_inspect(exec_id))
    return int(state.get("ExitCode") or 0), output


def _collect(stream: HijackedStream, deadline: Deadline) -> bytes:
    output = bytearray()
    for payload in _frames(stream, deadline):
        output += payload[: MAX_OUTPUT - len(output)]
    return bytes(output)


def _frames(stream: HijackedStream, deadline: Deadline) -> Iterator[bytes]:
    """The payloads of a stream without a TTY: each has a head of stream number and length.

    Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
    """
    buffer = bytearray(stream.pending)
    while True:
        while len(buffer) >= FRAME_HEAD:
            end = FRAME_HEAD + int.from_bytes(buffer[4:FRAME_HEAD], "big")
            if len(buffer) < end:
                break
            yield bytes(buffer[FRAME_HEAD:end])
            del buffer[:end]
        data = _receive(stream.sock, deadline)
        if not data:
            return
        buffer += data


def _receive(sock: socket.socket, deadline: Deadline) -> bytes:
    sock.settimeout(deadline.left())
    return sock.recv(64 * 1024)
