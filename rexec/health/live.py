"""Signs of life of this process's own threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from flask import Flask

EXTENSION = "rexec.heartbeats"
SILENT_S = 10.0

Age = Callable[[], float]


def stuck(app: Flask) -> list[str]:
    """Names of the threads that have not moved for too long; empty when the process lives.

    A part whose thread must not stop adds itself to `app.extensions["rexec.heartbeats"]`, as a function that
    gives the seconds since its last turn.

    Args:
        app: The application of this process.
    """
    heartbeats = cast("dict[str, Age]", app.extensions.get(EXTENSION, {}))
    return [name for name, age_s in heartbeats.items() if age_s() > SILENT_S]
