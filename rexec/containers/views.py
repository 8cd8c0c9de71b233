"""The pages of containers. They read rows; only the logs ask the Docker host, and say so where it is away."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rexec.billing import plans
from rexec.billing.service import plan_of
from rexec.containers import excess, host_state, keeping, listing, logs, names, room, service, showing
from rexec.containers.errors import NoPlan
from rexec.containers.forms import KeepForm, LaunchForm
from rexec.containers.host_state import HostView
from rexec.containers.models import Container
from rexec.errors import InvalidInput, LimitReached, NotFound
from rexec.web.access import current_user, login_required

blueprint = Blueprint("containers", __name__, url_prefix="/containers")

GONE_FROM_PAGE = {"HX-Redirect": "/containers"}
"""Leads a page that polls a container to the list, once it is gone."""


def seen_host() -> HostView:
    """What was last seen of the Docker host, read once for a request."""
    if "host_view" not in g:
        g.host_view = host_state.view()
    view: HostView = g.host_view
    return view


def host_badge() -> dict[str, Any]:
    """Give every page of a person who is logged in the state of the Docker host."""

    class Badge:
        """Read only by templates that show it, so that other answers need no query for it."""

        @property
        def state(self) -> str:
            """One of ok, down, unknown."""
            return {True: "ok", False: "down", None: "unknown"}[seen_host().reachable]

        @property
        def text(self) -> str:
            """The same in words."""
            words = {True: "VM ok", False: "VM cannot be reached", None: "VM not seen yet"}
            return words[seen_host().reachable]

        @property
        def room(self) -> tuple[int, int] | None:
            """How many more containers of this person's plan fit, and how many in all; None while unknown."""
            plan = plan_of(current_user)
            return seen_host().room(plan.memory_mb) if plan and self.state == "ok" else None

    return {"host": Badge()}


@blueprint.get("")
@login_required
def index() -> ResponseReturnValue:
    """A person's containers; alone with `fragment=list`."""
    q = request.args.get("q", "")
    page = listing.page(current_user.id, q=q, number=request.args.get("page", 1, type=int))
    template = "containers/_list.html" if request.args.get("fragment") == "list" else "containers/index.html"
    plan = plan_of(current_user)
    larger = plans.next_larger(plan, page.total + 1) if plan and page.total >= plan.containers else None
    over = keeping.over(plan, page.living, page.over_since)
    return render_template(template, page=page, q=q, plan=plan, larger=larger, over=over, seen=seen_host())


@blueprint.get("/new")
@login_required
def new() -> ResponseReturnValue:
    """The form of a new container, with a name to take over."""
    proposal = names.proposal(listing.names_of(current_user.id))
    return _new_page(LaunchForm(None, name=proposal))


@blueprint.post("")
@login_required
def create() -> ResponseReturnValue:
    """Make a container."""
    form = LaunchForm()
    if not form.validate_on_submit():
        return _new_page(form), 422
    try:
        row = service.launch(current_user.id, form.name.data, form.image.data)
    except InvalidInput as error:
        form.refuse(error)
        return _new_page(form), 422
    except LimitReached as error:
        return _new_page(form, refused=error), 409
    return redirect(url_for("containers.show", public_id=row.public_id), 303)


def _new_page(form: LaunchForm, *, refused: LimitReached | None = None) -> str:
    plan = plan_of(current_user)
    offered = listing.offers(seen_host())
    if form.image.data not in {offer.image.key for offer in offered}:
        ready = [offer for offer in offered if offer.is_ready] or offered
        form.image.data = ready[0].image.key if ready and not form.is_submitted() else None
    if refused is None:
        refused = NoPlan() if plan is None else service.refusal(current_user.id, plan)
    return render_template(
        "containers/new.html", form=form, plan=plan, offers=offered, refused=refused, seen=seen_host()
    )


@blueprint.route("/keep", methods=["GET", "POST"])
@login_required
def keep() -> ResponseReturnValue:
    """Choose which containers stay where the plan has not room for all."""
    form = KeepForm()
    if form.validate_on_submit():
        try:
            excess.choose(current_user.id, form.keep.data or [])
        except InvalidInput as error:
            form.refuse(error)
        else:
            flash("Your choice is kept. You can change it at any time.", "ok")
            return redirect(url_for("containers.index"), 303)
    over = keeping.over_of(current_user.id, plan_of(current_user))
    rows = keeping.candidates(current_user.id)
    ticked = form.keep.data if form.errors else keeping.staying(rows, over.room if over else len(rows))
    items = [showing.show(row, None) for row in rows]
    page = render_template("containers/keep.html", form=form, over=over, items=items, ticked=ticked)
    return page, 422 if form.errors else 200


@blueprint.get("/<public_id>")
@login_required
def show(public_id: str) -> ResponseReturnValue:
    """One container: its terminal when it runs, its stages while it is made."""
    row = service.find(current_user.id, public_id)
    # A container that may not start says so itself.
    over = keeping.over_of(current_user.id, plan_of(current_user)) if row.suspended_at is None else None
    return render_template("containers/show.html", over=over, **_live(row))


def _live(row: Container) -> dict[str, Any]:
    """What the part of a container's page that moves needs."""
    item = listing.one(row)
    why = room.suspended_of(row.owner_id) if item.is_suspended else None
    return {"item": item, "plan": plan_of(current_user), "why": why, "seen": seen_host()}


@blueprint.get("/<public_id>/status")
@login_required
def status(public_id: str) -> ResponseReturnValue:
    """The part of a container's page that moves."""
    try:
        row = service.find(current_user.id, public_id)
    except NotFound:
        # The same for a stranger's id as for one that is gone.
        return "", 404, GONE_FROM_PAGE
    return render_template("containers/_live.html", **_live(row))


@blueprint.get("/<public_id>/logs")
@login_required
def show_logs(public_id: str) -> ResponseReturnValue:
    """The end of what a container printed, asked of the Docker host within a deadline."""
    row = service.find(current_user.id, public_id)
    item = listing.one(row)
    text, problem = logs.read(row, seen_host())
    page = render_template("containers/logs.html", item=item, text=text, problem=problem, seen=seen_host())
    return page, 503 if problem is not None and not problem.permanent else 200


VERBS = {
    "start": (service.start, None),
    "stop": (service.stop, None),
    "restart": (service.restart, None),
    "retry": (service.retry, None),
    "cancel": (service.cancel, None),
    "delete": (service.delete, "“{name}” and its home directory are being deleted."),
}
"""Verb -> what does it, and what is said on the list that follows; None stays on the container's page."""


@blueprint.post("/<public_id>/<any(start, stop, restart, retry, cancel, delete):verb>")
@login_required
def act(public_id: str, verb: str) -> ResponseReturnValue:
    """Do what a button says, once however often it is pressed."""
    row = service.find(current_user.id, public_id)
    name = row.name
    do, said = VERBS[verb]
    do(row.id)
    if said is None:
        return redirect(url_for("containers.show", public_id=public_id), 303)
    flash(said.format(name=name), "ok")
    return redirect(url_for("containers.index"), 303)
