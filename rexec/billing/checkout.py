"""Buying a plan at Stripe Checkout: one open checkout a person, and never a second subscription.

Source: https://docs.stripe.com/api/checkout/sessions
"""

from __future__ import annotations

import logging
import time
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError

from rexec.accounts.models import User
from rexec.billing import manage, plans, sync
from rexec.billing.errors import (
    CheckoutOvertaken,
    NothingToManage,
    StripeError,
    StripeNotFound,
    StripeRefused,
    UnknownChoice,
)
from rexec.billing.gateway import Fields, StripeGateway, idempotency_key
from rexec.billing.models import BillingAccount
from rexec.billing.prices import INTERVALS
from rexec.billing.shop import shop
from rexec.errors import NotFound
from rexec.extensions import db, settings

log = logging.getLogger(__name__)

OPEN_S = 3600
"""How long a checkout may be paid; Stripe allows half an hour to a day."""


def begin(user_id: int, plan_key: str, interval: str, base_url: str, gateway: StripeGateway) -> str:
    """Where a person goes to get a plan: a checkout, or the portal where they pay for one already. Commits.

    Args:
        user_id: Whose.
        plan_key: The plan.
        interval: `month` or `year`.
        base_url: The public address of this service.
        gateway: Stripe.

    Raises:
        UnknownChoice: No such plan is for sale.
        CheckoutOvertaken: Another tab was quicker.
        StripeError: Stripe could not be asked.
    """
    plan = plans.get(plan_key)
    if interval not in INTERVALS or plan is None or plan.price(interval) is None:
        raise UnknownChoice(field="plan")
    account = account_of(user_id)
    choice = f"{plan.key}/{interval}"
    if account.checkout_open and account.checkout_session_id:
        url = _go_on(account, choice, gateway)
        if url is not None:
            return url
    url = _change(user_id, plan.key, interval, base_url, gateway)
    if url is not None:
        return url
    try:
        return _open(user_id, choice, base_url, gateway)
    except (StripeNotFound, StripeRefused) as error:
        # In the dashboard the customer was deleted, or the price archived, since we looked.
        if isinstance(error, StripeNotFound):
            _forget_customer(user_id)
        shop(gateway, fresh=True)
        return _open(user_id, choice, base_url, gateway)


def _change(user_id: int, plan_key: str, interval: str, base_url: str, gateway: StripeGateway) -> str | None:
    """The portal's page that changes a subscription; None where there is none to change."""
    subscription = manage.live_subscription(user_id)
    if subscription is None:
        return None
    price = shop(gateway).price(plan_key, interval)
    try:
        return manage.change_url(subscription, price, base_url, gateway)
    except (StripeNotFound, NothingToManage):
        # The customer was deleted in the dashboard, and nobody told us.
        sync.refresh(user_id, gateway)
        if manage.live_subscription(user_id) is not None:
            raise
        _forget_customer(user_id)
        return None


def account_of(user_id: int) -> BillingAccount:
    """A person's billing account, made where there is none. Commits; the row is detached."""
    row = db.session.get(BillingAccount, user_id, populate_existing=True)
    if row is None:
        try:
            db.session.add(BillingAccount(user_id=user_id))
            db.session.commit()
        except IntegrityError:
            db.session.rollback()
        row = db.session.get(BillingAccount, user_id, populate_existing=True)
    if row is None:
        raise NotFound
    db.session.expunge(row)
    db.session.rollback()
    return row


def _go_on(account: BillingAccount, choice: str, gateway: StripeGateway) -> str | None:
    """Where the open checkout is if it is for the same choice; another is closed, or applied if paid."""
    session_id = account.checkout_session_id or ""
    session = look(account.user_id, session_id, gateway)
    if session is None or session["status"] != "open":
        return None
    if account.checkout_choice == choice:
        return str(session["url"])
    close(account.user_id, session_id, gateway)
    return None


def look(user_id: int, session_id: str, gateway: StripeGateway) -> Fields | None:
    """See how far a checkout is; one that is over is noted as such, and applied if paid. Commits.

    Args:
        user_id: Whose.
        session_id: Of the checkout.
        gateway: Stripe.

    Returns:
        The session; None where Stripe has none.
    """
    try:
        session = gateway.checkout(session_id)
    except StripeNotFound:
        session = None
    if session is None or session["status"] != "open":
        sync.refresh(user_id, gateway)
        _note_closed(user_id, session_id)
    return session


