"""The web process of the terminal bench: the product's own, with limits that let one person open everything.

Takes no arguments; reads the product's environment.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rexec.config import Settings
from rexec.web.server import WebApplication, limit_memory_arenas, raise_file_limit

if TYPE_CHECKING:
    from flask import Flask


class WithoutLimits(WebApplication):
    """Counts no windows and no tabs."""

    def load(self) -> Flask:
        """Build the application, in the worker, as the product does."""
        from rexec.terminals import service

        app = super().load()
        service.MAX_TABS = 100_000  # type: ignore[misc]
        service.VIEWERS_PER_CONTAINER = 100_000  # type: ignore[misc]
        service.VIEWERS_PER_USER = 100_000  # type: ignore[misc]
        return app


def main() -> None:
    """Serve until SIGTERM."""
    limit_memory_arenas()
    raise_file_limit()
    WithoutLimits(Settings.from_env(os.environ)).run()


if __name__ == "__main__":
    main()
