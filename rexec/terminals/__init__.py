"""Terminals: browsers on WebSockets, joined to containers by one hub thread in each web process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def init_app(app: Flask) -> None:
    """Register the WebSocket's address."""
    from rexec.extensions import limiter
    from rexec.terminals.views import blueprint

    limiter.exempt(blueprint)
    app.register_blueprint(blueprint)
