"""People: sign-up, log-in and its sessions, one-time links, and the end of an account."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Register pages, periodic work and how a cookie is turned into a person."""
    from rexec.accounts import jobs, login, views  # noqa: F401 - declares the periodic work
    from rexec.extensions import settings

    login.init_app(app)
    with app.app_context():
        app.jinja_env.globals["signups_open"] = settings().signups == "open"
    app.register_blueprint(views.blueprint)
