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


def update_container(
    session: DaemonSession, container: str, memory_bytes: int, nano_cpus: int, pids_limit: int
) -> None:
    """Give a container other limits: at once where it runs, else from its next start; restarts nothing.

    Args:
        session: The daemon.
        container: Name or id.
        memory_bytes: Memory, without swap.
        nano_cpus: Processor time in billionths of a processor.
        pids_limit: Processes and threads.

    Raises:
        DockerNotFound: There is none.
        DockerRejected: The daemon cannot give that much, or that little.
        DockerAPIError: The kernel refused, as it does for less memory than is in use.

    Source: https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerUpdate
    """
    body = {
        "Memory": memory_bytes,
        # Both at once: more memory than the old sum of memory and swap would be refused.
        "MemorySwap": memory_bytes,
        # Never with CpuQuota or CpuPeriod, which conflict with what the container was created with.
        "NanoCpus": nano_cpus,
        "PidsLimit": pids_limit,
    }

    def ask(client: EngineClient) -> None:
        client.checked(client.ask("POST", "/containers/{0}/update", container, body=body))

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
