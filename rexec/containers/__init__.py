"""Containers: what people can make, what they made, and what the Docker host says about it."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Read the catalogue; register pages, work and signals.

    Raises:
        ConfigError: With every problem of the catalogue.
    """
    from rexec.accounts.signals import account_closing
    from rexec.containers import catalogue, closing, idle, jobs, reconcile, views
    from rexec.extensions import settings

    with app.app_context():
        catalogue.init_catalogue(app, settings().images_file)
    # Importing them declares their operations and their schedule.
    app.extensions["rexec.container-work"] = (jobs, idle, reconcile)
    account_closing.connect(closing.on_account_closing)
    app.context_processor(views.host_badge)
    app.register_blueprint(views.blueprint)
