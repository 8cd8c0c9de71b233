"""What is known of payments: a person's customer at Stripe, subscriptions as Stripe has them, its events."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from rexec.extensions import Model, UtcDateTime, utcnow


class BillingAccount(Model):
    """A person as Stripe's customer, the one checkout they may have open, and what pages show of Stripe."""

    __tablename__ = "billing_accounts"
    __table_args__ = (Index("ix_billing_accounts_synced_at", "synced_at"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    customer_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    customer_number: Mapped[int] = mapped_column(default=0)
    """How many customers it had before this one; part of the idempotency key that makes the next."""
    checkout_number: Mapped[int] = mapped_column(default=0)
    """Counts checkouts begun; whoever raised it last may open one, and an older one is closed."""
    checkout_session_id: Mapped[str | None] = mapped_column(String(128))
    checkout_choice: Mapped[str | None] = mapped_column(String(48))
    """What the open checkout buys, as `pro/month`."""
    checkout_open: Mapped[bool] = mapped_column(default=False)
    fetches_begun: Mapped[int] = mapped_column(default=0)
    fetch_stored: Mapped[int] = mapped_column(default=0)
    """The newest fetch whose answer is stored: an answer that was overtaken is thrown away."""
    synced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    invoices: Mapped[list[dict[str, Any]] | None] = mapped_column(JSON)
    upcoming: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    disputed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class Subscription(Model):
    """A subscription as Stripe had it when it was last fetched."""

    __tablename__ = "subscriptions"

    id: Mapped[int] = mapped_column(primary_key=True)
    stripe_id: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    status: Mapped[str] = mapped_column(String(24))
    plan: Mapped[str | None] = mapped_column(String(32))
    """Key of the plan that its price is for; None where the price is none of ours."""
    item_id: Mapped[str | None] = mapped_column(String(64))
    price_id: Mapped[str | None] = mapped_column(String(64))
    interval: Mapped[str | None] = mapped_column(String(8))
    amount: Mapped[int | None]
    """In the smallest unit of the currency."""
    currency: Mapped[str | None] = mapped_column(String(3))
    period_ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When it ends because it was cancelled; None while it renews."""
    overdue_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    begun_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    fetched_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


class StripeEvent(Model):
    """An event that Stripe told of, once; it is only a reason to fetch, not believed."""

    __tablename__ = "stripe_events"
    __table_args__ = (
        Index("ix_stripe_events_state_id", "state", "id"),
        Index("ix_stripe_events_user_id_state", "user_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(128), unique=True)
    kind: Mapped[str] = mapped_column(String(64))
    reference: Mapped[str | None] = mapped_column(String(128))
    """The customer it is about, or the charge where it names no customer."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(String(8), default="stored")
    """stored, done, ignored or failed."""
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    handled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
