"""Plans: what each allows, which one a person has, how much of it is used."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Read the plans; register pages, work and signals."""
    from rexec.accounts.signals import payments_ending
    from rexec.billing import closing, jobs, models, plans, views
    from rexec.extensions import settings

    # Importing them declares their tables, their operations and their schedule.
    app.extensions["rexec.billing-work"] = (models, jobs)
    payments_ending.connect(closing.on_payments_ending)

    with app.app_context():
        plans.init_plans(app, settings().plans_file)
    app.register_blueprint(views.blueprint)
