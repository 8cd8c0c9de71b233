"""What somebody does in Stripe's dashboard, or what the world does, as commands of a test."""

from __future__ import annotations

from tests.fakes import stripe_checkout as checkout
from tests.fakes import stripe_clock, stripe_invoices
from tests.fakes import stripe_lifecycle as lifecycle
from tests.fakes import stripe_payments as payments
from tests.fakes.stripe_customers import delete_customer
from tests.fakes.stripe_lists import matching
from tests.fakes.stripe_plan_changes import Change, change_later, change_now
from tests.fakes.stripe_portal import create_configuration
from tests.fakes.stripe_state import State
from tests.fakes.stripe_statuses import TRIAL_DAYS, put_status
from tests.fakes.stripe_subscriptions import cancel_at_period_end, items_for

GOOD_CARD = "4242424242424242"


class Dashboard:
    """Commands; each makes the events that Stripe would. All hand back objects as they go over the wire."""

    state: State

    def object(self, name: str) -> dict:
        """Any object by id, as it is now."""
        with self.state.lock:
            found = self.state.find(name)
            if found is None:
                raise KeyError(name)
            return self.state.view(found)

    def advance(self, seconds: int) -> None:
        """Let the account's clock run ahead; everything due on the way happens."""
        with self.state.change():
            stripe_clock.advance(self.state, seconds)

    def pay_checkout(self, session_id: str, card: str = GOOD_CARD, email: str = "buyer@example.com") -> dict:
        """Pay for a checkout session without a browser.

        Raises:
            ApiError: The card was refused, or the session is not open.
        """
        with self.state.change():
            session = self.state.get("checkout.session", session_id)
            checkout.complete(self.state, session, card, email)
            return self.state.view(session)

    def expire_checkout(self, session_id: str) -> dict:
        """Let a checkout session expire now."""
        with self.state.change():
            session = self.state.get("checkout.session", session_id)
            checkout.expire(self.state, session)
            return self.state.view(session)

    def create_subscription(
        self,
        customer_id: str,
        price_id: str,
        *,
        status: str = "active",
        card: str = GOOD_CARD,
        **values: object,
    ) -> dict:
        """Give a customer a subscription, paid by a new card.

        Args:
            customer_id: Whose.
            price_id: Of a recurring price.
            status: What it is in the end.
            card: Its number.
            values: Further fields, such as `metadata`.
        """
        with self.state.change():
            customer = self.state.living("customer", customer_id)
            subscription = lifecycle.blank(self.state, customer, "")
            items_for(self.state, subscription, [{"price": price_id}], "items")
            method = payments.save_card(self.state, customer, card)
            subscription.update(default_payment_method=method["id"], **values)
            later = self.state.failing.pop(method["id"], None)
            trial_end = self.state.now() + TRIAL_DAYS * payments.DAY if status == "trialing" else None
            collect = not status.startswith("incomplete")
            lifecycle.start(self.state, subscription, trial_end=trial_end, collect=collect)
            if later:
                self.state.failing[method["id"]] = later
            put_status(self.state, subscription, status)
            return self.state.view(subscription)

    def set_status(self, subscription_id: str, status: str) -> dict:
        """Put a subscription into any status, with the fields and events that belong to it."""
        with self.state.change():
            subscription = self.state.get("subscription", subscription_id)
            put_status(self.state, subscription, status)
            return self.state.view(subscription)

    def lapse(self, subscription_id: str) -> dict:
        """Let the next payment fail, and all its retries, until the subscription is unpaid."""
        with self.state.change():
            subscription = self.state.get("subscription", subscription_id)
            self._fail(subscription["customer"], "generic_decline")
            if subscription["status"] not in {"past_due", "unpaid"}:
                stripe_clock.advance(
                    self.state, max(0, lifecycle.period_end(subscription) - self.state.now())
                )
            if subscription["status"] == "past_due":
                put_status(self.state, subscription, "unpaid")
            return self.state.view(subscription)

    def renew(self, subscription_id: str) -> dict:
        """Advance the clock to the end of the subscription's period, and over it."""
        with self.state.change():
            subscription = self.state.get("subscription", subscription_id)
            ahead = lifecycle.period_end(subscription) - self.state.now()
            stripe_clock.advance(self.state, max(0, ahead))
            return self.state.view(subscription)

    def cancel_subscription(self, subscription_id: str, *, at_period_end: bool = False) -> dict:
        """Cancel at once, or when the period ends."""
        with self.state.change():
            subscription = self.state.get("subscription", subscription_id)
            if at_period_end:
                with lifecycle.updating(self.state, subscription):
                    cancel_at_period_end(self.state, subscription, wanted=True)
            elif subscription["status"] not in lifecycle.OVER:
                lifecycle.cancel(self.state, subscription)
            return self.state.view(subscription)

    def pause_subscription(self, subscription_id: str) -> dict:
        """Pause: status `paused`."""
        with self.state.change():
            subscription = self.state.get("subscription", subscription_id)
            lifecycle.pause(self.state, subscription)
            return self.state.view(subscription)

    def resume_subscription(self, subscription_id: str) -> dict:
        """Resume a paused one."""
        with self.state.change():
            subscription = self.state.get("subscription", subscription_id)
            lifecycle.resume(self.state, subscription)
            return self.state.view(subscription)

    def change_price(
        self,
        subscription_id: str,
        price_id: str,
        *,
        proration_behavior: str = "create_prorations",
        at_period_end: bool = False,
    ) -> dict:
        """Change the plan now, or by a schedule when the period ends."""
        with self.state.change():
            subscription = self.state.get("subscription", subscription_id)
            item = subscription["items"]["data"][0]
            price = self.state.get("price", price_id)
            change = Change(item, price, item["quantity"], proration_behavior)
            (change_later if at_period_end else change_now)(self.state, subscription, change)
            return self.state.view(subscription)

    def delete_customer(self, customer_id: str) -> dict:
        """Delete a customer, whose subscriptions end at once."""
        with self.state.change():
            return delete_customer(self.state, {}, customer_id)

    def fail_card(self, customer_id: str, *, action_required: bool = False) -> None:
        """Let all charges of a customer's cards fail from now on, or ask for authentication."""
        with self.state.change():
            self._fail(customer_id, payments.AUTHENTICATE if action_required else "generic_decline")

    def _fail(self, customer_id: str, why: str) -> None:
        for method in matching(self.state.all("payment_method"), customer=customer_id):
            self.state.failing[method["id"]] = why

    def mend_card(self, customer_id: str) -> None:
        """Let them work again; nothing is charged by this."""
        with self.state.change():
            for method in matching(self.state.all("payment_method"), customer=customer_id):
                self.state.failing.pop(method["id"], None)

    def pay_invoice(self, invoice_id: str) -> bool:
        """Charge an open invoice, and say whether it is paid."""
        with self.state.change():
            return stripe_invoices.pay(self.state, self.state.get("invoice", invoice_id))

    def dispute(self, customer_id: str) -> dict:
        """Dispute the customer's last charge that succeeded."""
        with self.state.change():
            charges = matching(self.state.all("charge"), customer=customer_id, status="succeeded")
            return self.state.view(payments.dispute(self.state, charges[-1]))

    def create_default_configuration(self, features: dict | None = None) -> dict:
        """Save the portal's settings in the dashboard, which makes the default configuration."""
        every = {
            "invoice_history": {"enabled": True},
            "payment_method_update": {"enabled": True},
            "subscription_cancel": {"enabled": True},
        }
        with self.state.change():
            made = create_configuration(self.state, {"features": every if features is None else features})
            self.state.get("billing_portal.configuration", made["id"])["is_default"] = True
            return self.state.view(self.state.get("billing_portal.configuration", made["id"]))
