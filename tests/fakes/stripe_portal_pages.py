"""The pages of the customer portal; https://docs.stripe.com/customer-management.

/p/session/ID is the home; below it are /update, /confirm, /cancel, /resume and /card.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.fakes import stripe_html as html
from tests.fakes import stripe_lifecycle as lifecycle
from tests.fakes import stripe_plan_changes as plans
from tests.fakes.stripe_errors import ApiError
from tests.fakes.stripe_intervals import after
from tests.fakes.stripe_lifecycle import OVER, updating
from tests.fakes.stripe_lines import amount_of
from tests.fakes.stripe_lists import matching
from tests.fakes.stripe_pages import Page, Visit, see_other, shown
from tests.fakes.stripe_payments import check_card, save_card
from tests.fakes.stripe_plan_changes import Change
from tests.fakes.stripe_state import State
from tests.fakes.stripe_subscriptions import cancel_at_period_end, cancel_in_portal

PATHS = {
    "payment_method_update": "card",
    "subscription_cancel": "cancel",
    "subscription_update": "update",
    "subscription_update_confirm": "confirm",
}
"""Where each deep link begins; https://docs.stripe.com/customer-management/portal-deep-links."""


@dataclass
class Portal:
    """A session of somebody in the portal."""

    state: State
    session: dict
    visit: Visit

    @property
    def home(self) -> str:
        """The path of its first page."""
        return f"/p/session/{self.session['id']}"

    @property
    def features(self) -> dict:
        """What the configuration allows."""
        found = self.state.get("billing_portal.configuration", self.session["configuration"])
        return dict(found["features"])

    @property
    def customer(self) -> dict:
        """Whose portal it is; nobody is helped who was deleted."""
        return self.state.living("customer", self.session["customer"])

    def subscription(self) -> dict:
        """The one the flow is about, or the customer's own."""
        flow = self.session["flow"] or {}
        about = flow.get(flow.get("type", ""))
        if about and "subscription" in about:
            return self.state.get("subscription", about["subscription"])
        running = [each for each in self.subscriptions() if each["status"] not in OVER]
        if not running:
            raise ApiError(404, "invalid_request_error", "No subscription")
        return running[-1]

    def subscriptions(self) -> list[dict]:
        """All of the customer."""
        return matching(self.state.all("subscription"), customer=self.session["customer"])

    def done(self) -> Page:
        """Where a finished step leads."""
        flow = self.session["flow"]
        if flow is None:
            return see_other(self.home)
        after_it = flow["after_completion"]
        if after_it["type"] == "redirect":
            return see_other(after_it["redirect"]["return_url"])
        if after_it["type"] == "hosted_confirmation":
            message = (after_it["hosted_confirmation"] or {}).get("custom_message") or "Your change is saved."
            return shown("Done", html.text(message), self.way_back())
        return see_other(f"{self.home}?home=1")

    def way_back(self) -> str:
        """The link that leaves the portal."""
        target = self.session["return_url"]
        return html.link(target, "Return to Fake account") if target else ""


def portal(state: State, visit: Visit) -> Page:
    """Every page of the portal."""
    if visit.steps[1:2] != ["session"] or len(visit.steps) < 3:
        return shown("Page not found", status=404)
    here = Portal(state, state.get("billing_portal.session", visit.steps[2]), visit)
    step = visit.steps[3] if len(visit.steps) > 3 else ""
    flow = here.session["flow"]
    if not step and flow is not None and "home" not in visit.fields:
        return STEPS[PATHS[flow["type"]]](here)
    return STEPS[step](here) if step in STEPS else shown("Page not found", status=404)


def _home(here: Portal) -> Page:
    parts = [html.text(f"Customer: {here.customer['email'] or here.customer['id']}")]
    for subscription in reversed(here.subscriptions()):
        parts += _summary(here, subscription)
    if here.features["payment_method_update"]["enabled"]:
        parts.append(html.link(f"{here.home}/card", "Update payment method"))
    if here.features["invoice_history"]["enabled"]:
        parts += _invoices(here)
    return shown("Billing", *parts, here.way_back())


def _summary(here: Portal, subscription: dict) -> list[str]:
    item = subscription["items"]["data"][0]
    price = here.state.get("price", item["price"])
    name = here.state.get("product", price["product"])["name"]
    parts = [html.text(f"{name}: {html.per(price)} ({subscription['status']})")]
    if subscription["status"] in OVER:
        return parts
    end = _day(lifecycle.period_end(subscription))
    if subscription["_change"]:
        later = here.state.get("price", subscription["_change"]["price"])
        parts.append(html.text(f"Changes to {html.per(later)} on {end}"))
    if subscription["cancel_at"]:
        parts.append(html.text(f"Cancels on {end}"))
        return [*parts, html.form(f"{here.home}/resume", html.button("Don't cancel"))]
    parts.append(html.text(f"Renews on {end}"))
    if here.features["subscription_update"]["enabled"]:
        parts.append(html.link(f"{here.home}/update", "Update subscription"))
    if here.features["subscription_cancel"]["enabled"]:
        parts.append(html.link(f"{here.home}/cancel", "Cancel subscription"))
    return parts


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%B %d, %Y")


def _invoices(here: Portal) -> list[str]:
    parts = ["<h2>Invoice history</h2>"]
    for invoice in reversed(matching(here.state.all("invoice"), customer=here.session["customer"])):
        if invoice["hosted_invoice_url"]:
            words = f"{invoice['number']}: {html.money(invoice['total'], invoice['currency'])}"
            parts.append(html.link(invoice["hosted_invoice_url"], f"{words} ({invoice['status']})"))
    return parts


