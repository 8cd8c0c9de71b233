"""Containers of our own that live for seconds: the daemon does not tell what a VM looks like from inside."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from rexec.docker_host import ContainerSpec
from rexec.docker_host.errors import DockerNotFound

if TYPE_CHECKING:
    from rexec.docker_host import DockerHost

LIFE_S: Final = 60
"""After that it ends by itself, where nobody could remove it."""


def helper_spec(name: str, image: str, labels: Mapping[str, str], memory_bytes: int) -> ContainerSpec:
    """Describe a container that waits for commands, without a network, limited and hardened like a user's.

    Args:
        name: Its name on the daemon, and its volume's.
        image: A reference that the daemon holds.
        labels: Marks for it and its volume.
        memory_bytes: Its memory.
    """
    return ContainerSpec(
        name=name,
        image=image,
        command=("/bin/sh", "-c", f"sleep {LIFE_S}"),
        hostname="rexec",
        network="none",
        volume_name=name,
        volume_target="/root",
        volume_labels=labels,
        labels=labels,
        memory_bytes=memory_bytes,
        nano_cpus=500_000_000,
        pids_limit=32,
    )


def remove_helper(host: DockerHost, spec: ContainerSpec) -> None:
    """Take away what there is of it.

    Args:
        host: The daemon.
        spec: What it was made with.

    Raises:
        DockerHostError: The daemon could not do it.
    """
    for remove, name in ((host.remove_container, spec.name), (host.remove_volume, spec.volume_name)):
        with suppress(DockerNotFound):
            remove(name)
