"""A small shop at the fake Stripe, by the official library, and somebody who receives its webhooks."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from typing import Any

import requests
import stripe

from tests.fakes.stripe_server import FakeStripe

SUCCESS = "http://shop.test/done?session={CHECKOUT_SESSION_ID}"
HOME = "http://shop.test/billing"


def client(fake: FakeStripe, *, timeout: float = 5.0, **options: Any) -> stripe.StripeClient:
    """The official library's client for a fake.

    Args:
        fake: A running one.
        timeout: Seconds for each request.
        options: Of the client, such as `max_network_retries`.
    """
    library = stripe.RequestsClient(timeout=timeout)
    return stripe.StripeClient(fake.key, base_addresses={"api": fake.url}, http_client=library, **options)


class Shop:
    """Three prices of one product, and a buyer.

    Args:
        fake: Where it is.
        v1: A client's `v1`.
    """

    def __init__(self, fake: FakeStripe, v1: Any) -> None:
        self.fake, self.v1 = fake, v1
        self.product = v1.products.create({"name": "Rexec"}).id
        self.small = self.price(500, lookup_key="small")
        self.large = self.price(2000, lookup_key="large")
        self.yearly = self.price(20000, interval="year")
        self.customer = v1.customers.create({"email": "a@example.com", "metadata": {"user": "1"}}).id

    def price(self, amount: int, interval: str = "month", **values: Any) -> str:
        """A recurring price of the product, by its id."""
        given = {"product": self.product, "currency": "usd", "unit_amount": amount, **values}
        return str(self.v1.prices.create({**given, "recurring": {"interval": interval}}).id)

    def checkout(self, **values: Any) -> stripe.checkout.Session:
        """A checkout of the small plan for the buyer; None leaves a parameter out."""
        given = {"mode": "subscription", "success_url": SUCCESS, "cancel_url": f"{HOME}?no=1"}
        lines = [{"price": self.small, "quantity": 1}]
        given = {**given, "line_items": lines, "customer": self.customer, **values}
        return self.v1.checkout.sessions.create(
            {key: value for key, value in given.items() if value is not None}
        )

    def subscribed(self, price: str = "", **values: Any) -> stripe.Subscription:
        """The buyer's new subscription."""
        made = self.fake.create_subscription(self.customer, price or self.small, **values)
        return self.v1.subscriptions.retrieve(made["id"])

    def portal(self, **values: Any) -> stripe.billing_portal.Session:
        """A portal where the buyer changes plans: upwards at once, downwards when the period ends."""
        products = [{"product": self.product, "prices": [self.small, self.large]}]
        features = {
            "subscription_update": {
                "enabled": True,
                "default_allowed_updates": ["price"],
                "products": products,
                "proration_behavior": "always_invoice",
                "schedule_at_period_end": {"conditions": [{"type": "decreasing_item_amount"}]},
            },
            "subscription_cancel": {"enabled": True},
            "payment_method_update": {"enabled": True},
            "invoice_history": {"enabled": True},
        }
        configuration = self.v1.billing_portal.configurations.create({"features": features}).id
        given = {"customer": self.customer, "configuration": configuration, "return_url": HOME}
        return self.v1.billing_portal.sessions.create({**given, **values})


def post(url: str, **fields: str) -> requests.Response:
    """Send a form as a browser does, and follow no redirect."""
    return requests.post(url, data=fields, allow_redirects=False, timeout=5)


def get(url: str) -> str:
    """The text of a page."""
    return requests.get(url, timeout=5).text


class Receiver:
    """Takes webhooks, and answers with the statuses it was told, then with 200."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, str]] = []
        self.statuses: list[int] = []
        self.url = ""


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """A server that takes webhooks until the block ends."""
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_arguments: object) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.taken.append((body, self.headers["Stripe-Signature"]))
            self.send_response(receiver.statuses.pop(0) if receiver.statuses else 200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join(10)
