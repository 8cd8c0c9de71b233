"""Products and prices.

https://docs.stripe.com/api/products/object and https://docs.stripe.com/api/prices/object
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.fakes.stripe_errors import invalid, required
from tests.fakes.stripe_lists import matching, page, within
from tests.fakes.stripe_routes import endpoint
from tests.fakes.stripe_state import State, merge_metadata

PRODUCT_FIELDS = (
    "active",
    "description",
    "images",
    "marketing_features",
    "name",
    "package_dimensions",
    "shippable",
    "statement_descriptor",
    "tax_code",
    "unit_label",
    "url",
)
PRICE_FIELDS = ("active", "nickname", "tax_behavior")


def apply(thing: dict, params: dict, names: tuple[str, ...]) -> None:
    """Take over parameters of the same name as the field; an empty one unsets it."""
    for name in names:
        if name in params:
            thing[name] = None if params[name] == "" else params[name]


@endpoint("POST", "/v1/products", "ProductCreateParams")
def create_product(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/products/create."""
    name = params.get("id") or state.identifier("prod_", 14)
    if name in state.tables["product"]:
        raise invalid("Product already exists.", "id", "resource_already_exists")
    product = state.make("product", "prod_", id=name, active=True, type="service", updated=state.now())
    apply(product, params, PRODUCT_FIELDS)
    merge_metadata(product, params.get("metadata"))
    state.emit("product.created", product)
    if "default_price_data" in params:
        price = create_price(state, {**params["default_price_data"], "product": name})
        product["default_price"] = price["id"]
    return state.view(product)


@endpoint("GET", "/v1/products/{}", "ProductRetrieveParams")
def retrieve_product(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/products/retrieve."""
    return state.view(state.get("product", name))


@endpoint("POST", "/v1/products/{}", "ProductUpdateParams")
def update_product(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/products/update."""
    product = state.get("product", name)
    if "default_price" in params:
        state.get("price", params["default_price"], "default_price")
    before = state.view(product)
    apply(product, params, (*PRODUCT_FIELDS, "default_price"))
    merge_metadata(product, params.get("metadata"))
    product["updated"] = state.now()
    state.emit("product.updated", product, before=before)
    return state.view(product)


@endpoint("GET", "/v1/products", "ProductListParams")
def list_products(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/products/list."""
    found = [
        each
        for each in matching(state.all("product"), active=params.get("active"), url=params.get("url"))
        if each["id"] in params.get("ids", [each["id"]]) and within(each["created"], params.get("created"))
    ]
    return page(state, "/v1/products", found, params)


@endpoint("POST", "/v1/prices", "PriceCreateParams")
def create_price(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/prices/create."""
    amount = _amount(params)
    product = _product_of(state, params)
    _take_lookup_key(state, params)
    recurring = params.get("recurring")
    price = state.make(
        "price",
        "price_1",
        active=True,
        billing_scheme=params.get("billing_scheme", "per_unit"),
        currency=params["currency"].lower(),
        lookup_key=params.get("lookup_key"),
        product=product,
        recurring=_recurring(recurring) if recurring else None,
        tax_behavior="unspecified",
        type="recurring" if recurring else "one_time",
        unit_amount=int(amount) if amount == int(amount) else None,
        unit_amount_decimal=f"{amount:f}",
    )
    apply(price, params, PRICE_FIELDS)
    merge_metadata(price, params.get("metadata"))
    state.emit("price.created", price)
    return state.view(price)


def _amount(params: dict) -> Decimal:
    if "unit_amount" not in params and "unit_amount_decimal" not in params:
        raise required("unit_amount")
    amount = Decimal(params.get("unit_amount", params.get("unit_amount_decimal")))
    if amount < 0:
        raise invalid("Invalid non-negative integer", "unit_amount", "parameter_invalid_integer")
    return amount


def _product_of(state: State, params: dict) -> str:
    if "product_data" in params:
        return str(create_product(state, params["product_data"])["id"])
    if "product" not in params:
        raise required("product")
    return str(state.get("product", params["product"], "product")["id"])


def _recurring(given: dict) -> dict:
    return {
        "interval": given["interval"],
        "interval_count": given.get("interval_count", 1),
        "meter": given.get("meter"),
        "trial_period_days": given.get("trial_period_days"),
        "usage_type": given.get("usage_type", "licensed"),
    }


def _take_lookup_key(state: State, params: dict, own: dict | None = None) -> None:
    key = params.get("lookup_key")
    if not key:
        return
    for price in matching(state.all("price"), lookup_key=key):
        if price is own:
            continue
        if not params.get("transfer_lookup_key"):
            raise invalid(
                f"A price (`{price['id']}`) already uses that lookup key (`{key}`). Pass "
                "`transfer_lookup_key=true` to transfer it.",
                "lookup_key",
            )
        before = state.view(price)
        price["lookup_key"] = None
        state.emit("price.updated", price, before=before)


@endpoint("GET", "/v1/prices/{}", "PriceRetrieveParams")
def retrieve_price(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/prices/retrieve."""
    return state.view(state.get("price", name))


@endpoint("POST", "/v1/prices/{}", "PriceUpdateParams")
def update_price(state: State, params: dict, name: str) -> dict:
    """https://docs.stripe.com/api/prices/update: what it costs stays."""
    price = state.get("price", name)
    _take_lookup_key(state, params, price)
    before = state.view(price)
    apply(price, params, (*PRICE_FIELDS, "lookup_key"))
    merge_metadata(price, params.get("metadata"))
    state.emit("price.updated", price, before=before)
    return state.view(price)


@endpoint("GET", "/v1/prices", "PriceListParams")
def list_prices(state: State, params: dict) -> dict:
    """https://docs.stripe.com/api/prices/list."""
    names = ("active", "currency", "product", "type")
    recurring = params.get("recurring", {})
    found = [
        each
        for each in matching(state.all("price"), **{name: params.get(name) for name in names})
        if each["lookup_key"] in params.get("lookup_keys", [each["lookup_key"]])
        and _recurs(each, recurring)
        and within(each["created"], params.get("created"))
    ]
    return page(state, "/v1/prices", found, params)


def _recurs(price: dict, wanted: dict[str, Any]) -> bool:
    own = price["recurring"] or {}
    return all(own.get(name) == value for name, value in wanted.items())
