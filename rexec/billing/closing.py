"""The subscription of an account that is being deleted: it is cancelled before anything else."""

from __future__ import annotations

import logging

from sqlalchemy import select

from rexec import jobs
from rexec.accounts import closing
from rexec.billing import checkout, sync
from rexec.billing.entitlement import OVER
from rexec.billing.gateway import StripeGateway, is_on
from rexec.billing.models import BillingAccount, Subscription
from rexec.billing.webhooks import subject
from rexec.extensions import db

log = logging.getLogger(__name__)


def on_payments_ending(_sender: object, *, user_id: int) -> int:
    """Begin to cancel what an account pays for, and say how much of it is left. Commits.

    Args:
        user_id: Whose.
    """
    left = _left(user_id)
    if left and not is_on():
        # Without a key nobody can cancel anything, and the person is not to be kept for that.
        log.warning("account %d goes with its subscription: STRIPE_SECRET_KEY is not set", user_id)
        return 0
    if left:
        added = jobs.add_once("billing.end", subject(user_id))
        db.session.commit()
        jobs.wake(*added)
    return left


def _left(user_id: int) -> int:
    account = db.session.get(BillingAccount, user_id, populate_existing=True)
    statuses = db.session.scalars(select(Subscription.status).where(Subscription.user_id == user_id)).all()
    left = sum(status not in OVER for status in statuses)
    left += bool(account and account.checkout_open)
    db.session.rollback()
    return left


def end_payments(user_id: int, gateway: StripeGateway) -> None:
    """Close an account's checkout, cancel its subscriptions at once, and let the account go. Commits.

    Args:
        user_id: Whose.
        gateway: Stripe.

    Raises:
        StripeError: Stripe could not be asked.
    """
    account = checkout.account_of(user_id)
    if account.checkout_open and account.checkout_session_id:
        checkout.close(user_id, account.checkout_session_id, gateway)
    sync.refresh(user_id, gateway)
    query = select(Subscription.stripe_id).where(
        Subscription.user_id == user_id, Subscription.status.not_in(sorted(OVER))
    )
    living = list(db.session.scalars(query))
    db.session.rollback()
    for stripe_id in living:
        gateway.cancel_subscription(stripe_id)
        log.info("the subscription of account %d is cancelled, because the account goes", user_id)
    if living:
        sync.refresh(user_id, gateway)
    closing.finish(user_id)
