"""Work on payments outside requests: fetch what Stripe says, and look now and then by ourselves."""

from __future__ import annotations

import logging
from datetime import timedelta

from sqlalchemy import exists, or_, select, update

from rexec import jobs
from rexec.accounts.models import User
from rexec.billing import checkout, closing, events, statement, sync
from rexec.billing.entitlement import OVER
from rexec.billing.errors import StripeError
from rexec.billing.gateway import is_on, stripe
from rexec.billing.models import BillingAccount, StripeEvent, Subscription
from rexec.billing.webhooks import subject
from rexec.errors import RexecError
from rexec.extensions import db, settings, utcnow
from rexec.jobs import OperationContext

log = logging.getLogger(__name__)

PATIENCE_S = 900.0
"""How long a fetch waits for Stripe; the next look by ourselves repairs what was missed."""
CLOSING_PATIENCE_S = 7 * 86_400.0
OPEN_EVERY_S = 60
"""How often an open checkout is looked at: its buyer may never come back."""
LIVE_EVERY = timedelta(minutes=5)
LIVE_EVERY_TOLD = timedelta(hours=1)
"""How often a subscription is looked at, where no webhook tells of it and where one does."""
OTHER_EVERY = timedelta(days=1)
AT_ONCE = 50


@jobs.handler(
    "billing.sync", lane="billing", timeout_s=90.0, outage_s=PATIENCE_S, on_failed=events.note_failed
)
def fetch(context: OperationContext) -> None:
    """Fetch a person's subscriptions, then what else their page shows."""
    user_id, gateway = context.subject_id, stripe()
    told = events.stored_for(user_id)
    found = db.session.get(BillingAccount, user_id, populate_existing=True)
    session_id = found.checkout_session_id if found and found.checkout_open else None
    db.session.rollback()
    session = checkout.look(user_id, session_id, gateway) if session_id is not None else None
    if session_id is None or (session is not None and session["status"] == "open"):
        # Otherwise looking at it fetched them.
        sync.refresh(user_id, gateway)
    events.note_done(told)
    try:
        statement.refresh(user_id, gateway)
    except StripeError as error:
        # Nice to have; the next look fetches it.
        log.info("the invoices of account %d are not fetched: %s", user_id, error.code)


@jobs.handler(
    "billing.event", lane="billing", timeout_s=60.0, outage_s=PATIENCE_S, on_failed=events.note_one_failed
)
def find_whose(context: OperationContext) -> None:
    """Find out whose payment is disputed, which the event does not say, and note it."""
    row = db.session.get(StripeEvent, context.subject_id, populate_existing=True)
    if row is None or row.state != "stored" or row.reference is None:
        db.session.rollback()
        return
    row_id, charge = row.id, row.reference
    db.session.rollback()
    customer = stripe().customer_of_charge(charge)
    whose = select(BillingAccount.user_id).where(BillingAccount.customer_id == customer)
    user_id = db.session.scalar(whose) if customer else None
    if user_id is not None:
        mine = BillingAccount.user_id == user_id
        db.session.execute(update(BillingAccount).where(mine).values(disputed_at=utcnow()))
        log.warning("account %d disputes a payment", user_id)
    state = "done" if user_id is not None else "ignored"
    values = {"state": state, "user_id": user_id, "handled_at": utcnow()}
    db.session.execute(update(StripeEvent).where(StripeEvent.id == row_id).values(values))
    db.session.commit()


def _not_ended(user_id: int, error: RexecError) -> None:
    log.error("the subscription of account %d could not be cancelled: %s", user_id, error.code)


@jobs.handler(
    "billing.end", lane="billing", timeout_s=90.0, outage_s=CLOSING_PATIENCE_S, on_failed=_not_ended
)
def end(context: OperationContext) -> None:
    """Cancel what an account that is being deleted pays for."""
    closing.end_payments(context.subject_id, stripe())


@jobs.periodic("billing.look", every_s=OPEN_EVERY_S)
def look() -> None:
    """Queue a fetch where a checkout is open, an event was not followed, or nobody has looked for long."""
    if not is_on():
        return
    now = utcnow()
    told = bool(settings().stripe_webhook_secrets)
    live = exists().where(
        Subscription.user_id == BillingAccount.user_id, Subscription.status.not_in(sorted(OVER))
    )
    waiting = exists().where(
        StripeEvent.user_id == BillingAccount.user_id,
        StripeEvent.state == "stored",
        StripeEvent.received_at < now - timedelta(seconds=OPEN_EVERY_S),
    )
    synced = BillingAccount.synced_at
    due = or_(
        BillingAccount.checkout_open.is_(True),
        waiting,
        live & (synced < now - (LIVE_EVERY_TOLD if told else LIVE_EVERY)),
        synced < now - OTHER_EVERY,
    )
    query = select(BillingAccount.user_id).where(BillingAccount.customer_id.is_not(None), due)
    chosen = list(db.session.scalars(query.order_by(synced.nulls_first()).limit(AT_ONCE)))
    queue(chosen)


def queue(user_ids: list[int]) -> None:
    """Queue a fetch for each of these people. Commits."""
    added = jobs.add_once("billing.sync", *map(subject, user_ids))
    db.session.commit()
    jobs.wake(*added)


@jobs.periodic("billing.lapse", every_s=60)
def lapse() -> None:
    """Take plans back whose payment is overdue for too long, whether or not Stripe can be asked."""
    over = select(User.id).where(User.paid_until <= utcnow()).limit(AT_ONCE)
    lapsed = list(db.session.scalars(over))
    db.session.rollback()
    for user_id in lapsed:
        sync.judge_again(user_id)


@jobs.periodic("billing.prune", every_s=86_400)
def prune() -> None:
    """Forget events that were handled long ago."""
    events.forget_old()
