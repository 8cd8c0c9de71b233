"""A Docker daemon without user namespaces, in the tests' own network or in the one that reaches the mirrors.

Builds need the mirrors, and a container in its machine's network needs a daemon without user namespaces.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.support.engine import Engine

_EVERYWHERE = "00000000"


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _has_way_out(pid: int) -> bool:
    """Say whether a process's network has a default route."""
    routes = Path(f"/proc/{pid}/net/route").read_text().splitlines()[1:]
    return any(line.split()[1] == _EVERYWHERE for line in routes)


def into_the_outer_network() -> tuple[str, ...]:
    """What to put before a command so that it runs in the network of the machine; nothing where that is ours.

    Test processes that run side by side have each a network of its own, with nothing in it but loopback: the
    nearest ancestor that has a default route is in the machine's.
    """
    pid = os.getpid()
    while pid and not _has_way_out(pid):
        pid = _parent(pid)
    if pid in {0, os.getpid()}:
        return ()
    return ("nsenter", f"--net=/proc/{pid}/ns/net")


class PlainEngine(Engine):
    """A daemon whose containers may use `--network host`: root inside is root outside.

    Args:
        folder: Everything it keeps.
        outside: Whether it lives in the network that reaches the mirrors, where 127.0.0.1 is not the tests',
            so that it is driven through its socket.
    """

    def __init__(self, folder: Path, *, outside: bool = False) -> None:
        super().__init__(folder)
        self.outside = outside
        self.variables = {"ENGINE_USERNS": "host"}
        if outside:
            self.script = (*into_the_outer_network(), *Engine.script)

    def environment(self) -> dict[str, str]:
        """How the command line reaches it: over TLS, or from another network by its socket."""
        if not self.outside:
            return super().environment()
        socket = json.loads((self.folder / "daemon.json").read_text())["hosts"][0]
        return {"DOCKER_HOST": socket, "DOCKER_TLS_VERIFY": "", "DOCKER_CERT_PATH": ""}
