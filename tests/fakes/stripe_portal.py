"""The customer portal: its configurations and sessions.

https://docs.stripe.com/api/customer_portal/configurations/object and
https://docs.stripe.com/api/customer_portal/sessions/object
"""

from __future__ import annotations

from tests.fakes.stripe_catalog import apply
from tests.fakes.stripe_errors import invalid, required
from tests.fakes.stripe_lifecycle import OVER
from tests.fakes.stripe_lists import matching, page
from tests.fakes.stripe_routes import endpoint
from tests.fakes.stripe_state import State, merge_metadata

NO_DEFAULT = (
    "No configuration provided and your test mode default configuration has not been created. Provide a "
    "configuration or create your default by saving your customer portal settings in test mode at "
    "https://dashboard.stripe.com/test/settings/billing/portal."
)
FEATURES = {
    "customer_update": {"allowed_updates": [], "enabled": False},
    "invoice_history": {"enabled": False},
    "payment_method_update": {"enabled": False, "payment_method_configuration": None},
    "subscription_cancel": {
        "cancellation_reason": {"enabled": False, "feedback_options": None, "options": []},
        "enabled": False,
        "mode": "at_period_end",
        "proration_behavior": "none",
    },
    "subscription_pause": {"duration": {"interval_options": [], "type": "indefinite"}, "enabled": False},
    "subscription_update": {
        "billing_cycle_anchor": None,
        "default_allowed_updates": [],
        "enabled": False,
        "products": [],
        "proration_behavior": "none",
        "schedule_at_period_end": {"conditions": []},
        "trial_update_behavior": "end_trial",
    },
}


