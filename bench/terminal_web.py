"""The web process of the terminal bench: the product's own, with limits that let one person open everything.

Takes no arguments; reads the product's environment. `BENCH` raises nothing but counts.
"""

from __future__ import annotations

import os

from rexec.config import Settings
from rexec.terminals import service
from rexec.web.server import serve_web


def main() -> None:
    """Serve until SIGTERM."""
    service.MAX_TABS = 100_000  # type: ignore[misc]
    service.VIEWERS_PER_CONTAINER = 100_000  # type: ignore[misc]
    service.VIEWERS_PER_USER = 100_000  # type: ignore[misc]
    serve_web(Settings.from_env(os.environ))


if __name__ == "__main__":
    main()
