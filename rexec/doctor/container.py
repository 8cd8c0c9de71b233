"""Makes a container, starts it, runs a command in it, and takes it away again, whatever happens."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rexec.containers import catalogue
from rexec.containers.helper import helper_spec, remove_helper
from rexec.containers.host_state import LABEL_DEPLOYMENT
from rexec.docker_host.errors import DockerAPIError, DockerHostError
from rexec.doctor.checks import Finding, failed, ok, skipped, warning
from rexec.doctor.daemon import LIMITED_DRIVERS, backing
from rexec.doctor.errors import Unwell
from rexec.errors import ConfigError

if TYPE_CHECKING:
    from rexec.docker_host import ContainerSpec, DockerHost
    from rexec.doctor.deployment import Deployment

LABEL = "rexec.doctor"
MEMORY = 64 * 1024**2
NEEDED_S = 9.0
"""Below that much time it is not begun."""
REMOVING_S = 6.0
"""Kept free of everything else, so that what was made can be removed."""
REMOVE_S = 2.0
EXEC_S = 4.0
FORGOTTEN_S = 120
NO_IMAGE = "The VM holds no image to make a container of."
ASK = (
    "echo well; cat /sys/fs/cgroup/memory.max 2>/dev/null"
    " || cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null"
)


@dataclass(frozen=True)
class _Took:
    create_s: float
    start_s: float
    exec_s: float


def whole_life(deployment: Deployment) -> Finding:
    """Whether a container can be made, started, used and removed, with its limits in force."""
    image = _image(deployment)
    if image is None:
        return skipped(NO_IMAGE)
    if deployment.deadline.left() < NEEDED_S:
        return skipped("No time was left: what came before was slow.")
    _remove_forgotten(deployment.host)
    spec = _spec(image, deployment)
    try:
        took = _use(deployment, spec)
    except DockerAPIError as error:
        if image not in _of_the_catalogue(deployment) and "executable file not found" in error.detail:
            return skipped(NO_IMAGE)
        raise
    finally:
        left = _remove(deployment.patient_host(REMOVE_S), spec)
    if left is not None:
        return failed(left)
    times = f"create {took.create_s:.2f} s, start {took.start_s:.2f} s, exec {took.exec_s:.2f} s"
    return ok(f"Made of {image}, started, used and removed: {times}.")


def disk_limit(deployment: Deployment) -> Finding:
    """Whether the daemon can limit what a container writes; of overlay2 only trying tells."""
    driver, file_system = str(deployment.info.get("Driver")), backing(deployment.info)
    if driver in LIMITED_DRIVERS:
        return ok(f"{driver} limits what a container writes.")
    if driver == "overlay2" and file_system == "xfs":
        image = _image(deployment)
        if image is None:
            return skipped(NO_IMAGE)
        if _can_limit(deployment, image):
            return ok("overlay2 on xfs with project quotas limits what a container writes.")
    return warning(
        f"{driver} on {file_system} cannot limit what a container writes.",
        "Put /var/lib/docker on XFS mounted with pquota, or watch the VM's disk.",
    )


def _can_limit(deployment: Deployment, image: str) -> bool:
    spec = replace(_spec(image, deployment), storage_bytes=MEMORY)
    try:
        deployment.host.create_container(spec)
    except DockerAPIError as error:
        if "storage-opt" in error.detail.lower():
            return False
        raise
    finally:
        _remove(deployment.host, spec)
    return True


def _of_the_catalogue(deployment: Deployment) -> list[str]:
    try:
        images = catalogue.load(deployment.settings.images_file)
    except ConfigError:
        images = catalogue.load()
    return [image.local_reference for image in sorted(images, key=lambda image: not image.builtin)]


def _image(deployment: Deployment) -> str | None:
    """The catalogue's built-in image, else another of it, else any that the daemon holds."""
    held = [image.reference for image in deployment.host.list_images()]
    return next((one for one in _of_the_catalogue(deployment) if one in held), held[0] if held else None)


def _spec(image: str, deployment: Deployment) -> ContainerSpec:
    name = f"rexec-doctor-{secrets.token_hex(6)}"
    # A deployment of that name has no rows, and so no watcher that would take it for an orphan.
    labels = {LABEL_DEPLOYMENT: "doctor", LABEL: "1"}
    spec = helper_spec(name, image, labels, MEMORY)
    return replace(spec, network="bridge", runtime=deployment.settings.container_runtime)


def _use(deployment: Deployment, spec: ContainerSpec) -> _Took:
    began = time.monotonic()
    with _in_the_time_left(deployment) as host:
        host.create_container(spec)
    created = time.monotonic()
    with _in_the_time_left(deployment) as host:
        host.start_container(spec.name)
        started = time.monotonic()
        code, output = host.exec_run(spec.name, ["/bin/sh", "-c", ASK], EXEC_S)
    _judge(code, output.decode(errors="replace").split("\n"))
    return _Took(created - began, started - created, time.monotonic() - started)


@contextmanager
def _in_the_time_left(deployment: Deployment) -> Iterator[DockerHost]:
    """A client that waits for an answer as long as can be, with time kept to remove what was made."""
    host = deployment.patient_host(max(1.0, deployment.deadline.left() - REMOVING_S))
    try:
        yield host
    finally:
        host.close()


def _judge(code: int, lines: list[str]) -> None:
    if lines[0] != "well":
        raise Unwell("docker_exec_wrong", f"A command in the test container ended with code {code}.")
    # Under some runtimes a container does not see its own limits.
    seen = next((line for line in lines[1:] if line.isdigit() or line == "max"), str(MEMORY))
    if seen != str(MEMORY):
        raise Unwell("docker_limits_not_kept")


def _remove(host: DockerHost, spec: ContainerSpec) -> DockerHostError | None:
    """Take away what there is of it; what prevents that, or None."""
    try:
        remove_helper(host, spec)
    except DockerHostError as error:
        return error
    finally:
        host.close()
    return None


def _remove_forgotten(host: DockerHost) -> None:
    """Take away what a doctor left that was killed, or that lost the VM before it could."""
    with suppress(DockerHostError):
        for found in host.list_containers({LABEL: None}):
            if time.time() - float(found["Created"]) > FORGOTTEN_S:
                host.remove_container(found["Id"])
                host.remove_volume(found["Names"][0].removeprefix("/"))
