"""What Stripe tells of by itself: verified, stored once, and taken as a reason to fetch.

Source: https://docs.stripe.com/webhooks (signatures, tolerance, retries), https://docs.stripe.com/api/events/types
"""

from __future__ import annotations

import importlib
import json
import logging
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import select

from rexec import jobs
from rexec.billing.models import BillingAccount, StripeEvent
from rexec.errors import NotFound, RexecError
from rexec.extensions import db, utcnow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rexec.jobs.models import Operation

log = logging.getLogger(__name__)

TOLERANCE_S = 300
KINDS = frozenset(
    (
        "checkout.session.completed",
        "checkout.session.expired",
        *(f"customer.subscription.{what}" for what in ("created", "updated", "deleted", "paused", "resumed")),
        *("invoice.paid", "invoice.payment_failed", "invoice.payment_action_required"),
        *("customer.deleted", "charge.dispute.created"),
    )
)
"""Events that are a reason to fetch; others are answered and forgotten."""


class BadWebhook(RexecError):
    """Not from Stripe, too old, or not an event at all."""

    code = "bad_webhook"
    message = "This is not a signed event of Stripe's."


def receive(payload: bytes, signature: str | None, secrets: Sequence[str], *, is_live: bool) -> str:
    """Take an event: store it and queue the fetch, once however often it comes. Commits.

    Args:
        payload: The body as it came.
        signature: The header `Stripe-Signature`.
        secrets: Any of which may have signed it; more than one while a secret is replaced.
        is_live: Whether our key is for real money.

    Returns:
        One word for the answer: stored, again, ignored.

    Raises:
        NotFound: No secret is set, so no webhook is expected.
        BadWebhook: The signature is missing, wrong or too old, or the body is no event.
    """
    if not secrets:
        raise NotFound
    _verify(payload, signature, secrets)
    try:
        event = json.loads(payload)
        event_id, kind, thing = str(event["id"]), str(event["type"]), event["data"]["object"]
    except (ValueError, KeyError, TypeError) as error:
        raise BadWebhook from error
    if kind not in KINDS:
        return "ignored"
    foreign = bool(event.get("livemode")) != is_live
    return _take(event_id, kind, _reference(kind, thing), foreign=foreign)


def _verify(payload: bytes, signature: str | None, secrets: Sequence[str]) -> None:
    from stripe import SignatureVerificationError, WebhookSignature

    for secret in secrets:
        try:
            WebhookSignature.verify_header(payload, signature, secret, TOLERANCE_S)
        except (SignatureVerificationError, UnicodeDecodeError):
            continue
        return
    raise BadWebhook


def _reference(kind: str, thing: dict[str, Any]) -> str | None:
    """The customer an event is about, or the charge where it names none."""
    if kind == "customer.deleted":
        found = thing.get("id")
    elif kind == "charge.dispute.created":
        found = thing.get("charge")
    else:
        found = thing.get("customer")
    found = found.get("id") if isinstance(found, dict) else found
    return str(found)[:128] if found else None


def _take(event_id: str, kind: str, reference: str | None, *, foreign: bool) -> str:
    user_id = None
    if not foreign and reference:
        user_id = db.session.scalar(
            select(BillingAccount.user_id).where(BillingAccount.customer_id == reference)
        )
    ask_whose = not foreign and user_id is None and kind == "charge.dispute.created" and reference
    state = "stored" if user_id is not None or ask_whose else "ignored"
    stored = _insert(event_id, kind, reference, user_id, state)
    if stored is None:
        db.session.rollback()
        return "again"
    added = follow(stored, user_id) if state == "stored" else []
    db.session.commit()
    jobs.wake(*added)
    if foreign:
        log.warning("event %s is of the other mode than STRIPE_SECRET_KEY: ignored", event_id)
    return state


def subject(user_id: int) -> str:
    """What operations on a person's payments are filed under."""
    return f"billing:{user_id}"


def follow(event_row: int, user_id: int | None) -> list[Operation]:
    """Queue, in the caller's transaction, what an event is a reason for.

    Args:
        event_row: The row's id.
        user_id: Whom it is about; None where that has to be found out.

    Returns:
        What to wake after the commit.
    """
    if user_id is not None:
        return jobs.add_once("billing.sync", subject(user_id))
    return jobs.add_once("billing.event", f"stripe-event:{event_row}")


def _insert(event_id: str, kind: str, reference: str | None, user_id: int | None, state: str) -> int | None:
    """The id of the new row; None where the event is stored already."""
    dialect = importlib.import_module(f"sqlalchemy.dialects.{db.engine.dialect.name}")
    statement = (
        dialect.insert(StripeEvent)
        .values(
            event_id=event_id[:128],
            kind=kind,
            reference=reference,
            user_id=user_id,
            state=state,
            received_at=utcnow(),
        )
        .on_conflict_do_nothing(index_elements=[StripeEvent.event_id])
        .returning(StripeEvent.id)
    )
    return cast("int | None", db.session.scalar(statement))
