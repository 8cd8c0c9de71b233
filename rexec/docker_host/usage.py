"""What a container takes up at one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rexec.docker_host.answers import moment_of
from rexec.docker_host.engine_client import EngineClient
from rexec.docker_host.session import DaemonSession


@dataclass(frozen=True)
class ContainerUsage:
    """One reading of a running container.

    Args:
        read_at: When it was taken, on the daemon's clock.
        cpu_ns: Processor time that it has had since its start, in nanoseconds.
        memory_bytes: Memory that it cannot give back at once.
        pids: Its processes and threads.
    """

    read_at: datetime
    cpu_ns: int
    memory_bytes: int
    pids: int

    def cpus_since(self, earlier: ContainerUsage) -> float | None:
        """How many processors it had in use since an earlier reading; None where it was started in between.

        Args:
            earlier: Of the same container.
        """
        seconds = (self.read_at - earlier.read_at).total_seconds()
        used_ns = self.cpu_ns - earlier.cpu_ns
        return used_ns / 1e9 / seconds if seconds > 0 and used_ns >= 0 else None


def container_usage(session: DaemonSession, container: str) -> ContainerUsage | None:
    """Take a reading. The daemon reads each container about once a second, so it may wait that long.

    Returns:
        None where the container does not run.

    Raises:
        DockerNotFound: No such container.
    """
    params: dict[str, str | int] = {"stream": "false", "one-shot": "true"}

    def ask(client: EngineClient) -> dict[str, Any]:
        answer = client.ask("GET", "/containers/{0}/stats", container, params=params)
        found: dict[str, Any] = client.checked(answer).json()
        return found

    return read_usage(session.call(ask))


def read_usage(answer: dict[str, Any]) -> ContainerUsage | None:
    """A reading from the daemon's answer; None where the container does not run.

    Memory is counted as `docker stats` does it: without the files that are only kept because there is room.
    Source: https://docs.docker.com/reference/cli/docker/container/stats/#description
    """
    read_at = moment_of(answer.get("read", ""))
    memory = answer.get("memory_stats") or {}
    if read_at is None or "usage" not in memory:
        return None
    kept = memory.get("stats") or {}
    files = kept.get("total_inactive_file", kept.get("inactive_file", 0))  # cgroup v1, v2
    return ContainerUsage(
        read_at=read_at,
        cpu_ns=int(answer["cpu_stats"]["cpu_usage"]["total_usage"]),
        memory_bytes=max(0, int(memory["usage"]) - int(files)),
        pids=int((answer.get("pids_stats") or {}).get("current", 0)),
    )
