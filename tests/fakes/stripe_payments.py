"""Cards, payment intents, charges and disputes.

https://docs.stripe.com/api/payment_methods/object, https://docs.stripe.com/api/payment_intents/object,
https://docs.stripe.com/api/charges/object, https://docs.stripe.com/api/disputes/object
"""

from __future__ import annotations

from tests.fakes.stripe_errors import ApiError, declined, invalid
from tests.fakes.stripe_lists import matching, page, within
from tests.fakes.stripe_routes import endpoint
from tests.fakes.stripe_state import State

AUTHENTICATE = "authentication_required"
REFUSALS = {
    "4000000000000002": ("card_declined", "Your card was declined.", "generic_decline"),
    "4000000000009995": ("card_declined", "Your card has insufficient funds.", "insufficient_funds"),
    "4000000000000069": ("expired_card", "Your card has expired.", "expired_card"),
    "4000000000000127": ("incorrect_cvc", "Your card's security code is incorrect.", "incorrect_cvc"),
}
"""Cards that never work; https://docs.stripe.com/testing#declined-payments."""
LATER = {"4000000000000341": "generic_decline", "4000002760003184": AUTHENTICATE}
"""Cards that work when they are saved and not when they are charged afterwards."""
DISPUTE_DAYS = 7
DAY = 24 * 3600


def check_card(number: str) -> None:
    """Refuse what a card's bank refuses at once.

    Raises:
        ApiError: A card error.
    """
    digits = number.replace(" ", "")
    if digits in REFUSALS:
        raise declined(*REFUSALS[digits])
    if not digits.isdigit() or not 12 <= len(digits) <= 19 or _checksum(digits) % 10:
        raise declined("incorrect_number", "Your card number is incorrect.")


def _checksum(digits: str) -> int:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(number - 9 if number > 9 else number for number in doubled)


def save_card(state: State, customer: dict, number: str) -> dict:
    """A payment method of a customer."""
    digits = number.replace(" ", "")
    method = state.make(
        "payment_method",
        "pm_",
        type="card",
        customer=customer["id"],
        allow_redisplay="unspecified",
        billing_details={"address": None, "email": customer["email"], "name": None, "phone": None},
        card={
            "brand": "visa",
            "country": "US",
            "exp_month": 12,
            "exp_year": 2040,
            "funding": "credit",
            "last4": digits[-4:],
        },
    )
    if digits in LATER:
        state.failing[method["id"]] = LATER[digits]
    state.emit("payment_method.attached", method)
    return method


def card_of(state: State, customer: dict, subscription: dict | None = None) -> dict | None:
    """What a subscription is paid with."""
    name = (subscription or {}).get("default_payment_method")
    name = name or customer.get("invoice_settings", {}).get("default_payment_method")
    return state.tables["payment_method"].get(name or "")


def charge_card(state: State, customer: dict, card: dict | None, amount: int, currency: str) -> dict:
    """A payment intent, succeeded or not, with its charge.

    Args:
        state: The account.
        customer: Who pays.
        card: With what; None where there is nothing.
        amount: In the currency's smallest unit.
        currency: Its code.
    """
    failure = state.failing.get(card["id"]) if card else "no_payment_method"
    status = {None: "succeeded", AUTHENTICATE: "requires_action"}.get(failure, "requires_payment_method")
    intent = state.make(
        "payment_intent",
        "pi_",
        amount=amount,
        amount_capturable=0,
        amount_received=0 if failure else amount,
        capture_method="automatic",
        client_secret=state.identifier("pi_secret_"),
        confirmation_method="automatic",
        currency=currency,
        customer=customer["id"],
        payment_method=card["id"] if card else None,
        payment_method_types=["card"],
        status=status,
    )
    if card is not None and failure != AUTHENTICATE:
        intent["latest_charge"] = _charge(state, intent, card, failure)["id"]
    if failure:
        intent["last_payment_error"] = _error_of(failure)
    state.emit(f"payment_intent.{_outcome(status)}", intent)
    return intent


def _outcome(status: str) -> str:
    names = {"succeeded": "succeeded", "requires_action": "requires_action"}
    return names.get(status, "payment_failed")


