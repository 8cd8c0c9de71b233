"""The page that says which plan somebody has and how much of it is used."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from rexec.billing import compare, plans, service, usage
from rexec.web.access import current_user, login_required

blueprint = Blueprint("billing", __name__)


@blueprint.get("/billing")
@login_required
def index() -> ResponseReturnValue:
    """Plan now, use against each limit, plans side by side."""
    plan = service.plan_of(current_user)
    offered = plans.all()
    return render_template(
        "billing/index.html",
        plan=plan,
        bars=usage.bars(plan, usage.of(current_user.id)) if plan else [],
        plans=offered,
        rows=compare.rows(offered),
    )