def close(user_id: int, session_id: str, gateway: StripeGateway) -> None:
    """Let nobody pay a checkout any more; one that was paid in the meantime is applied. Commits."""
    try:
        gateway.expire_checkout(session_id)
    except StripeNotFound:
        pass
    except StripeRefused:
        # It is not open: paid, or over by itself.
        sync.refresh(user_id, gateway)
    _note_closed(user_id, session_id)


def _note_closed(user_id: int, session_id: str) -> None:
    db.session.execute(
        update(BillingAccount)
        .where(BillingAccount.user_id == user_id, BillingAccount.checkout_session_id == session_id)
        .values(checkout_open=False)
    )
    db.session.commit()


def _forget_customer(user_id: int) -> None:
    account = account_of(user_id)
    if account.customer_id:
        sync.forget_customer(user_id, account.customer_id)


def _open(user_id: int, choice: str, base_url: str, gateway: StripeGateway) -> str:
    plan_key, _, interval = choice.partition("/")
    price = shop(gateway).price(plan_key, interval)
    customer = _customer(user_id, gateway)
    number, before = _claim(user_id)
    if before is not None:
        close(user_id, before, gateway)
        url = _change(user_id, plan_key, interval, base_url, gateway)
        if url is not None:
            return url
    fields = _checkout_fields(user_id, customer, price, base_url)
    account = account_of(user_id)
    key = idempotency_key("checkout", account.created_at, user_id, number)
    session = gateway.create_checkout(fields, key=key)
    kept = db.session.execute(
        update(BillingAccount)
        .where(BillingAccount.user_id == user_id, BillingAccount.checkout_number == number)
        .values(checkout_session_id=session["id"], checkout_choice=choice, checkout_open=True)
    )
    db.session.commit()
    if not cast("CursorResult[Any]", kept).rowcount:
        close(user_id, session["id"], gateway)
        raise CheckoutOvertaken
    return str(session["url"])


def _claim(user_id: int) -> tuple[int, str | None]:
    """Become the one who may open a checkout for a person; whoever claimed before closes theirs. Commits.

    Returns:
        The number of the claim, and the checkout that somebody opened since the caller looked.
    """
    mine = BillingAccount.user_id == user_id
    number = db.session.execute(
        update(BillingAccount)
        .where(mine)
        .values(checkout_number=BillingAccount.checkout_number + 1)
        .returning(BillingAccount.checkout_number)
    ).scalar_one()
    before = db.session.scalar(
        select(BillingAccount.checkout_session_id).where(mine, BillingAccount.checkout_open.is_(True))
    )
    db.session.commit()
    return int(number), before


def _customer(user_id: int, gateway: StripeGateway) -> str:
    """The person's customer at Stripe, made where there is none. Commits."""
    account = account_of(user_id)
    if account.customer_id:
        return account.customer_id
    email = db.session.scalar(select(User.email).where(User.id == user_id))
    db.session.rollback()
    key = idempotency_key("customer", account.created_at, user_id, account.customer_number)
    try:
        made = gateway.create_customer({"email": email, "metadata": {"rexec_user": str(user_id)}}, key=key)
    except StripeError:
        _ask_anew_for_customer(user_id, account.customer_number)
        raise
    db.session.execute(
        update(BillingAccount)
        .where(BillingAccount.user_id == user_id, BillingAccount.customer_id.is_(None))
        .values(customer_id=made["id"])
    )
    db.session.commit()
    return account_of(user_id).customer_id or str(made["id"])


def _ask_anew_for_customer(user_id: int, number: int) -> None:
    """Take another key the next time: Stripe repeats for a day what it said to one, a failure too. Commits.

    Source: https://docs.stripe.com/api/idempotent_requests
    """
    asked = BillingAccount.customer_number == number, BillingAccount.customer_id.is_(None)
    db.session.execute(
        update(BillingAccount)
        .where(BillingAccount.user_id == user_id, *asked)
        .values(customer_number=BillingAccount.customer_number + 1)
    )
    db.session.commit()


def _checkout_fields(user_id: int, customer: str, price: str, base_url: str) -> Fields:
    fields: Fields = {
        "mode": "subscription",
        "customer": customer,
        "client_reference_id": str(user_id),
        "line_items": [{"price": price, "quantity": 1}],
        # Stripe fills the braces in.
        "success_url": f"{base_url}/billing/return?session_id={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{base_url}/billing?left=1",
        "allow_promotion_codes": True,
        "subscription_data": {"metadata": {"rexec_user": str(user_id)}},
        "expires_at": int(time.time()) + OPEN_S,
    }
    if settings().stripe_automatic_tax:
        fields |= {"automatic_tax": {"enabled": True}, "customer_update": {"address": "auto"}}
    return fields