def _need(here: Portal, feature: str) -> None:
    if not here.features[feature]["enabled"]:
        raise ApiError(403, "invalid_request_error", "This is not offered here.")


def _update(here: Portal) -> Page:
    _need(here, "subscription_update")
    item = here.subscription()["items"]["data"][0]
    choices = []
    for price in _offered(here):
        name = here.state.get("product", price["product"])["name"]
        now = " checked" if price["id"] == item["price"] else ""
        choices.append(
            f'<label><input type="radio" name="price" value="{price["id"]}"{now} required> '
            f"{html.escape(name)}: {html.per(price)}</label>"
        )
    fields = f"<fieldset><legend>Plan</legend>{''.join(choices)}</fieldset>"
    own = f'<form method="get" action="{here.home}/confirm">{fields}{html.button("Continue")}</form>'
    return shown("Update subscription", own, _up(here))


def _up(here: Portal) -> str:
    return here.way_back() if here.session["flow"] else html.link(here.home, "Go back")


def _offered(here: Portal) -> list[dict]:
    products = here.features["subscription_update"]["products"]
    return [here.state.get("price", name) for each in products for name in each["prices"]]


def _confirm(here: Portal) -> Page:
    _need(here, "subscription_update")
    subscription = here.subscription()
    change = _change(here, subscription)
    later = _is_put_off(here, change)
    if here.visit.method == "POST":
        return _do_change(here, subscription, change, later=later)
    name = here.state.get("product", change.price["product"])["name"]
    words = f"{name}: {html.per(change.price)}"
    lines = plans.prorations(here.state, subscription, change)
    total = sum(line["amount"] for line in lines)
    if later:
        when = f"Your plan changes on {_day(lifecycle.period_end(subscription))}."
    else:
        when = f"Your plan changes today. Difference: {html.money(total, subscription['currency'])}."
    hidden = f'<input type="hidden" name="price" value="{change.price["id"]}">'
    own = html.form(f"{here.home}/confirm", hidden, html.button("Confirm"))
    return shown("Confirm your updates", html.text(words), html.text(when), own, _up(here))


def _change(here: Portal, subscription: dict) -> Change:
    item = subscription["items"]["data"][0]
    confirm = (here.session["flow"] or {}).get("subscription_update_confirm")
    wanted, quantity = here.visit.fields.get("price", ""), item["quantity"]
    if confirm:
        wanted = confirm["items"][0].get("price", item["price"])
        quantity = confirm["items"][0].get("quantity", quantity)
    elif wanted not in {price["id"] for price in _offered(here)}:
        raise ApiError(400, "invalid_request_error", "This plan is not offered here.")
    price = here.state.get("price", wanted)
    return Change(item, price, quantity, here.features["subscription_update"]["proration_behavior"])


def _is_put_off(here: Portal, change: Change) -> bool:
    """Whether a condition of `schedule_at_period_end` holds."""
    old = here.state.get("price", change.item["price"])
    given = here.features["subscription_update"]["schedule_at_period_end"]["conditions"]
    conditions = {each["type"] for each in given}
    less = amount_of(change.price, change.quantity) < amount_of(old, change.item["quantity"])
    shorter = after(0, change.price["recurring"]) < after(0, old["recurring"])
    return ("decreasing_item_amount" in conditions and less) or (
        "shortening_interval" in conditions and shorter
    )


def _do_change(here: Portal, subscription: dict, change: Change, *, later: bool) -> Page:
    if subscription["schedule"]:
        with updating(here.state, subscription):
            plans.release(here.state, subscription)
    if later:
        plans.change_later(here.state, subscription, change)
    else:
        plans.change_now(here.state, subscription, change)
    return here.done()


def _cancel(here: Portal) -> Page:
    _need(here, "subscription_cancel")
    subscription = here.subscription()
    at_end = here.features["subscription_cancel"]["mode"] == "at_period_end"
    if here.visit.method == "POST":
        if subscription["schedule"]:
            plans.release(here.state, subscription)
        if at_end:
            with updating(here.state, subscription):
                cancel_in_portal(here.state, subscription)
        else:
            lifecycle.cancel(here.state, subscription)
        return here.done()
    end = _day(lifecycle.period_end(subscription))
    words = f"It will still be available until {end}." if at_end else "It ends at once."
    own = html.form(f"{here.home}/cancel", html.button("Cancel subscription"))
    return shown("Cancel your subscription", html.text(words), own, _up(here))


def _resume(here: Portal) -> Page:
    subscription = here.subscription()
    if here.visit.method == "POST" and subscription["cancel_at"]:
        with updating(here.state, subscription):
            cancel_at_period_end(here.state, subscription, wanted=False)
    return see_other(here.home)


def _card(here: Portal) -> Page:
    _need(here, "payment_method_update")
    error = ""
    if here.visit.method == "POST":
        try:
            check_card(here.visit.fields.get("number", ""))
        except ApiError as refused:
            error = refused.message
        else:
            _use_card(here, here.visit.fields["number"])
            return here.done()
    own = html.form(f"{here.home}/card", html.card_fields(), html.button("Save"))
    return shown("Update payment method", own, _up(here), error=error)


def _use_card(here: Portal, number: str) -> None:
    customer = here.customer
    card = save_card(here.state, customer, number)
    before = here.state.view(customer)
    customer["invoice_settings"]["default_payment_method"] = card["id"]
    here.state.emit("customer.updated", customer, before=before)
    for subscription in here.subscriptions():
        if subscription["status"] not in OVER:
            with updating(here.state, subscription):
                subscription["default_payment_method"] = card["id"]


STEPS: dict[str, Callable[[Portal], Page]] = {
    "": _home,
    "update": _update,
    "confirm": _confirm,
    "cancel": _cancel,
    "resume": _resume,
    "card": _card,
}
