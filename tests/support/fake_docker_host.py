"""A Docker host in memory, with the interface of the real one as far as containers use it.

Unit tests give it to `create_app`. What it should do otherwise than succeed, a test says by `fail`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rexec.docker_host import ContainerSpec, ImageInfo, NetworkSpec, PullProgress
from rexec.docker_host.errors import DockerConflict, DockerHostError, DockerNotFound, ImageNotFound


def host_config(memory_bytes: int, nano_cpus: int, pids_limit: int) -> dict[str, int]:
    """The limits as an inspection shows them."""
    return {"Memory": memory_bytes, "NanoCpus": nano_cpus, "PidsLimit": pids_limit}


class FakeDockerHost:
    """Keeps containers, volumes, networks and images in dictionaries, and counts its calls."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, Any]] = {}
        self.specs: dict[str, ContainerSpec] = {}
        self.volumes: set[str] = set()
        self.networks: set[str] = set()
        self.images = {"rexec/shell:latest": 2_000_000}
        self.pullable = {"alpine:3.22": 8_000_000}
        self.exec_output = b""
        self.calls: Counter[str] = Counter()
        self._failures: dict[str, list[DockerHostError]] = {}
        self._before: dict[str, Any] = {}
        self._ids = itertools.count(1)

    def fail(self, method: str, error: DockerHostError, times: int = 1) -> None:
        """Let the next calls of a method raise."""
        self._failures[method] = [error] * times

    def before(self, method: str, action: Any) -> None:
        """Call something once, just before the next call of a method takes effect."""
        self._before[method] = action

    def _called(self, method: str) -> None:
        self.calls[method] += 1
        if action := self._before.pop(method, None):
            action()
        if failures := self._failures.get(method):
            raise failures.pop()

    def _get(self, name: str) -> dict[str, Any]:
        for item in self.found.values():
            if name in {item["Id"], item["Name"][1:]}:
                return item
        raise DockerNotFound

    def ping(self) -> None:
        self._called("ping")

    def info(self) -> dict[str, Any]:
        self._called("info")
        return {"ServerVersion": "20.10.24", "Driver": "overlay2", "SecurityOptions": ["name=userns"]}

    def close(self) -> None:
        """Nothing is open."""

    def create_container(self, spec: ContainerSpec) -> str:
        self._called("create_container")
        if spec.image not in self.images:
            raise ImageNotFound
        if spec.network not in self.networks:
            raise DockerNotFound
        if any(item["Name"] == f"/{spec.name}" for item in self.found.values()):
            raise DockerConflict(code="docker_name_taken")
        docker_id = f"{next(self._ids):064x}"
        self.specs[docker_id] = spec
        self.volumes.add(spec.volume_name)
        self.found[docker_id] = {
            "Id": docker_id,
            "Name": f"/{spec.name}",
            "Config": {"Labels": dict(spec.labels)},
            "HostConfig": host_config(spec.memory_bytes, spec.nano_cpus, spec.pids_limit),
            "State": {"Status": "created", "Running": False, "StartedAt": "0001-01-01T00:00:00Z"},
        }
        return docker_id

    def start_container(self, container: str) -> None:
        self._called("start_container")
        self.set_state(container, "running")

    def stop_container(self, container: str, grace_s: int = 10) -> None:
        self._called("stop_container")
        self.set_state(container, "exited")

    def update_container(self, container: str, memory_bytes: int, nano_cpus: int, pids_limit: int) -> None:
        self._called("update_container")
        self._get(container)["HostConfig"] = host_config(memory_bytes, nano_cpus, pids_limit)

    def set_state(self, container: str, status: str) -> None:
        """What somebody else does to a container on the Docker host."""
        self._get(container)["State"].update(Status=status, Running=status == "running")

    def remove_container(self, container: str) -> None:
        self._called("remove_container")
        del self.found[self._get(container)["Id"]]

    def inspect_container(self, container: str) -> dict[str, Any]:
        self._called("inspect_container")
        return self._get(container)

    def list_containers(self, labels: Mapping[str, str | None]) -> list[dict[str, Any]]:
        self._called("list_containers")
        return [
            {"Id": item["Id"], "Labels": item["Config"]["Labels"], "State": item["State"]["Status"]}
            for item in self.found.values()
            if labels.items() <= item["Config"]["Labels"].items()
        ]

    def exec_run(self, container: str, argv: Sequence[str], timeout_s: float) -> tuple[int, bytes]:
        self._called("exec_run")
        self._get(container)
        return 0, self.exec_output

    def container_logs(self, container: str, tail_bytes: int = 0) -> bytes:
        self._called("container_logs")
        self._get(container)
        return b"\x1b[32mhello\x1b[0m\r\n"

    def ensure_network(self, spec: NetworkSpec) -> str:
        self._called("ensure_network")
        self.networks.add(spec.name)
        return spec.name

    def remove_volume(self, name: str) -> None:
        self._called("remove_volume")
        if name not in self.volumes:
            raise DockerNotFound
        self.volumes.remove(name)

    def list_images(self) -> list[ImageInfo]:
        self._called("list_images")
        return [ImageInfo(reference, size) for reference, size in self.images.items()]

    def pull_image(self, reference: str, deadline_s: float) -> Iterator[PullProgress]:
        self._called("pull_image")
        size = self.pullable[reference]
        yield PullProgress("", "Pulling from library")
        yield PullProgress("aaa", "Downloading", 0, size)
        self._called("pull_line")
        yield PullProgress("aaa", "Downloading", size // 2, size)
        yield PullProgress("aaa", "Download complete")
        yield PullProgress("aaa", "Pull complete")
        self.images[reference] = size
