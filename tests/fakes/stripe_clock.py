"""What time does: periods end, retries fall due, trials and sessions run out.

As with https://docs.stripe.com/billing/testing/test-clocks, everything on the way happens in its order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tests.fakes import stripe_invoices as invoices
from tests.fakes import stripe_lifecycle as lifecycle
from tests.fakes.stripe_checkout import expire
from tests.fakes.stripe_lifecycle import updating
from tests.fakes.stripe_lines import period_lines
from tests.fakes.stripe_plan_changes import make_scheduled
from tests.fakes.stripe_state import State

Due = tuple[int, Callable[[], None]]
INCOMPLETE_S = 23 * 3600
"""How long the first payment may take."""
RUNNING = frozenset({"active", "trialing", "past_due", "unpaid"})


def advance(state: State, seconds: int) -> None:
    """Let the account's clock run ahead."""
    target = state.now() + seconds
    while due := [each for each in _due(state) if each[0] <= target]:
        moment, happen = min(due, key=lambda each: each[0])
        state.offset += max(0, moment - state.now())
        happen()
    state.offset += max(0, target - state.now())


def _due(state: State) -> Iterator[Due]:
    for session in state.all("checkout.session"):
        if session["status"] == "open":
            yield session["expires_at"], partial(expire, state, session)
    for subscription in state.all("subscription"):
        yield from _of_subscription(state, subscription)


def _of_subscription(state: State, subscription: dict) -> Iterator[Due]:
    if subscription["status"] == "incomplete":
        yield subscription["created"] + INCOMPLETE_S, partial(_expire_incomplete, state, subscription)
    if subscription["status"] not in RUNNING:
        return
    if subscription["cancel_at"] is not None:
        yield subscription["cancel_at"], partial(lifecycle.cancel, state, subscription)
    yield lifecycle.period_end(subscription), partial(renew, state, subscription)
    resumes = (subscription["pause_collection"] or {}).get("resumes_at")
    if resumes:
        yield resumes, partial(_collect_again, state, subscription)
    invoice = state.tables["invoice"].get(subscription["latest_invoice"] or "")
    if invoice and invoice["status"] == "open" and invoice["next_payment_attempt"]:
        yield invoice["next_payment_attempt"], partial(lifecycle.retry, state, subscription, invoice)


def _expire_incomplete(state: State, subscription: dict) -> None:
    with updating(state, subscription):
        subscription.update(status="incomplete_expired", ended_at=state.now())
    invoice = state.get("invoice", subscription["latest_invoice"])
    if invoice["status"] == "open":
        invoices.close(state, invoice, "void")


def _collect_again(state: State, subscription: dict) -> None:
    with updating(state, subscription):
        subscription["pause_collection"] = None


def renew(state: State, subscription: dict) -> None:
    """Begin the next period; https://docs.stripe.com/billing/invoices/subscription."""
    if subscription["cancel_at_period_end"]:
        lifecycle.cancel(state, subscription)
        return
    with updating(state, subscription):
        end = lifecycle.period_end(subscription)
        make_scheduled(state, subscription)
        lifecycle.set_period(state, subscription, end)
        if subscription["status"] == "trialing":
            subscription["status"] = "active"
        lines = subscription["_pending"] + period_lines(state, subscription)
        subscription.update(_pending=[], _retries=0)
        invoice = invoices.make(state, subscription, "subscription_cycle", lines)
    _collect(state, subscription, invoice)


def _collect(state: State, subscription: dict, invoice: dict) -> None:
    behavior = (subscription["pause_collection"] or {}).get("behavior")
    if behavior == "keep_as_draft" or subscription["status"] == "unpaid":
        # Nothing is collected until somebody decides to.
        invoice["auto_advance"] = False
        return
    invoices.finalize(state, invoice)
    if behavior is None:
        lifecycle.collect(state, subscription, invoice)
    else:
        invoices.close(state, invoice, {"void": "void", "mark_uncollectible": "uncollectible"}[behavior])
