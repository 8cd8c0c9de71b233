"""Containers: what people can make, what they made, and what the Docker host says about it."""

from __future__ import annotations

from flask import Flask


def init_app(app: Flask) -> None:
    """Read the catalogue; register pages, work and signals.

    Raises:
        ConfigError: With every problem of the catalogue.
    """
    from rexec.accounts.signals import account_closing
    from rexec.billing.signals import plan_changed
    from rexec.billing.usage import usage_asked
    from rexec.containers import (
        catalogue,
        closing,
        excess,
        idle,
        jobs,
        limits,
        listing,
        reconcile,
        showing,
        views,
    )
    from rexec.extensions import settings

    with app.app_context():
        catalogue.init_catalogue(app, settings().images_file)
    # Importing them declares their operations and their schedule.
    app.extensions["rexec.container-work"] = (jobs, idle, reconcile)
    account_closing.connect(closing.on_account_closing)
    usage_asked.connect(listing.usage_of)
    plan_changed.connect(limits.on_plan_changed)
    plan_changed.connect(excess.on_plan_changed)
    app.jinja_env.filters.update(
        percent_of=showing.percent_of, timings_words=showing.timings_words, limits_words=showing.limits_words
    )
    app.context_processor(views.host_badge)
    app.register_blueprint(views.blueprint)
