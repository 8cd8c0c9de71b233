"""Endpoints of subscriptions; https://docs.stripe.com/api/subscriptions."""

from __future__ import annotations

from tests.fakes import stripe_lifecycle as lifecycle
from tests.fakes.stripe_errors import declined, invalid, missing, required
from tests.fakes.stripe_lifecycle import OVER, collect, updating
from tests.fakes.stripe_lists import matching, page, within
from tests.fakes.stripe_payments import DAY, card_of
from tests.fakes.stripe_plan_changes import apply, changes_of, check_price
from tests.fakes.stripe_routes import endpoint
from tests.fakes.stripe_state import State, merge_metadata

MANAGED = (
    "The subscription is managed by the subscription schedule `{}`, and updating any cancelation behavior "
    "directly is not allowed. Please update the schedule instead."
)


def items_for(state: State, subscription: dict, wanted: list[dict], param: str) -> None:
    """Give a new subscription its items.

    Raises:
        ApiError: A price cannot be had.
    """
    if not wanted:
        raise required(param)
    for number, each in enumerate(wanted):
        at = f"{param}[{number}][price]"
        if "price" not in each:
            raise required(at)
        price = state.get("price", each["price"], at)
        subscription["currency"] = subscription["currency"] or price["currency"]
        check_price(price, subscription["currency"], at)
        item = lifecycle.item_of(
            state, subscription, price, each.get("quantity", 1), metadata=each.get("metadata")
        )
        subscription["items"]["data"].append(item)


def trial_of(state: State, params: dict) -> int | None:
    """When the trial that is asked for ends."""
    end = params.get("trial_end")
    if isinstance(end, int):
        return end
    days = params.get("trial_period_days")
    return state.now() + days * DAY if days else None


