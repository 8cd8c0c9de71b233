"""Customers; https://docs.stripe.com/api/customers/object."""

from __future__ import annotations

from tests.fakes import stripe_lists, stripe_shapes
from tests.fakes.stripe_catalog import apply
from tests.fakes.stripe_lifecycle import OVER, cancel
from tests.fakes.stripe_lists import matching, page, within
from tests.fakes.stripe_routes import endpoint
from tests.fakes.stripe_state import State, merge_metadata

FIELDS = (
    "address",
    "balance",
    "business_name",
    "description",
    "email",
    "individual_name",
    "name",
    "phone",
    "preferred_locales",
    "shipping",
    "tax_exempt",
)


@endpoint("POST", "/v1/customers", "CustomerCreateParams")
def create_customer(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/customers/create."""
    customer = state.make(
        "customer",
        "cus_",
        id=state.identifier("cus_", 14),
        balance=0,
        delinquent=False,
        invoice_prefix=state.identifier("", 8).upper(),
        invoice_settings=dict.fromkeys(
            ("custom_fields", "default_payment_method", "footer", "rendering_options")
        ),
        next_invoice_sequence=1,
        preferred_locales=[],
        tax_exempt="none",
    )
    _apply(state, customer, params)
    state.emit("customer.created", customer)
    return state.view(customer)


def _apply(state: State, customer: dict, params: dict) -> None:
    apply(customer, params, FIELDS)
    merge_metadata(customer, params.get("metadata"))
    method = params.get("invoice_settings", {}).get("default_payment_method")
    if method:
        param = "invoice_settings[default_payment_method]"
        customer["invoice_settings"]["default_payment_method"] = state.get("payment_method", method, param)[
            "id"
        ]


@endpoint("GET", "/v1/customers/{}", "CustomerRetrieveParams")
def retrieve_customer(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/customers/retrieve: a deleted one says so."""
    return state.view(state.get("customer", name))


@endpoint("POST", "/v1/customers/{}", "CustomerUpdateParams")
def update_customer(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/customers/update."""
    customer = state.living("customer", name)
    before = state.view(customer)
    _apply(state, customer, params)
    state.emit("customer.updated", customer, before=before)
    return state.view(customer)


@endpoint("DELETE", "/v1/customers/{}", "CustomerDeleteParams")
def delete_customer(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/customers/delete: the subscriptions end at once."""
    customer = state.living("customer", name)
    for subscription in matching(state.all("subscription"), customer=name):
        if subscription["status"] not in OVER:
            cancel(state, subscription)
    state.emit("customer.deleted", customer)
    gone = {"id": name, "object": "customer", "deleted": True}
    state.tables["customer"][name] = {**gone, "_email": customer["email"]}
    return gone


@endpoint("GET", "/v1/customers", "CustomerListParams")
def list_customers(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/customers/list; the case of an address counts."""
    found = [
        each
        for each in matching(state.all("customer"), email=params.get("email"))
        if not each.get("deleted") and within(each["created"], params.get("created"))
    ]
    return page(state, "/v1/customers", found, params)


def _subscriptions(state: State, customer: dict) -> dict:
    found = [
        state.view(each)
        for each in matching(state.all("subscription"), customer=customer["id"])
        if each["status"] not in OVER
    ]
    return stripe_shapes.listing(f"/v1/customers/{customer['id']}/subscriptions", found[::-1])


stripe_lists.INCLUDE["customer", "subscriptions"] = _subscriptions
