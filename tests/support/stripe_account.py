"""A Stripe account for tests: the fake, with what tests look at and what an operator does by hand."""

from __future__ import annotations

from typing import Any

import stripe

from tests.fakes.stripe_server import FakeStripe


class StripeAccount(FakeStripe):
    """Everything it hands back is as it goes over the wire."""

    def all(self, kind: str, **fields: Any) -> list[dict]:
        """The objects of a kind whose fields are these, oldest first."""
        with self.state.lock:
            every = [self.state.view(each) for each in self.state.all(kind)]
        return [each for each in every if fields.items() <= each.items()]

    def sessions(self, **fields: Any) -> list[dict]:
        """The checkouts."""
        return self.all("checkout.session", **fields)

    def subscriptions(self, customer: str) -> list[dict]:
        """All that a customer has or had."""
        return self.all("subscription", customer=customer)

    def prices(self, **fields: Any) -> list[dict]:
        """The prices."""
        return self.all("price", **fields)

    def portal_configurations(self) -> list[dict]:
        """The configurations of the portal."""
        return self.all("billing_portal.configuration")

    def count(self, method: str, path: str) -> int:
        """How many requests there were to exactly this path."""
        return sum(each.path == path for each in self.calls(method, path))

    def price_of(self, lookup_key: str) -> str:
        """The id of the price that has this lookup key."""
        [price] = self.prices(lookup_key=lookup_key)
        return str(price["id"])

    @property
    def by_hand(self) -> Any:
        """The account as its owner's own programs see it."""
        return stripe.StripeClient(self.add_key(), base_addresses={"api": self.url}).v1

    def make_price(self, amount: int, **fields: Any) -> str:
        """A monthly price of a product that Rexec knows nothing of; its id."""
        client = self.by_hand
        product = client.products.create({"name": "Made by hand"})
        recurring = {"product": product.id, "currency": "usd", "recurring": {"interval": "month"}}
        return str(client.prices.create({**recurring, "unit_amount": amount, **fields}).id)
