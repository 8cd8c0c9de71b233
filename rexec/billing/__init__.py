"""Plans: what each allows, which one a person has, how much of it is used."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Read the plans and register the page."""
    from rexec.billing import models, plans, views  # noqa: F401 - declares the tables
    from rexec.extensions import settings

    with app.app_context():
        plans.init_plans(app, settings().plans_file)
    app.register_blueprint(views.blueprint)
