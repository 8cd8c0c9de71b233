"""What can go wrong with payments.

Unavailable
└── StripeError             root of what Stripe's side may do to us
    ├── StripeUnreachable   refused, DNS, timeout, 5xx: trying again helps
    ├── StripeBusy          429: trying again later helps
    ├── StripeKeyRefused    401, 403: the operator has to mend the key
    ├── StripeNotFound      no such object
    └── StripeRefused       any other request that Stripe does not take
            └── StripeExists    an object with this id is there already
Conflict
├── BillingOff              no key is set
├── NothingToManage         no customer, or nothing to change
└── CheckoutOvertaken       another tab began a checkout meanwhile
"""

from __future__ import annotations

from rexec.errors import Conflict, InvalidInput, Unavailable


class StripeError(Unavailable):
    """Root of what Stripe's side may do to us; what people already have is never touched by it.

    Args:
        detail: Stripe's own words for the log; never shown.
    """

    code = "stripe_error"
    message = "The payment service does not do what was asked."
    hint = "Your plan and your containers are not touched. Try again in a minute."

    def __init__(self, detail: str = "", **kwargs: str) -> None:
        super().__init__(**kwargs)
        self.detail = detail


class StripeUnreachable(StripeError):
    """No answer, or a failure of Stripe's own."""

    code = "stripe_unreachable"
    message = "The payment service does not answer."


class StripeBusy(StripeError):
    """Too many requests in too short a time."""

    code = "stripe_busy"
    message = "The payment service is busy."


class StripeKeyRefused(StripeError):
    """The key is revoked, wrong, or may not do what was asked."""

    code = "stripe_key"
    message = "Payments cannot be taken right now."
    hint = "Your plan and your containers are not touched. The operator has to check STRIPE_SECRET_KEY."
    permanent = True


class StripeNotFound(StripeError):
    """Stripe has no such object; somebody deleted it in the dashboard."""

    code = "stripe_not_found"
    message = "The payment service does not know this any more."
    permanent = True


class StripeRefused(StripeError):
    """A request that Stripe does not take, however often it is made."""

    code = "stripe_refused"
    message = "The payment service refused what was asked."
    hint = "Your plan and your containers are not touched. The operator finds Stripe's reason in the log."
    permanent = True


class StripeExists(StripeRefused):
    """There is an object with this id already."""

    code = "stripe_exists"
    message = "The payment service has this already."


class BillingOff(Conflict):
    """The operator takes no payments."""

    code = "billing_off"
    message = "This service takes no payments."
    hint = "Whoever runs it changes plans; ask them."


class NothingToManage(Conflict):
    """Stripe holds nothing of this person."""

    code = "nothing_to_manage"
    message = "There is no subscription to look after."
    hint = "Choose a plan first."


class CheckoutOvertaken(Conflict):
    """Another tab of the same person began a checkout while this one was being made."""

    code = "checkout_overtaken"
    message = "Another checkout was begun in the meantime."
    hint = "Go on there, or choose the plan again here."


class UnknownChoice(InvalidInput):
    """Not a plan that is sold, or not by this interval."""

    code = "unknown_plan"
    message = "Choose one of the plans that are for sale."
