"""The admin's page of payments."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rexec.admin import payments
from rexec.admin.views import blueprint
from rexec.billing import events
from rexec.billing.gateway import is_on
from rexec.web.access import admin_required


@blueprint.get("/billing")
@admin_required
def billing() -> ResponseReturnValue:
    """Subscriptions, and events that could not be handled."""
    listed = payments.payments(request.args.get("page", 1, type=int))
    return render_template("admin/billing.html", listed=listed, is_on=is_on())


@blueprint.post("/billing/events/<int:event_row>/replay")
@admin_required
def replay(event_row: int) -> ResponseReturnValue:
    """Have an event handled again."""
    events.replay(event_row)
    flash("The event is handled again.", "ok")
    return redirect(url_for("admin.billing"), 303)
