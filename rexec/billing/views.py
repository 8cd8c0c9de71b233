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
    used = usage.of(current_user.id)
    return render_template(
        "billing/index.html",
        plan=plan,
        used=used,
        bars=usage.bars(plan, used) if plan else [],
        plans=offered,
        rows=compare.rows(offered),
    )
