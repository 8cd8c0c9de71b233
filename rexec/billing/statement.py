"""What only Stripe knows and the billing page shows: the last invoices and the next one, fetched by a job."""

from __future__ import annotations

from typing import Any

from sqlalchemy import update

from rexec.billing import manage
from rexec.billing.gateway import StripeGateway
from rexec.billing.models import BillingAccount
from rexec.extensions import db

LAST = 6
KEPT = ("id", "number", "status", "total", "currency", "created", "hosted_invoice_url", "invoice_pdf")


def refresh(user_id: int, gateway: StripeGateway) -> None:
    """Fetch a person's invoices and keep them for the page. Commits.

    Args:
        user_id: Whose.
        gateway: Stripe.

    Raises:
        StripeError: Stripe could not be asked; what is kept stays.
    """
    account = db.session.get(BillingAccount, user_id, populate_existing=True)
    customer = account.customer_id if account else None
    subscription = manage.live_subscription(user_id)
    renewing = subscription.stripe_id if subscription and subscription.ends_at is None else None
    db.session.rollback()
    if customer is None:
        return
    invoices = [_kept(each) for each in gateway.invoices(customer, LAST) if each["status"] != "draft"]
    upcoming = gateway.upcoming_invoice(customer, renewing) if renewing else None
    values = {"invoices": invoices, "upcoming": _next(upcoming) if upcoming else None}
    db.session.execute(update(BillingAccount).where(BillingAccount.user_id == user_id).values(values))
    db.session.commit()


def _kept(invoice: dict[str, Any]) -> dict[str, Any]:
    return {name: invoice.get(name) for name in KEPT}


def _next(preview: dict[str, Any]) -> dict[str, Any]:
    return {
        "total": preview.get("amount_due", preview["total"]),
        "currency": preview["currency"],
        "at": preview.get("next_payment_attempt") or preview.get("period_end"),
    }
