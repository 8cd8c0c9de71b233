"""Looking after a subscription: that is the business of Stripe's customer portal; here is the way there.

Source: https://docs.stripe.com/customer-management/portal-deep-links
"""

from __future__ import annotations

import logging

from sqlalchemy import select

from rexec.billing import sync
from rexec.billing.entitlement import is_live
from rexec.billing.errors import NothingToManage, StripeNotFound, StripeRefused
from rexec.billing.gateway import Fields, StripeGateway
from rexec.billing.models import BillingAccount, Subscription
from rexec.billing.shop import shop
from rexec.extensions import db

log = logging.getLogger(__name__)

FLOWS = ("cancel", "update", "card")
"""Pages of the portal that can be gone to directly."""


def live_subscription(user_id: int) -> Subscription | None:
    """The subscription that a person has to look after, the newest where there are several."""
    rows = db.session.scalars(
        select(Subscription).where(Subscription.user_id == user_id).order_by(Subscription.begun_at.desc())
    )
    return next((row for row in rows if is_live(row.status)), None)


def portal_url(user_id: int, flow: str, base_url: str, gateway: StripeGateway) -> str:
    """Where a person looks after their subscription.

    Args:
        user_id: Whose.
        flow: One of `FLOWS` to go straight there; anything else leads to the portal's front page.
        base_url: The public address of this service.
        gateway: Stripe.

    Raises:
        NothingToManage: There is no customer.
        StripeError: Stripe could not be asked.
    """
    customer = _customer_of(user_id)
    subscription = live_subscription(user_id)
    flow_data: Fields | None = None
    if flow == "card":
        flow_data = {"type": "payment_method_update"}
    elif flow in FLOWS and subscription is not None:
        kind = f"subscription_{flow}"
        flow_data = {"type": kind, kind: {"subscription": subscription.stripe_id}}
    try:
        return _portal(customer, flow_data, base_url, gateway)
    except StripeNotFound as error:
        # The customer was deleted in the dashboard, and nobody told us.
        sync.refresh(user_id, gateway)
        raise NothingToManage from error


def change_url(subscription: Subscription, price: str, base_url: str, gateway: StripeGateway) -> str:
    """The portal's page that asks whether to change to a price; its front page where that is paid already.

    Args:
        subscription: The present one.
        price: The id of the price.
        base_url: The public address of this service.
        gateway: Stripe.

    Raises:
        NothingToManage: There is no customer.
        StripeError: Stripe could not be asked.
    """
    wanted = {"id": subscription.item_id, "price": price, "quantity": 1}
    kind = "subscription_update_confirm"
    confirm = {"type": kind, kind: {"subscription": subscription.stripe_id, "items": [wanted]}}
    same = subscription.price_id == price
    return _portal(_customer_of(subscription.user_id), None if same else confirm, base_url, gateway)


def _customer_of(user_id: int) -> str:
    found = db.session.scalar(select(BillingAccount.customer_id).where(BillingAccount.user_id == user_id))
    if found is None:
        raise NothingToManage
    return found


def _portal(customer: str, flow: Fields | None, base_url: str, gateway: StripeGateway) -> str:
    # No transaction is open while Stripe is asked.
    db.session.rollback()
    back = f"{base_url}/billing/return"
    fields: Fields = {"customer": customer, "return_url": back, "configuration": shop(gateway).portal}
    if flow is not None:
        done = {"type": "redirect", "redirect": {"return_url": back}}
        try:
            straight = {**fields, "flow_data": {**flow, "after_completion": done}}
            return str(gateway.create_portal(straight)["url"])
        except StripeRefused as error:
            # Not from here, as with a change that is planned already: the front page shows what can be.
            log.info("no straight way into the portal: %s", error.detail)
    return str(gateway.create_portal(fields)["url"])