@endpoint("POST", "/v1/billing_portal/configurations", "billing_portal.ConfigurationCreateParams")
def create_configuration(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/customer_portal/configurations/create."""
    features = _merged(FEATURES, params["features"])
    _check_features(state, features)
    configuration = state.make(
        "billing_portal.configuration",
        "bpc_1",
        active=True,
        business_profile=dict.fromkeys(("headline", "privacy_policy_url", "terms_of_service_url")),
        features=features,
        is_default=False,
        login_page={"enabled": False, "url": None},
        updated=state.now(),
    )
    _apply(state, configuration, params)
    state.emit("billing_portal.configuration.created", configuration)
    return state.view(configuration)


def _merged(old: dict, new: dict) -> dict:
    """Nested values, the new ones first; an empty one unsets."""
    result = dict(old)
    for name, value in new.items():
        inner = old.get(name)
        if isinstance(inner, dict) and isinstance(value, dict):
            result[name] = _merged(inner, value)
        else:
            result[name] = ([] if isinstance(inner, list) else None) if value == "" else value
    return result


def _check_features(state: State, features: dict) -> None:
    update = features["subscription_update"]
    if not update["enabled"]:
        return
    for name in ("default_allowed_updates", "products"):
        if not update[name]:
            raise required(f"features[subscription_update][{name}]")
    for number, each in enumerate(update["products"]):
        at = f"features[subscription_update][products][{number}]"
        product = state.get("product", each["product"], f"{at}[product]")
        each.setdefault("adjustable_quantity", {"enabled": False, "maximum": None, "minimum": 1})
        for name in each["prices"]:
            price = state.get("price", name, f"{at}[prices]")
            if price["product"] != product["id"]:
                message = f"The price `{name}` does not belong to the product `{product['id']}`."
                raise invalid(message, f"{at}[prices]")


def _apply(state: State, configuration: dict, params: dict) -> None:
    apply(configuration, params, ("active", "default_return_url", "name"))
    merge_metadata(configuration, params.get("metadata"))
    profile = _merged(configuration["business_profile"], params.get("business_profile", {}))
    configuration["business_profile"] = profile
    if "login_page" in params:
        enabled = params["login_page"]["enabled"]
        url = f"{state.url}/p/login/{configuration['id']}" if enabled else None
        configuration["login_page"] = {"enabled": enabled, "url": url}


@endpoint("GET", "/v1/billing_portal/configurations/{}", "billing_portal.ConfigurationRetrieveParams")
def retrieve_configuration(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/customer_portal/configurations/retrieve."""
    return state.view(state.get("billing_portal.configuration", name))


@endpoint("POST", "/v1/billing_portal/configurations/{}", "billing_portal.ConfigurationUpdateParams")
def update_configuration(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/customer_portal/configurations/update."""
    configuration = state.get("billing_portal.configuration", name)
    if params.get("active") is False and configuration["is_default"]:
        raise invalid("You cannot deactivate the default configuration.", "active")
    features = _merged(configuration["features"], params.get("features", {}))
    _check_features(state, features)
    before = state.view(configuration)
    configuration.update(features=features, updated=state.now())
    _apply(state, configuration, params)
    state.emit("billing_portal.configuration.updated", configuration, before=before)
    return state.view(configuration)


@endpoint("GET", "/v1/billing_portal/configurations", "billing_portal.ConfigurationListParams")
def list_configurations(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/customer_portal/configurations/list."""
    wanted = {name: params.get(name) for name in ("active", "is_default")}
    found = matching(state.all("billing_portal.configuration"), **wanted)
    return page(state, "/v1/billing_portal/configurations", found, params)


@endpoint("POST", "/v1/billing_portal/sessions", "billing_portal.SessionCreateParams")
def create_session(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/customer_portal/sessions/create."""
    if "customer" not in params:
        raise required("customer")
    customer = state.living("customer", params["customer"], "customer")
    configuration = _configuration(state, params)
    flow = params.get("flow_data")
    session = state.make(
        "billing_portal.session",
        "bps_1",
        configuration=configuration["id"],
        customer=customer["id"],
        flow=_flow(state, flow, customer, configuration) if flow else None,
        locale=params.get("locale"),
        return_url=params.get("return_url", configuration["default_return_url"]),
    )
    session.pop("metadata")
    session["url"] = f"{state.url}/p/session/{session['id']}"
    state.emit("billing_portal.session.created", session)
    return state.view(session)


def _configuration(state: State, params: dict) -> dict:
    if "configuration" in params:
        return state.get("billing_portal.configuration", params["configuration"], "configuration")
    for each in matching(state.all("billing_portal.configuration"), is_default=True):
        return each
    raise invalid(NO_DEFAULT)


NEEDS = {
    "subscription_cancel": "subscription_cancel",
    "subscription_pause": "subscription_pause",
    "subscription_update": "subscription_update",
    "subscription_update_confirm": "subscription_update",
    "payment_method_update": "payment_method_update",
    "customer_update": "customer_update",
}
"""The feature of the configuration that each deep link needs."""


def _flow(state: State, given: dict, customer: dict, configuration: dict) -> dict:
    kind = given["type"]
    if not configuration["features"][NEEDS[kind]]["enabled"]:
        raise invalid(
            f"The `{kind}` flow needs the feature `{NEEDS[kind]}`, which the portal configuration "
            f"`{configuration['id']}` disables.",
            "flow_data[type]",
        )
    if kind.startswith("subscription_"):
        if kind not in given:
            raise required(f"flow_data[{kind}]")
        _check_subscription(state, given[kind], customer, kind)
    flow = dict.fromkeys(
        (
            "customer_update",
            "subscription_cancel",
            "subscription_pause",
            "subscription_update",
            "subscription_update_confirm",
        )
    )
    after = {"hosted_confirmation": None, "redirect": None, "type": "portal_homepage"}
    after = {**after, **given.get("after_completion", {})}
    if after["type"] == "redirect" and not after["redirect"]:
        raise required("flow_data[after_completion][redirect]")
    own = {**({"retention": None} if kind == "subscription_cancel" else {}), **given.get(kind, {})}
    if kind == "subscription_update_confirm":
        own.setdefault("discounts", None)
    return {**flow, "type": kind, "after_completion": after, **({kind: own} if own else {})}


def _check_subscription(state: State, given: dict, customer: dict, kind: str) -> None:
    at = f"flow_data[{kind}][subscription]"
    subscription = state.get("subscription", given["subscription"], at)
    if subscription["customer"] != customer["id"]:
        raise invalid(f"No such subscription: '{subscription['id']}'", at, "resource_missing")
    if subscription["status"] in OVER:
        raise invalid(f"The subscription `{subscription['id']}` is {subscription['status']}.", at)
    if kind == "subscription_cancel" and subscription["cancel_at"]:
        raise invalid(f"The subscription `{subscription['id']}` is already set to be canceled.", at)
    if kind == "subscription_update_confirm":
        _check_items(state, given, subscription)


def _check_items(state: State, given: dict, subscription: dict) -> None:
    own = {item["id"] for item in subscription["items"]["data"]}
    for number, item in enumerate(given["items"]):
        at = f"flow_data[subscription_update_confirm][items][{number}]"
        if item["id"] not in own:
            raise invalid(f"No such subscription_item: '{item['id']}'", f"{at}[id]", "resource_missing")
        if "price" in item:
            state.get("price", item["price"], f"{at}[price]")
