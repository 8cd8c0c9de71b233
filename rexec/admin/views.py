"""Pages for admins: who has an account, and what can be done about it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rexec.admin import glance, service
from rexec.admin.forms import InviteForm, PlanForm, plan_choices
from rexec.containers.views import seen_host
from rexec.errors import InvalidInput
from rexec.extensions import settings
from rexec.web.access import admin_required, current_user

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.get("")
@admin_required
def index() -> ResponseReturnValue:
    """The VM at a glance, and the list of people."""
    search = request.args.get("q", "")
    listed = service.people(search, request.args.get("page", 1, type=int))
    vm = glance.see(seen_host(), again=True)
    return render_template(
        "admin/index.html", vm=vm, listed=listed, search=search, plan_choices=plan_choices()
    )


@blueprint.get("/glance")
@admin_required
def glance_only() -> ResponseReturnValue:
    """The part of the page that follows a look at the VM."""
    return render_template("admin/_glance.html", vm=glance.see(seen_host()))


@blueprint.post("/users/<int:user_id>/reset-link")
@admin_required
def reset_link(user_id: int) -> ResponseReturnValue:
    """Make a reset link and show it, this once."""
    email, link = service.reset_link(user_id, _base_url())
    return render_template("admin/link.html", purpose="reset", email=email, link=link)


@blueprint.route("/invite", methods=["GET", "POST"])
@admin_required
def invite() -> ResponseReturnValue:
    """Make an invitation and show its link, this once."""
    form = InviteForm()
    if form.validate_on_submit():
        try:
            link = service.invite(
                _base_url(), email=form.email.data, plan=form.plan.data, grants_admin=form.admin.data
            )
        except InvalidInput as error:
            form.refuse(error)
        else:
            return render_template("admin/link.html", purpose="invite", email=form.email.data, link=link)
    return render_template("admin/invite.html", form=form), 422 if form.is_submitted() else 200


@blueprint.post("/users/<int:user_id>/disable")
@admin_required
def disable(user_id: int) -> ResponseReturnValue:
    """Shut a person out."""
    service.set_disabled(user_id, True, by=current_user.id)
    flash("The account is disabled and logged out everywhere.", "ok")
    return _back()


@blueprint.post("/users/<int:user_id>/enable")
@admin_required
def enable(user_id: int) -> ResponseReturnValue:
    """Let a person in again."""
    service.set_disabled(user_id, False, by=current_user.id)
    flash("The account is enabled.", "ok")
    return _back()


@blueprint.post("/users/<int:user_id>/plan")
@admin_required
def set_plan(user_id: int) -> ResponseReturnValue:
    """Give a person a plan."""
    form = PlanForm()
    form.validate_on_submit()
    service.set_plan(user_id, form.plan.data)
    flash("The plan is changed.", "ok")
    return _back()


def _back() -> ResponseReturnValue:
    """The list as it was: the search and the page come along in the form's address."""
    search, page = (request.args.get(name) or None for name in ("q", "page"))
    return redirect(url_for("admin.index", q=search, page=page), 303)


def _base_url() -> str:
    return settings().app_url or request.host_url
