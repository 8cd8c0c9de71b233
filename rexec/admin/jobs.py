"""Looks at the VM from inside a container: the daemon tells neither its load nor the room on its disk."""

from __future__ import annotations

from typing import Final

from rexec import jobs
from rexec.containers import catalogue
from rexec.containers.gateway import docker
from rexec.containers.helper import helper_spec, remove_helper
from rexec.containers.host_state import LABEL_DEPLOYMENT, deployment
from rexec.docker_host import ContainerSpec
from rexec.errors import RexecError
from rexec.jobs import OperationContext

LOOK: Final = "admin.look"
SUBJECT: Final = "host:1"
ASK: Final = "cat /proc/loadavg; grep -E '^Mem(Total|Available):' /proc/meminfo; df -Pk / | tail -n 1"
"""Load and memory are the VM's in every container; a container's root is on the disk that holds them all."""
MEMORY: Final = 32 * 1024**2
EXEC_S: Final = 10.0
KB: Final = 1024


class NothingSeen(RexecError):
    """The VM could not be looked at."""

    code = "vm_not_seen"
    message = "The VM holds no image to look at it from."
    hint = "It is looked at again once a container has been made."


@jobs.handler(LOOK, timeout_s=60.0, max_attempts=1)
def look(context: OperationContext) -> None:
    """Note the VM's load, memory and disk as the operation's result."""
    held = {image.reference for image in docker().list_images()}
    images = sorted(catalogue.all_images(), key=lambda image: not image.builtin)
    found = next((image.local_reference for image in images if image.local_reference in held), None)
    if found is None:
        raise NothingSeen
    context.result(read(_ask(found)))


def read(text: str) -> dict[str, float]:
    """The figures in what the container printed; sizes in bytes.

    Args:
        text: The answer to `ASK`.

    Raises:
        NothingSeen: It is something else.
    """
    try:
        load, *memory, disk = text.strip().splitlines()
        total, available = (int(line.split()[1]) for line in memory)
        _, _, used, free, *_ = disk.split()
        return {
            "load": float(load.split()[0]),
            "memory_used": (total - available) * KB,
            "memory": total * KB,
            "disk_used": int(used) * KB,
            "disk": (int(used) + int(free)) * KB,
        }
    except (ValueError, IndexError) as error:
        raise NothingSeen("The VM's answer was not understood.", hint="") from error


def _ask(image: str) -> str:
    spec = _spec(image)
    # What was left by a look that was killed; always the same name, so that there is one at most.
    remove_helper(docker(), spec)
    try:
        docker().create_container(spec)
        docker().start_container(spec.name)
        _, output = docker().exec_run(spec.name, ["/bin/sh", "-c", ASK], EXEC_S)
    finally:
        remove_helper(docker(), spec)
    return output.decode(errors="replace")


def _spec(image: str) -> ContainerSpec:
    # Belongs to no row: where it is left behind, the watcher takes it away.
    return helper_spec(
        f"rexec-look-{deployment()[:8]}", image, labels={LABEL_DEPLOYMENT: deployment()}, memory_bytes=MEMORY
    )
