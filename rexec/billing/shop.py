"""What is for sale, as ids at Stripe: looked up once in a while, made where it is missing."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from flask import current_app

from rexec.billing import portal, prices
from rexec.billing.errors import StripeNotFound
from rexec.billing.gateway import StripeGateway
from rexec.billing.prices import Change

log = logging.getLogger(__name__)

EXTENSION = "rexec.shop"
KEPT_S = 300.0


@dataclass(frozen=True)
class Shop:
    """Ids at Stripe.

    Args:
        prices: Plan and interval -> price.
        portal: The customer portal's configuration.
        looked_at: On the monotonic clock.
    """

    prices: dict[tuple[str, str], str]
    portal: str
    looked_at: float

    def price(self, plan: str, interval: str) -> str:
        """The id of a price.

        Raises:
            StripeNotFound: It was archived since it was made.
        """
        try:
            return self.prices[plan, interval]
        except KeyError:
            raise StripeNotFound(f"no price of {plan} by the {interval}") from None


def shop(gateway: StripeGateway, *, fresh: bool = False) -> Shop:
    """What is for sale; asks Stripe where this process has not for five minutes.

    Args:
        gateway: Stripe.
        fresh: Ask in any case, because Stripe refused what was known.

    Raises:
        StripeError: Stripe could not be asked.
    """
    known: Shop | None = current_app.extensions.get(EXTENSION)
    if known is None or fresh or time.monotonic() - known.looked_at > KEPT_S:
        known = current_app.extensions[EXTENSION] = _look(gateway, again=fresh)
    return known


def _look(gateway: StripeGateway, *, again: bool) -> Shop:
    sync(gateway, apply=True, again=again)
    catalogue = prices.look(gateway)
    configuration, _ = portal.look(gateway, catalogue)
    return Shop(catalogue.prices, configuration or "", time.monotonic())


def sync(gateway: StripeGateway, *, apply: bool, again: bool = False) -> list[str]:
    """Bring Stripe's products, prices and portal in line with the plans.

    Args:
        gateway: Stripe.
        apply: Do it; else only say what would be done.
        again: Make anew what was made a moment ago and is gone already.

    Returns:
        What was done or would be, a line each.
    """
    catalogue = prices.look(gateway, again=again)
    said = [_done(change, apply=apply) for change in catalogue.changes]
    if catalogue.changes and not apply:
        # What it offers is made of ids that are not there yet.
        return [*said, "bring the customer portal in line with that"]
    _, offering = portal.look(gateway, prices.look(gateway) if catalogue.changes else catalogue)
    return said + ([_done(offering, apply=apply)] if offering else [])


def _done(change: Change, *, apply: bool) -> str:
    if apply:
        change.apply()
        log.info("Stripe: %s", change.text)
    return change.text
