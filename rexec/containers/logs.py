"""The end of what a container printed, made readable."""

from __future__ import annotations

import re

from rexec.containers.errors import ContainerMissing
from rexec.containers.gateway import docker
from rexec.containers.host_state import HostView
from rexec.containers.models import Container
from rexec.docker_host.errors import DockerHostError, DockerNotFound, DockerUnreachable
from rexec.errors import RexecError

TAIL_BYTES = 256 * 1024
_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_].*?(?:\x1b\\|\x07)"  # OSC and other strings: titles, links
    r"|\x1b[ -/]*[0-~]",  # short ones
    re.DOTALL,
)
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def read(row: Container, host: HostView) -> tuple[str, RexecError | None]:
    """What a container printed last, as plain text, and why it cannot be had.

    Args:
        row: The container.
        host: Where the Docker host is known to be away it is not asked: the page would wait for it.
    """
    if row.docker_id is None:
        return "", None
    if host.is_down:
        return "", DockerUnreachable(host.error_message, code="docker_closed")
    try:
        return readable(docker().container_logs(row.docker_id, TAIL_BYTES)), None
    except DockerNotFound:
        return "", ContainerMissing()
    except DockerHostError as error:
        return "", error


def readable(raw: bytes) -> str:
    """Terminal output without what steers a terminal.

    Args:
        raw: As the terminal got it.
    """
    text = raw.decode("utf-8", errors="replace").replace("\r\n", "\n")
    text = _UNPRINTABLE.sub("", _ESCAPES.sub("", text))
    return text.strip("\n")
