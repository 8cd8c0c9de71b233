"""The verbs on containers that need more than a call of docker-py's."""

from __future__ import annotations

from collections import deque
from typing import Final

from rexec.docker_host.engine_client import EngineClient
from rexec.docker_host.session import DaemonSession
from rexec.docker_host.spec import ContainerSpec, to_create_body

STOP_MARGIN_S: Final = 20.0
"""What the daemon needs beyond the grace period: the kill, and taking the network apart."""

READ_SIZE: Final = 64 * 1024


def create_container(session: DaemonSession, spec: ContainerSpec) -> str:
    """Make a container, hardened.

    Returns:
        Its id.

    Raises:
        ImageNotFound: The daemon does not hold the image.
        DockerConflict: `docker_name_taken`.
        DockerRejected: The daemon cannot do what the spec asks.
    """
    body = to_create_body(spec)
    # Repeated, it would report its own success as a name that is taken.
    created = session.call(
        lambda client: client.create_container_from_config(body, spec.name), idempotent=False
    )
    return str(created["Id"])


def stop_container(session: DaemonSession, container: str, grace_s: int) -> None:
    """Stop a container; one that is stopped stays as it is.

    Args:
        session: The daemon.
        container: Name or id.
        grace_s: Seconds between asking and killing.
    """

    def ask(client: EngineClient) -> None:
        path, silence_s = "/containers/{0}/stop", grace_s + STOP_MARGIN_S
        client.checked(client.ask("POST", path, container, params={"t": grace_s}, silence_s=silence_s))

    session.call(ask)


def container_logs(session: DaemonSession, container: str, tail_bytes: int) -> bytes:
    """The end of what a container with a terminal printed.

    Args:
        session: The daemon.
        container: Name or id.
        tail_bytes: How much of it. The daemon only counts lines, so all it keeps crosses the wire.
    """
    params: dict[str, str | int] = {"stdout": 1, "stderr": 1, "tail": "all"}

    def ask(client: EngineClient) -> bytes:
        kept: deque[bytes] = deque()
        size = 0
        with client.ask("GET", "/containers/{0}/logs", container, params=params, stream=True) as answer:
            for chunk in client.checked(answer).iter_content(READ_SIZE):
                kept.append(chunk)
                size += len(chunk)
                while size - len(kept[0]) >= tail_bytes:
                    size -= len(kept.popleft())
        return b"".join(kept)[-tail_bytes:]

    return session.call(ask)
