"""What a container's row means to the Docker host."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from rexec.containers.host_state import LABEL_CONTAINER, LABEL_DEPLOYMENT, LABEL_OWNER, deployment
from rexec.containers.models import Container
from rexec.docker_host import ContainerSpec
from rexec.extensions import settings

HOME = "/root"
MEGABYTE = 1024 * 1024
NANO_PER_MILLI = 1_000_000


def container_name(public_id: str) -> str:
    """What the Docker host calls a container."""
    return f"rexec-{public_id}"


def docker_name(row: Container) -> str:
    """By what the Docker host finds the container of a row."""
    return row.docker_id or container_name(row.public_id)


def volume_name(public_id: str) -> str:
    """What the Docker host calls the home directory of a container."""
    return f"rexec-home-{public_id}"


@cache
def shell_loop() -> str:
    """The script that starts the login shell again and again; the main process of every container."""
    return Path(__file__).with_name("shell_loop.sh").read_text(encoding="utf-8")


def spec_of(row: Container, network: str, *, with_disk_limit: bool) -> ContainerSpec:
    """What to create for a row.

    Args:
        row: The container.
        network: The network it joins.
        with_disk_limit: Whether the Docker host's storage can limit the container's disk.
    """
    labels = {
        LABEL_DEPLOYMENT: deployment(),
        LABEL_CONTAINER: row.public_id,
        LABEL_OWNER: str(row.owner_id),
    }
    return ContainerSpec(
        name=container_name(row.public_id),
        image=row.image_reference,
        command=("/bin/sh", "-c", shell_loop()),
        env={
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "HOME": HOME,
            "REXEC_SHELL": row.shell,
            # A shell that is killed would take its history with it.
            "PROMPT_COMMAND": "history -a",
        },
        hostname=row.name,
        labels=labels,
        network=network,
        volume_name=volume_name(row.public_id),
        volume_target=HOME,
        volume_labels=labels,
        memory_bytes=row.memory_mb * MEGABYTE,
        nano_cpus=row.cpu_millis * NANO_PER_MILLI,
        pids_limit=row.pids,
        storage_bytes=row.disk_mb * MEGABYTE if with_disk_limit and row.disk_mb else None,
        runtime=settings().container_runtime,
    )
