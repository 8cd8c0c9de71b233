"""What admins see: how the VM is, who has an account, and what can be done about it."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register pages and work."""
    from rexec.admin import jobs, payments_views, views

    # Importing them declares an operation, and adds pages to the blueprint.
    app.extensions["rexec.admin-work"] = (jobs, payments_views)
    app.register_blueprint(views.blueprint)
