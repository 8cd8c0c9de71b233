"""What every page shares: error pages, security headers, CSRF, filters, access rules."""

from __future__ import annotations

from flask import Flask

from rexec.web import assets, errors, filters, security
from rexec.web.home import home
from rexec.web.theme import theme


def init_app(app: Flask) -> None:
    """Register the shared parts of the pages."""
    security.init_app(app)
    errors.init_app(app)
    filters.init_app(app)
    assets.init_app(app)
    app.register_blueprint(home)
    app.register_blueprint(theme)
