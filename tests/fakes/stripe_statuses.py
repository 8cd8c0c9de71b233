"""Any status for a subscription, with the fields that belong to it, for tests of properties."""

from __future__ import annotations

from tests.fakes import stripe_invoices
from tests.fakes import stripe_lifecycle as lifecycle
from tests.fakes.stripe_lines import period_lines
from tests.fakes.stripe_payments import DAY
from tests.fakes.stripe_state import State

TRIAL_DAYS = 14


def put_status(state: State, subscription: dict, status: str) -> None:
    """Put a subscription into a status.

    Args:
        state: The account.
        subscription: In whatever status, also in one without return.
        status: One of https://docs.stripe.com/api/subscriptions/object#subscription_object-status.
    """
    if subscription["status"] == status:
        return
    if status == "canceled":
        lifecycle.cancel(state, subscription)
        return
    if status == "paused":
        _revive(subscription)
        lifecycle.pause(state, subscription)
        return
    if status == "active":
        _pay_debts(state, subscription)
    resumed = subscription["status"] == "paused" and status == "active"
    if subscription["status"] == status:
        return
    with lifecycle.updating(state, subscription):
        _revive(subscription)
        subscription["status"] = status
        if status == "trialing":
            subscription.update(trial_start=state.now(), trial_end=state.now() + TRIAL_DAYS * DAY)
        if status == "incomplete_expired":
            subscription["ended_at"] = state.now()
            _void(state, subscription)
        if status in lifecycle.OWING:
            _owe(state, subscription)
    if resumed:
        state.emit("customer.subscription.resumed", subscription)


def _revive(subscription: dict) -> None:
    subscription.update(ended_at=None, status_details=None)
    if not subscription["cancel_at_period_end"]:
        subscription["canceled_at"] = None
        subscription["cancellation_details"]["reason"] = None


def _pay_debts(state: State, subscription: dict) -> None:
    """Pay the latest invoice, which makes a subscription active that owed it."""
    invoice = state.tables["invoice"].get(subscription["latest_invoice"] or "")
    if invoice is not None and invoice["status"] == "open":
        stripe_invoices.mark_paid(state, invoice)


def _void(state: State, subscription: dict) -> None:
    invoice = state.tables["invoice"].get(subscription["latest_invoice"] or "")
    if invoice is not None and invoice["status"] == "open":
        stripe_invoices.close(state, invoice, "void")


def _owe(state: State, subscription: dict) -> None:
    """Let the latest invoice be open: one that is paid is followed by another."""
    invoice = state.tables["invoice"].get(subscription["latest_invoice"] or "")
    if invoice is None or invoice["status"] != "open":
        invoice = stripe_invoices.make(
            state, subscription, "subscription_cycle", period_lines(state, subscription)
        )
        stripe_invoices.finalize(state, invoice)
        invoice.update(attempted=True, attempt_count=1)
        state.emit("invoice.payment_failed", invoice)
    invoice["next_payment_attempt"] = None
