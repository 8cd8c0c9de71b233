"""The way to Stripe: the calls Rexec makes, with deadlines, plain answers and one tree of errors.

Sources: https://docs.stripe.com/api (objects and parameters), https://docs.stripe.com/api/idempotent_requests,
https://docs.stripe.com/api/errors. The version of the API is pinned, whatever an account's default.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from flask import current_app

from rexec.billing.errors import (
    BillingOff,
    StripeBusy,
    StripeError,
    StripeExists,
    StripeKeyRefused,
    StripeNotFound,
    StripeRefused,
    StripeUnreachable,
)
from rexec.extensions import utcnow

if TYPE_CHECKING:
    from stripe import StripeClient
    from stripe import StripeError as LibraryError

log = logging.getLogger(__name__)

EXTENSION = "rexec.stripe"

API_VERSION = "2026-10-28.endive"
CONNECT_S = 3.0
READ_S = 8.0
RETRIES = 2
A_PAGE = 100

Fields = dict[str, Any]


def stripe() -> StripeGateway:
    """Stripe, as this application knows it.

    Raises:
        BillingOff: No key is set.
    """
    gateway: StripeGateway | None = current_app.extensions.get(EXTENSION)
    if gateway is None:
        raise BillingOff
    return gateway


def is_on() -> bool:
    """Whether the operator takes payments."""
    return current_app.extensions.get(EXTENSION) is not None


def idempotency_key(*parts: object) -> str:
    """A key that is the same for the same wish, so that asking twice makes one object."""
    return "rexec-" + hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:40]


class StripeGateway:
    """Stripe, for the whole process. Thread-safe; making one neither imports the library nor connects.

    Every method raises subclasses of `StripeError` and nothing else, and gives plain dictionaries as Stripe
    documents them.

    Args:
        key: The secret key.
        api_base: Where Stripe is, for tests.
    """

    def __init__(self, key: str, *, api_base: str | None = None) -> None:
        self._key = key
        self._api_base = api_base
        self._client: StripeClient | None = None
        self._making = threading.Lock()

    @property
    def is_live(self) -> bool:
        """Whether the key is for real money; its events say `livemode` then."""
        return "_live_" in self._key

    # Products, prices and the portal's configuration

    def find_prices(self, lookup_keys: list[str]) -> list[Fields]:
        """The active prices that have these lookup keys, with their products."""
        params = {"lookup_keys": lookup_keys, "active": True, "limit": A_PAGE, "expand": ["data.product"]}
        return self._ask(lambda v1: v1.prices.list(params))["data"]  # type: ignore[no-any-return]

    def find_product(self, product_id: str) -> Fields | None:
        """A product by its id; None where there is none."""
        try:
            return self._ask(lambda v1: v1.products.retrieve(product_id))
        except StripeNotFound:
            return None

    def create_product(self, fields: Fields) -> Fields:
        """Make a product; one that another instance made meanwhile is as good."""
        try:
            return self._create(lambda v1: v1.products.create, fields)
        except StripeExists:
            return {"id": fields["id"]}

    def update_product(self, product_id: str, fields: Fields) -> Fields:
        """Change a product."""
        return self._ask(lambda v1: v1.products.update(product_id, fields))

    def create_price(self, fields: Fields, *, key: str | None = None) -> Fields:
        """Make a price; it can be archived but never deleted or given another amount."""
        return self._create(lambda v1: v1.prices.create, fields, key=key)

    def update_price(self, price_id: str, fields: Fields) -> Fields:
        """Change what can be changed of a price: its metadata, its name, whether it is for sale."""
        return self._ask(lambda v1: v1.prices.update(price_id, fields))

    def portal_configurations(self) -> Iterator[Fields]:
        """The active configurations of the customer portal."""
        params = {"active": True, "limit": A_PAGE}
        yield from self._ask(lambda v1: v1.billing_portal.configurations.list(params))["data"]

    def create_portal_configuration(self, fields: Fields) -> Fields:
        """Make a configuration of the customer portal."""
        return self._create(lambda v1: v1.billing_portal.configurations.create, fields)

    def update_portal_configuration(self, configuration_id: str, fields: Fields) -> Fields:
        """Change a configuration of the customer portal."""
        return self._ask(lambda v1: v1.billing_portal.configurations.update(configuration_id, fields))

    # A person

    def create_customer(self, fields: Fields, *, key: str) -> Fields:
        """Make a customer."""
        return self._create(lambda v1: v1.customers.create, fields, key=key)

    def create_checkout(self, fields: Fields, *, key: str) -> Fields:
        """Open a checkout session; its `url` is where the person pays."""
        return self._create(lambda v1: v1.checkout.sessions.create, fields, key=key)

    def checkout(self, session_id: str) -> Fields:
        """A checkout session as it is now."""
        return self._ask(lambda v1: v1.checkout.sessions.retrieve(session_id))

    def expire_checkout(self, session_id: str) -> None:
        """Close an open checkout session, so that nobody can pay it any more.

        Raises:
            StripeRefused: It is not open.
        """
        self._ask(lambda v1: v1.checkout.sessions.expire(session_id))

    def create_portal(self, fields: Fields) -> Fields:
        """Open the customer portal; its `url` works for a few minutes."""
        # Its address is good once, so that each press of the button wants one of its own.
        return self._create(lambda v1: v1.billing_portal.sessions.create, fields, key=secrets.token_hex(20))

    def subscriptions(self, customer_id: str) -> list[Fields]:
        """Every subscription that a customer has or had, with its latest invoice; none of a deleted customer.

        Raises:
            StripeNotFound: No such customer.
        """
        params = {
            "customer": customer_id,
            "status": "all",
            "limit": A_PAGE,
            "expand": ["data.latest_invoice"],
        }
        return self._ask(lambda v1: v1.subscriptions.list(params))["data"]  # type: ignore[no-any-return]

    def cancel_subscription(self, subscription_id: str) -> None:
        """End a subscription at once."""
        self._ask(lambda v1: v1.subscriptions.cancel(subscription_id))

    def invoices(self, customer_id: str, limit: int) -> list[Fields]:
        """A customer's last invoices, newest first."""
        params = {"customer": customer_id, "limit": limit}
        return self._ask(lambda v1: v1.invoices.list(params))["data"]  # type: ignore[no-any-return]

    def upcoming_invoice(self, customer_id: str, subscription_id: str) -> Fields | None:
        """What the next invoice of a subscription will be; None where there will be none."""
        params = {"customer": customer_id, "subscription": subscription_id}
        try:
            return self._ask(lambda v1: v1.invoices.create_preview(params))
        except (StripeRefused, StripeNotFound):
            return None

    def customer_of_charge(self, charge_id: str) -> str | None:
        """The customer that a charge belongs to."""
        return self._ask(lambda v1: v1.charges.retrieve(charge_id)).get("customer")

    # How it is asked

    def _create(
        self, method: Callable[[Any], Callable[..., Any]], fields: Fields, *, key: str | None = None
    ) -> Fields:
        # The same wish within a minute is one wish, of whichever instance. Not for longer: for a day Stripe
        # answers with what it made then, also where that was deleted since.
        options = {"idempotency_key": key or idempotency_key(fields, f"{utcnow():%Y%m%d%H%M}")}
        return self._ask(lambda v1: method(v1)(fields, options))

    def _ask(self, call: Callable[[Any], Any]) -> Fields:
        import stripe

        client = self._connected()
        try:
            return call(client.v1).to_dict()  # type: ignore[no-any-return]
        except stripe.StripeError as error:
            raise translate(error) from error

    def _connected(self) -> StripeClient:
        # Imported at the first call: it is large, and most services never pay.
        import stripe

        with self._making:
            if self._client is None:
                self._client = stripe.StripeClient(
                    self._key,
                    stripe_version=API_VERSION,
                    max_network_retries=RETRIES,
                    http_client=stripe.RequestsClient(timeout=(CONNECT_S, READ_S)),
                    base_addresses={"api": self._api_base} if self._api_base else {},
                )
            return self._client


def translate(error: LibraryError) -> StripeError:
    """The error of ours for one of the library's.

    Args:
        error: What the library raised.
    """
    import stripe

    detail = (
        f"{type(error).__name__} {error.http_status} {error.code}: {error.user_message} ({error.request_id})"
    )
    missing = error.code == "resource_missing"
    log.log(logging.INFO if missing else logging.WARNING, "Stripe: %s", detail)
    if isinstance(error, (stripe.AuthenticationError, stripe.PermissionError)):
        return StripeKeyRefused(detail)
    if isinstance(error, stripe.RateLimitError):
        return StripeBusy(detail)
    if isinstance(error, (stripe.APIConnectionError, stripe.APIError)):
        return StripeUnreachable(detail)
    if missing:
        return StripeNotFound(detail)
    if error.code == "resource_already_exists":
        return StripeExists(detail)
    return StripeRefused(detail)