@endpoint("POST", "/v1/subscriptions", "SubscriptionCreateParams")
def create_subscription(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/subscriptions/create."""
    if "customer" not in params:
        raise required("customer")
    customer = state.living("customer", params["customer"], "customer")
    subscription = lifecycle.blank(state, customer, params.get("currency", ""))
    items_for(state, subscription, params.get("items", []), "items")
    _settings(state, subscription, params)
    if "billing_mode" in params:
        subscription["billing_mode"] = lifecycle.billing_mode(params["billing_mode"]["type"])
    trial_end = trial_of(state, params)
    behavior = params.get("payment_behavior", "allow_incomplete")
    if trial_end is None and behavior != "default_incomplete":
        _need_card(state, customer, subscription, behavior)
    lifecycle.start(state, subscription, trial_end=trial_end, collect=behavior != "default_incomplete")
    return state.view(subscription)


def _need_card(state: State, customer: dict, subscription: dict, behavior: str) -> None:
    card = card_of(state, customer, subscription)
    if card is None:
        raise invalid(
            "This customer has no attached payment source or default payment method. Please consider adding "
            "a default payment method.",
            code="resource_missing",
        )
    if behavior == "error_if_incomplete" and card["id"] in state.failing:
        raise declined("card_declined", "Your card was declined.", "generic_decline")


@endpoint("GET", "/v1/subscriptions/{}", "SubscriptionRetrieveParams")
def retrieve_subscription(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/subscriptions/retrieve."""
    return state.view(state.get("subscription", name))


@endpoint("POST", "/v1/subscriptions/{}", "SubscriptionUpdateParams")
def update_subscription(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/subscriptions/update."""
    subscription = state.get("subscription", name)
    _check_update(state, subscription, params)
    changes = changes_of(state, subscription, params)
    behavior = params.get("payment_behavior", "")
    with updating(state, subscription):
        invoices = [apply(state, subscription, change, behavior) for change in changes]
        _settings(state, subscription, params)
        _cancellation(state, subscription, params)
    for invoice in invoices:
        if invoice is not None:
            collect(state, subscription, invoice)
    return state.view(subscription)


def _check_update(state: State, subscription: dict, params: dict) -> None:
    if subscription["status"] in OVER and set(params) - {"metadata", "cancellation_details", "expand"}:
        raise invalid("A canceled subscription can only update its cancellation_details and metadata.")
    if subscription["schedule"] and {"cancel_at", "cancel_at_period_end"} & set(params):
        raise invalid(MANAGED.format(subscription["schedule"]))
    if params.get("cancel_at") and params.get("cancel_at_period_end"):
        raise invalid("You can only set one of `cancel_at` and `cancel_at_period_end`.", "cancel_at")


def _settings(state: State, subscription: dict, params: dict) -> None:
    merge_metadata(subscription, params.get("metadata"))
    for name in ("description", "pause_collection"):
        if name in params:
            subscription[name] = params[name] or None
    if subscription["pause_collection"]:
        subscription["pause_collection"].setdefault("resumes_at", None)
    if "default_payment_method" in params:
        method = state.get("payment_method", params["default_payment_method"], "default_payment_method")
        subscription["default_payment_method"] = method["id"]
    if "automatic_tax" in params:
        subscription["automatic_tax"]["enabled"] = params["automatic_tax"]["enabled"]
    if params.get("cancellation_details"):
        given = {key: value or None for key, value in params["cancellation_details"].items()}
        subscription["cancellation_details"].update(given)
    for name, value in params.get("payment_settings", {}).items():
        subscription["payment_settings"][name] = value or None


def _cancellation(state: State, subscription: dict, params: dict) -> None:
    if "cancel_at_period_end" in params:
        cancel_at_period_end(state, subscription, wanted=params["cancel_at_period_end"])
    if "cancel_at" in params:
        words = {"min_period_end": min, "max_period_end": max}
        ends = [item["current_period_end"] for item in subscription["items"]["data"]]
        given = params["cancel_at"]
        moment = words[given](ends) if given in words else given or None
        subscription.update(cancel_at=moment, cancel_at_period_end=False)
        subscription["canceled_at"] = state.now() if moment else None
        subscription["cancellation_details"]["reason"] = "cancellation_requested" if moment else None


def cancel_at_period_end(state: State, subscription: dict, *, wanted: bool) -> None:
    """Let a subscription end with its period, or go on after all.

    `cancel_at` says when, as the documentation of the object has it.
    """
    subscription["cancel_at_period_end"] = wanted
    subscription["cancel_at"] = lifecycle.period_end(subscription) if wanted else None
    subscription["canceled_at"] = state.now() if wanted else None
    subscription["cancellation_details"]["reason"] = "cancellation_requested" if wanted else None


def cancel_in_portal(state: State, subscription: dict) -> None:
    """Let a subscription end with its period, as the portal does it.

    With flexible billing, which new subscriptions have, only `cancel_at` says so:
    https://docs.stripe.com/billing/subscriptions/billing-mode/compare
    """
    cancel_at_period_end(state, subscription, wanted=True)
    if subscription["billing_mode"]["type"] == "flexible":
        subscription["cancel_at_period_end"] = False


@endpoint("DELETE", "/v1/subscriptions/{}", "SubscriptionCancelParams")
def cancel_subscription(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/subscriptions/cancel; one that is over is there no more for this."""
    subscription = state.get("subscription", name)
    if subscription["status"] in OVER:
        raise missing("subscription", name)
    _settings(state, subscription, {"cancellation_details": params.get("cancellation_details")})
    lifecycle.cancel(state, subscription)
    return state.view(subscription)


@endpoint("POST", "/v1/subscriptions/{}/pause", "SubscriptionPauseParams")
def pause_subscription(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/subscriptions/pause."""
    subscription = state.get("subscription", name)
    if subscription["status"] not in {"active", "trialing", "past_due"}:
        raise invalid(f"You cannot pause a subscription that is {subscription['status']}.")
    lifecycle.pause(state, subscription)
    return state.view(subscription)


@endpoint("POST", "/v1/subscriptions/{}/resume", "SubscriptionResumeParams")
def resume_subscription(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/subscriptions/resume."""
    subscription = state.get("subscription", name)
    if subscription["status"] != "paused":
        raise invalid("You can only resume subscriptions that are paused.")
    lifecycle.resume(state, subscription, anchor=params.get("billing_cycle_anchor", {}).get("type", "now"))
    return state.view(subscription)


@endpoint("GET", "/v1/subscriptions", "SubscriptionListParams")
def list_subscriptions(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/subscriptions/list: canceled ones only where they are asked for."""
    if "customer" in params:
        state.get("customer", params["customer"], "customer")
    if "price" in params:
        state.get("price", params["price"], "price")
    found = [
        each
        for each in matching(state.all("subscription"), customer=params.get("customer"))
        if _has_status(each, params.get("status"))
        and within(each["created"], params.get("created"))
        and within(lifecycle.period_end(each), params.get("current_period_end"))
        and any(params.get("price") in {None, item["price"]} for item in each["items"]["data"])
    ]
    return page(state, "/v1/subscriptions", found, params)


def _has_status(subscription: dict, wanted: str | None) -> bool:
    status = subscription["status"]
    if wanted is None:
        return status != "canceled"
    return wanted in {"all", status} or (wanted == "ended" and status in OVER)


@endpoint("GET", "/v1/subscription_items", "SubscriptionItemListParams")
def list_items(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/subscription_items/list."""
    subscription = state.get("subscription", params["subscription"], "subscription")
    listing = state.view(subscription)["items"]
    return {**listing, "url": "/v1/subscription_items"}


@endpoint("GET", "/v1/subscription_items/{}", "SubscriptionItemRetrieveParams")
def retrieve_item(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/subscription_items/retrieve."""
    for subscription in state.all("subscription"):
        for item in state.view(subscription)["items"]["data"]:
            if item["id"] == name:
                return item
    raise missing("subscription_item", name)


@endpoint("POST", "/v1/subscription_items/{}", "SubscriptionItemUpdateParams")
def update_item(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/subscription_items/update."""
    subscription = state.get("subscription", retrieve_item(state, {}, name)["subscription"])
    own = {key: params[key] for key in ("price", "quantity") if key in params}
    rest = {key: params[key] for key in ("proration_behavior", "payment_behavior") if key in params}
    update_subscription(state, {"items": [{"id": name, **own}], **rest}, subscription["id"])
    return retrieve_item(state, {}, name)
