"""Coming back from Stripe: what was bought is fetched and applied before the page is shown."""

from __future__ import annotations

from rexec import jobs
from rexec.accounts.models import User
from rexec.billing import checkout, service, sync
from rexec.billing.gateway import StripeGateway
from rexec.billing.webhooks import subject
from rexec.errors import NotFound
from rexec.extensions import db

UNFINISHED = "The checkout is not finished: nothing was charged. Choose the plan again to go on."


def come_back(user_id: int, session_id: str | None, gateway: StripeGateway) -> str:
    """Apply what a person bought or changed. Commits.

    Safe to be opened twice, and by a stranger: a checkout that is not this person's last one does not exist.

    Args:
        user_id: Who comes back.
        session_id: Of the checkout, from its address; None when they come from the portal.
        gateway: Stripe.

    Returns:
        One sentence to show.

    Raises:
        NotFound: It is not their checkout.
        StripeError: Stripe could not be asked; see `look_later`.
    """
    if session_id is None:
        sync.refresh(user_id, gateway)
        look_later(user_id)
        return _plan_words(user_id)
    account = checkout.account_of(user_id)
    if account.checkout_session_id != session_id:
        raise NotFound
    if account.checkout_open:
        session = checkout.look(user_id, session_id, gateway)
        if session is not None and session["status"] == "open":
            return UNFINISHED
        # Invoices and what else the page shows.
        look_later(user_id)
    return _plan_words(user_id)


def look_later(user_id: int) -> None:
    """Have a job fetch what Stripe says of a person. Commits."""
    added = jobs.add_once("billing.sync", subject(user_id))
    db.session.commit()
    jobs.wake(*added)


def _plan_words(user_id: int) -> str:
    user = db.session.get(User, user_id, populate_existing=True)
    plan = service.plan_of(user) if user else None
    return f"Your plan is {plan.name}." if plan else "You have no plan."
