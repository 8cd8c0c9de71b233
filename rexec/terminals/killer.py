"""Ending what a further tab left running in a container.

Closing an exec's connection leaves its processes alone, and the engine has no verb to end them. Each tab's
exec carries a mark in its environment, which its children inherit; a small script in the container finds and
ends them. It uses builtins of `sh` alone, as the smallest image has nothing else.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rexec.docker_host import DockerHost

log = logging.getLogger(__name__)

MARK: Final = "RX_TERM"
DEADLINE_S: Final = 8.0
_SAFE: Final = re.compile(r"[A-Za-z0-9_.-]+")

# `read` drops the NULs between the variables; a mark may therefore be followed by the next name, and tokens
# are so long that none begins another. HUP first: a login shell then writes its history.
_SCRIPT: Final = """
each() {
    for dir in /proc/[0-9]*; do
        while IFS= read -r line || [ -n "$line" ]; do
            case $line in %(match)s kill "-$1" "${dir#/proc/}"; break ;; esac
        done 2>/dev/null <"$dir/environ"
    done 2>/dev/null
}
each HUP; each CONT
sleep 1 2>/dev/null
each KILL
"""


def _script(match: str) -> tuple[str, ...]:
    return ("/bin/sh", "-c", _SCRIPT % {"match": match})


def _safe(tokens: Iterable[str]) -> list[str]:
    found = list(tokens)
    for token in found:
        if not _SAFE.fullmatch(token):
            raise ValueError("not a token of ours")
    return found


def only(tokens: Iterable[str]) -> tuple[str, ...]:
    """The command that ends what carries one of these marks.

    Args:
        tokens: Whole marks, as `<instance>.<number>`.
    """
    return _script("|".join(f"*{MARK}={token}*" for token in _safe(tokens)) + ")")


def all_but(instances: Iterable[str]) -> tuple[str, ...]:
    """The command that ends what carries a mark of no living process of ours.

    Args:
        instances: First parts of the marks that stay.
    """
    stays = "|".join(f"*{MARK}={instance}.*" for instance in _safe(instances))
    return _script((f"{stays}) ;; " if stays else "") + f"*{MARK}=*)")


def run(docker: DockerHost, container: str, argv: tuple[str, ...]) -> None:
    """Run one of the commands in a container.

    Raises:
        DockerHostError: The container or the daemon is away.
    """
    code, output = docker.exec_run(container, argv, DEADLINE_S)
    if code:
        log.warning("Ending a tab's processes in %s: exit code %s, %r", container, code, output[-200:])
