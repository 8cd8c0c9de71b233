"""Whether what Rexec stands on works: `/health`, `/health/live`, `/metrics`, and telling the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rexec.health import notices, totals  # noqa: F401 - the latter declares periodic work
from rexec.health.monitor import start, stop, work_waits
from rexec.health.report import refresh

if TYPE_CHECKING:
    from flask import Flask

__all__ = ["init_app", "refresh", "start", "stop"]


def init_app(app: Flask) -> None:
    """Register the pages; `start` begins to fill them."""
    from rexec.extensions import limiter
    from rexec.health.views import blueprint

    limiter.exempt(blueprint)
    app.register_blueprint(blueprint)
    # A page asks no service for these: the answers are in this process's memory.
    app.jinja_env.globals["work_waits"] = lambda: work_waits(app)
    app.jinja_env.globals["service_health"] = lambda: notices.view(app)
