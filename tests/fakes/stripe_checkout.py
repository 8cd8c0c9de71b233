"""Checkout sessions; https://docs.stripe.com/api/checkout/sessions/object."""

from __future__ import annotations

from tests.fakes import stripe_lifecycle as lifecycle
from tests.fakes import stripe_lists, stripe_shapes
from tests.fakes.stripe_customers import create_customer
from tests.fakes.stripe_errors import invalid, required
from tests.fakes.stripe_lines import amount_of
from tests.fakes.stripe_lists import matching, page, within
from tests.fakes.stripe_payments import check_card, save_card
from tests.fakes.stripe_plan_changes import check_price
from tests.fakes.stripe_routes import endpoint
from tests.fakes.stripe_state import State
from tests.fakes.stripe_subscriptions import items_for, trial_of

SHORTEST_S = 30 * 60
LONGEST_S = 24 * 3600
SESSION_ID = "{CHECKOUT_SESSION_ID}"
TAKEN_OVER = (
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "customer_email",
    "integration_identifier",
    "locale",
    "payment_method_collection",
    "submit_type",
    "success_url",
)


@endpoint("POST", "/v1/checkout/sessions", "checkout.SessionCreateParams")
def create_session(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/checkout/sessions/create, for subscriptions on a hosted page."""
    _check(state, params)
    lines = _lines(state, params["line_items"])
    total = sum(each["amount_total"] for each in lines)
    tax = {"enabled": params.get("automatic_tax", {}).get("enabled", False), "liability": None}
    session = state.make(
        "checkout.session",
        "cs_test_",
        id=state.identifier("cs_test_", 58),
        adaptive_pricing=None,
        amount_subtotal=total,
        amount_total=total,
        automatic_tax={**tax, "provider": None, "status": None},
        currency=lines[0]["currency"],
        custom_text=dict.fromkeys(
            ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
        ),
        customer=params.get("customer"),
        expires_at=_expiry(state, params),
        metadata=params.get("metadata", {}),
        mode=params["mode"],
        payment_method_options={},
        payment_method_types=["card"],
        payment_status="unpaid",
        phone_number_collection={"enabled": False},
        status="open",
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        ui_mode="hosted_page",
        _lines=lines,
        _data=params.get("subscription_data", {}),
    )
    session.update({name: params[name] for name in TAKEN_OVER if name in params})
    session["payment_method_collection"] = session["payment_method_collection"] or "always"
    session["url"] = f"{state.url}/c/pay/{session['id']}"
    return state.view(session)


def _expiry(state: State, params: dict) -> int:
    expires: int = params.get("expires_at", state.now() + LONGEST_S)
    # Both ends are a moment off: the request took time.
    if not SHORTEST_S - 60 <= expires - state.now() <= LONGEST_S + 60:
        raise invalid(
            "The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session "
            "creation.",
            "expires_at",
        )
    return expires


def _check(state: State, params: dict) -> None:
    if "mode" not in params:
        raise required("mode")
    if params["mode"] != "subscription":
        raise invalid("This fake sells subscriptions only.", "mode")
    for name in ("line_items", "success_url"):
        if not params.get(name):
            raise required(name)
    if "customer_creation" in params:
        raise invalid(
            "`customer_creation` can only be used in `payment` and `setup` mode.", "customer_creation"
        )
    _check_customer(state, params)
    for name in ("success_url", "cancel_url"):
        if name in params and not params[name].startswith(("http://", "https://")):
            raise invalid("Not a valid URL", name, "url_invalid")


def _check_customer(state: State, params: dict) -> None:
    update = params.get("customer_update", {})
    if "customer" not in params:
        if update:
            raise invalid("`customer_update` can only be used with `customer`.", "customer_update")
        return
    if "customer_email" in params:
        raise invalid("You may only specify one of these parameters: customer, customer_email.", "customer")
    customer = state.living("customer", params["customer"], "customer")
    known = (customer["address"] or {}).get("country")
    if params.get("automatic_tax", {}).get("enabled") and not known and "auto" not in update.values():
        raise invalid(
            "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid "
            "address to the Customer or set either `customer_update[address]` to 'auto' or "
            "`customer_update[shipping]` to 'auto' to save the address entered in Checkout to the Customer.",
            code="customer_tax_location_invalid",
        )
    if params.get("tax_id_collection", {}).get("enabled") and update.get("name") != "auto":
        raise invalid(
            "Tax ID collection requires updating business name on the customer. To enable tax ID collection "
            "for an existing customer, please set `customer_update[name]` to `auto`.",
        )


def _lines(state: State, wanted: list[dict]) -> list[dict]:
    lines = []
    for number, each in enumerate(wanted):
        at = f"line_items[{number}]"
        if "price" not in each:
            raise required(f"{at}[price]")
        if "quantity" not in each:
            raise required(f"{at}[quantity]")
        price = state.get("price", each["price"], f"{at}[price]")
        check_price(price, lines[0]["currency"] if lines else price["currency"], f"{at}[price]")
        amount = amount_of(price, each["quantity"])
        product = state.get("product", price["product"])
        lines.append(
            stripe_shapes.shape(
                "item",
                id=state.identifier("li_1"),
                amount_discount=0,
                amount_subtotal=amount,
                amount_tax=0,
                amount_total=amount,
                currency=price["currency"],
                description=product["name"],
                metadata={},
                price=price["id"],
                quantity=each["quantity"],
            )
        )
    return lines


def _line_items(state: State, session: dict) -> dict:
    data = [{**each, "price": state.view(state.get("price", each["price"]))} for each in session["_lines"]]
    return stripe_shapes.listing(f"/v1/checkout/sessions/{session['id']}/line_items", data)


stripe_lists.INCLUDE["checkout.session", "line_items"] = _line_items


@endpoint("GET", "/v1/checkout/sessions/{}", "checkout.SessionRetrieveParams")
def retrieve_session(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/checkout/sessions/retrieve."""
    return state.view(state.get("checkout.session", name))


@endpoint("GET", "/v1/checkout/sessions/{}/line_items", "checkout.SessionLineItemListParams")
def list_line_items(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/checkout/sessions/line_items."""
    return _line_items(state, state.get("checkout.session", name))


@endpoint("GET", "/v1/checkout/sessions", "checkout.SessionListParams")
def list_sessions(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/checkout/sessions/list."""
    names = ("customer", "status", "subscription", "payment_intent")
    found = [
        each
        for each in matching(state.all("checkout.session"), **{name: params.get(name) for name in names})
        if within(each["created"], params.get("created"))
        and params.get("customer_details", {}).get("email")
        in {None, (each["customer_details"] or {}).get("email")}
    ]
    return page(state, "/v1/checkout/sessions", found, params)


@endpoint("POST", "/v1/checkout/sessions/{}/expire", "checkout.SessionExpireParams")
def expire_session(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/checkout/sessions/expire."""
    session = state.get("checkout.session", name)
    if session["status"] != "open":
        raise invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a '
            f"status of `{session['status']}`."
        )
    expire(state, session)
    return state.view(session)


def expire(state: State, session: dict) -> None:
    """Close an open session."""
    session.update(status="expired", url=None, expires_at=min(session["expires_at"], state.now()))
    state.emit("checkout.session.expired", session)


def complete(state: State, session: dict, number: str, email: str = "") -> str:
    """Pay for an open session, and say where the browser goes.

    Args:
        state: The account.
        session: An open one.
        number: Of the card.
        email: Of a customer that is made for it.

    Raises:
        ApiError: The session is not open, or the card was refused.
    """
    if session["status"] != "open":
        raise invalid(f"This Checkout Session is {session['status']}.")
    customer = _customer(state, session, email, number)
    card = save_card(state, customer, number)
    subscription = _subscription(state, session, customer, card)
    trial = subscription["status"] == "trialing"
    session.update(
        status="complete",
        payment_status="no_payment_required" if trial else "paid",
        customer=customer["id"],
        customer_details=_details(customer),
        subscription=subscription["id"],
        invoice=subscription["latest_invoice"],
        url=None,
    )
    state.emit("checkout.session.completed", session)
    return str(session["success_url"].replace(SESSION_ID, session["id"]))


def _customer(state: State, session: dict, email: str, number: str) -> dict:
    if session["customer"]:
        # Somebody may have deleted the customer since.
        customer = state.living("customer", session["customer"], "customer")
    check_card(number)
    email = session["customer_email"] or email
    if not session["customer"]:
        return state.get("customer", create_customer(state, {"email": email} if email else {})["id"])
    if email and not customer["email"]:
        before = state.view(customer)
        customer["email"] = email
        state.emit("customer.updated", customer, before=before)
    return customer


def _subscription(state: State, session: dict, customer: dict, card: dict) -> dict:
    data = session["_data"]
    subscription = lifecycle.blank(state, customer, session["currency"])
    wanted = [{"price": each["price"], "quantity": each["quantity"]} for each in session["_lines"]]
    items_for(state, subscription, wanted, "line_items")
    subscription.update(
        metadata=dict(data.get("metadata", {})),
        description=data.get("description"),
        default_payment_method=card["id"],
    )
    if "billing_mode" in data:
        subscription["billing_mode"] = lifecycle.billing_mode(data["billing_mode"]["type"])
    subscription["automatic_tax"]["enabled"] = session["automatic_tax"]["enabled"]
    # What such a card does to later charges is no matter of the first one.
    later = state.failing.pop(card["id"], None)
    lifecycle.start(state, subscription, trial_end=trial_of(state, data))
    if later:
        state.failing[card["id"]] = later
    return subscription


def _details(customer: dict) -> dict:
    return {
        "address": {
            "city": None,
            "country": "US",
            "line1": None,
            "line2": None,
            "postal_code": None,
            "state": None,
        },
        "business_name": None,
        "email": customer["email"],
        "individual_name": None,
        "name": customer["name"],
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }
