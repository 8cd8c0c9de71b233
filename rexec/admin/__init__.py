"""What admins see: who has an account, and what can be done about it."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the pages."""
    from rexec.admin import payments_views, views  # noqa: F401 - adds its pages to the blueprint

    app.register_blueprint(views.blueprint)