def _error_of(failure: str) -> dict:
    code = AUTHENTICATE if failure == AUTHENTICATE else "card_declined"
    return declined(code, "Your card was declined.", failure).body()["error"]


def _charge(state: State, intent: dict, card: dict, failure: str | None) -> dict:
    amount = intent["amount"]
    charge = state.make(
        "charge",
        "ch_",
        amount=amount,
        amount_captured=0 if failure else amount,
        amount_refunded=0,
        billing_details=card["billing_details"],
        captured=not failure,
        currency=intent["currency"],
        customer=intent["customer"],
        disputed=False,
        failure_code="card_declined" if failure else None,
        failure_message="Your card was declined." if failure else None,
        paid=not failure,
        payment_intent=intent["id"],
        payment_method=card["id"],
        payment_method_details={"type": "card", "card": card["card"]},
        refunded=False,
        status="failed" if failure else "succeeded",
    )
    state.emit("charge.failed" if failure else "charge.succeeded", charge)
    return charge


def dispute(state: State, charge: dict) -> dict:
    """Dispute a charge. A dispute names its charge and payment intent, and no customer."""
    charge["disputed"] = True
    kinds = {"mastercard_compliance": None, "visa_compelling_evidence_3": None, "visa_compliance": None}
    made = state.make(
        "dispute",
        "du_",
        amount=charge["amount"],
        charge=charge["id"],
        currency=charge["currency"],
        evidence={},
        evidence_details={
            "due_by": state.now() + DISPUTE_DAYS * DAY,
            "enhanced_eligibility": kinds,
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        is_charge_refundable=False,
        payment_intent=charge["payment_intent"],
        payment_method_details={
            "type": "card",
            "card": {
                "brand": "visa",
                "case_type": "chargeback",
                "network": "visa",
                "network_reason_code": "10.4",
            },
        },
        reason="fraudulent",
        status="needs_response",
    )
    state.emit("charge.dispute.created", made)
    return made


def _retrieve(kind: str, path: str, parameters: str) -> None:
    @endpoint("GET", path, parameters, kind=kind)
    def retrieve(state: State, params: dict, name: str, *, kind: str) -> dict:
        return state.view(state.get(kind, name))


_retrieve("charge", "/v1/charges/{}", "ChargeRetrieveParams")
_retrieve("dispute", "/v1/disputes/{}", "DisputeRetrieveParams")
_retrieve("payment_intent", "/v1/payment_intents/{}", "PaymentIntentRetrieveParams")
_retrieve("payment_method", "/v1/payment_methods/{}", "PaymentMethodRetrieveParams")


@endpoint("GET", "/v1/charges", "ChargeListParams", kind="charge")
@endpoint("GET", "/v1/disputes", "DisputeListParams", kind="dispute")
@endpoint("GET", "/v1/payment_intents", "PaymentIntentListParams", kind="payment_intent")
@endpoint("GET", "/v1/payment_methods", "PaymentMethodListParams", kind="payment_method")
def list_payments(state: State, params: dict, *, kind: str) -> dict:
    """Lists of each of them, newest first."""
    names = ("customer", "charge", "payment_intent", "type")
    found = matching(state.all(kind), **{name: params.get(name) for name in names})
    found = [each for each in found if within(each["created"], params.get("created"))]
    return page(state, f"/v1/{kind}s", found, params)


@endpoint("POST", "/v1/payment_methods/{}/attach", "PaymentMethodAttachParams")
def attach(state: State, params: dict, name: str) -> dict:
    """Save one of the documented test cards; https://docs.stripe.com/testing#cards."""
    numbers = {
        "pm_card_visa": "4242424242424242",
        "pm_card_chargeCustomerFail": "4000000000000341",
        "pm_card_authenticationRequired": "4000002760003184",
    }
    if "customer" not in params:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = state.living("customer", params["customer"], "customer")
    if name not in numbers:
        state.get("payment_method", name)
        raise ApiError(400, "invalid_request_error", "The payment method is already attached to a customer.")
    return state.view(save_card(state, customer, numbers[name]))
