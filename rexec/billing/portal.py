"""Stripe's customer portal, set up for our plans: switching, cancelling, cards and invoices are its business.

Source: https://docs.stripe.com/customer-management/configure-portal,
https://docs.stripe.com/api/customer_portal/configurations/create
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from rexec.billing import plans
from rexec.billing.gateway import StripeGateway
from rexec.billing.prices import INTERVALS, Catalogue, Change

MARK = "rexec"
"""Metadata of the configuration that is ours; its value tells whether it is up to date."""


def wanted(catalogue: Catalogue) -> dict[str, Any]:
    """The portal's configuration for the plans as Stripe sells them.

    A larger plan is paid for and had at once; a smaller one comes at the end of what is paid for.

    Args:
        catalogue: Prices and products.
    """
    products = [
        {"product": catalogue.products[plan.key], "prices": prices}
        for plan in plans.for_sale()
        if (prices := [catalogue.prices[plan.key, each] for each in INTERVALS if plan.price(each)])
    ]
    features = {
        "customer_update": {"enabled": True, "allowed_updates": ["name", "email", "address", "tax_id"]},
        "invoice_history": {"enabled": True},
        "payment_method_update": {"enabled": True},
        "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
        "subscription_update": {
            "enabled": True,
            "default_allowed_updates": ["price"],
            "proration_behavior": "always_invoice",
            "products": products,
            "schedule_at_period_end": {
                "conditions": [{"type": "decreasing_item_amount"}, {"type": "shortening_interval"}]
            },
        },
    }
    digest = hashlib.sha256(json.dumps(features, sort_keys=True).encode()).hexdigest()[:40]
    return {"features": features, "metadata": {MARK: digest}}


def look(gateway: StripeGateway, catalogue: Catalogue) -> tuple[str | None, Change | None]:
    """Find our configuration, and what would bring it up to date.

    Args:
        gateway: Stripe.
        catalogue: With nothing left to change.

    Returns:
        Its id, and the change; None for what is not there or not needed.
    """
    fields = wanted(catalogue)
    mine = [each for each in gateway.portal_configurations() if MARK in (each.get("metadata") or {})]
    for each in mine:
        if each["metadata"][MARK] == fields["metadata"][MARK]:
            return each["id"], None
    if not mine:
        return None, Change("set the customer portal up", lambda: gateway.create_portal_configuration(fields))
    found = mine[0]["id"]
    return found, Change(
        "let the customer portal offer the plans as they are now",
        lambda: gateway.update_portal_configuration(found, fields),
    )
