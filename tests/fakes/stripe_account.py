"""The account, its balance, and its events.

https://docs.stripe.com/api/accounts/object, https://docs.stripe.com/api/balance/balance_object,
https://docs.stripe.com/api/events
"""

from __future__ import annotations

from tests.fakes.stripe_errors import missing
from tests.fakes.stripe_lists import page, within
from tests.fakes.stripe_routes import endpoint
from tests.fakes.stripe_state import State


@endpoint("GET", "/v1/balance", "BalanceRetrieveParams")
def retrieve_balance(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/balance/balance_retrieve."""
    amounts = [{"amount": 0, "currency": "usd", "source_types": {"card": 0}}]
    return {"object": "balance", "available": amounts, "pending": amounts, "livemode": False}


@endpoint("GET", "/v1/account", "AccountRetrieveCurrentParams")
def retrieve_account(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/accounts/retrieve, of the key's own account."""
    return {
        "id": "acct_1FakeAccount00000",
        "object": "account",
        "business_profile": {"name": "Fake account", "url": None},
        "business_type": "company",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "US",
        "default_currency": "usd",
        "details_submitted": True,
        "email": "owner@example.com",
        "metadata": {},
        "payouts_enabled": True,
        "settings": {"dashboard": {"display_name": "Fake account", "timezone": "Etc/UTC"}},
        "type": "standard",
    }


@endpoint("GET", "/v1/events/{}", "EventRetrieveParams")
def retrieve_event(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/events/retrieve."""
    for event in state.events:
        if event["id"] == name:
            return state.view(event)
    raise missing("event", name)


@endpoint("GET", "/v1/events", "EventListParams")
def list_events(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/events/list: `delivery_success` asks whether every endpoint took it."""
    kinds = params.get("types") or ([params["type"]] if "type" in params else None)
    wanted = params.get("delivery_success")
    found = [
        event
        for event in state.events
        if (kinds is None or any(_is(event["type"], kind) for kind in kinds))
        and within(event["created"], params.get("created"))
        and wanted in {None, event.get("_delivered", False)}
    ]
    return page(state, "/v1/events", found, params)


def _is(kind: str, wanted: str) -> bool:
    return kind == wanted or (wanted.endswith("*") and kind.startswith(wanted[:-1]))
