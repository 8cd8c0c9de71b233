"""The billing page, the ways to Stripe and back, and the address that Stripe tells news to."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from rexec.billing import checkout, manage, returning, service, showing, usage, webhooks
from rexec.billing.errors import StripeError
from rexec.billing.gateway import is_on, stripe
from rexec.errors import RexecError
from rexec.extensions import csrf, limiter, settings
from rexec.web.access import current_user, login_required
from rexec.web.security import allow_forms_to

blueprint = Blueprint("billing", __name__)

STRIPE_PAGES = ("https://checkout.stripe.com", "https://billing.stripe.com")
PER_PERSON = "10 per minute; 60 per hour"

limit_tries = limiter.shared_limit(PER_PERSON, scope="billing", key_func=lambda: f"user-{current_user.id}")
"""Each try asks Stripe, whose patience all people of this service share."""


@blueprint.get("/billing")
@login_required
def index() -> ResponseReturnValue:
    """Plan now, use against each limit, what is paid, plans side by side."""
    return _page()


def _page(error: RexecError | None = None) -> ResponseReturnValue:
    if is_on():
        base = settings().stripe_api_base
        allow_forms_to(*([_origin(base)] if base else STRIPE_PAGES))
    plan = service.plan_of(current_user)
    used = usage.of(current_user.id)
    paid = showing.payments(current_user.id, current_user.paid_until)
    wanted = request.values.get("interval") or (paid.subscription and paid.subscription.interval)
    interval = "year" if wanted == "year" and showing.sold_by_the_year() else "month"
    page = render_template(
        "billing/index.html",
        plan=plan,
        used=used,
        bars=usage.bars(plan, used) if plan else [],
        paid=paid,
        cards=showing.cards(plan, paid, interval),
        interval=interval,
        by_the_year=showing.sold_by_the_year(),
        left="left" in request.args,
        error=error,
    )
    return page, _status(error)


def _status(error: RexecError | None) -> int:
    from rexec.web.errors import status_of

    return status_of(error) if error is not None else 200


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _base_url() -> str:
    return settings().app_url or request.host_url.rstrip("/")


@blueprint.post("/billing/checkout")
@login_required
@limit_tries
def begin_checkout() -> ResponseReturnValue:
    """Lead to Stripe, where the plan is paid for or changed."""
    plan, interval = request.form.get("plan", ""), request.form.get("interval") or "month"
    try:
        url = checkout.begin(current_user.id, plan, interval, _base_url(), stripe())
    except RexecError as error:
        return _page(error)
    return redirect(url, 303)


@blueprint.post("/billing/portal")
@login_required
@limit_tries
def open_portal() -> ResponseReturnValue:
    """Lead to Stripe's customer portal, or to one page of it."""
    try:
        url = manage.portal_url(current_user.id, request.form.get("flow", ""), _base_url(), stripe())
    except RexecError as error:
        return _page(error)
    return redirect(url, 303)


@blueprint.get("/billing/return")
@login_required
@limit_tries
def come_back() -> ResponseReturnValue:
    """Apply what was bought or changed at once, then show it."""
    try:
        said = returning.come_back(current_user.id, request.args.get("session_id"), stripe())
    except StripeError as error:
        returning.look_later(current_user.id)
        flash(f"{error.message} What you paid for is applied by itself within two minutes.", "warn")
    else:
        flash(said, "ok")
    return redirect(url_for("billing.index"), 303)


@blueprint.post("/webhooks/stripe")
@csrf.exempt  # type: ignore[untyped-decorator]  # Flask-WTF has no types
def hear() -> ResponseReturnValue:
    """Take an event of Stripe's; answered before it is handled."""
    try:
        word = webhooks.receive(
            request.get_data(cache=False),
            request.headers.get("Stripe-Signature"),
            settings().stripe_webhook_secrets if is_on() else (),
            is_live=is_on() and stripe().is_live,
        )
    except webhooks.BadWebhook as error:
        return jsonify(error=error.code), 400
    return jsonify(received=word)
