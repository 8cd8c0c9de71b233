"""Customers, subscriptions and events of Stripe, and what they entitle people to.

Revision: 0004, after 0003. Columns are added empty, so that an instance of the release before goes on.
"""

import sqlalchemy as sa
from alembic import op

import rexec.extensions

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "billing_accounts",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.String(length=64), nullable=True),
        sa.Column("customer_number", sa.Integer(), nullable=False),
        sa.Column("checkout_number", sa.Integer(), nullable=False),
        sa.Column("checkout_session_id", sa.String(length=128), nullable=True),
        sa.Column("checkout_choice", sa.String(length=48), nullable=True),
        sa.Column("checkout_open", sa.Boolean(), nullable=False),
        sa.Column("fetches_begun", sa.Integer(), nullable=False),
        sa.Column("fetch_stored", sa.Integer(), nullable=False),
        sa.Column("synced_at", rexec.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.Column("invoices", sa.JSON(), nullable=True),
        sa.Column("upcoming", sa.JSON(), nullable=True),
        sa.Column("disputed_at", rexec.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.Column("created_at", rexec.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_billing_accounts_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_billing_accounts")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_billing_accounts_customer_id")),
    )
    with op.batch_alter_table("billing_accounts", schema=None) as batch_op:
        batch_op.create_index("ix_billing_accounts_synced_at", ["synced_at"], unique=False)

    op.create_table(
        "stripe_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("reference", sa.String(length=128), nullable=True),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("received_at", rexec.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.Column("handled_at", rexec.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_stripe_events_user_id_users"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_events")),
        sa.UniqueConstraint("event_id", name=op.f("uq_stripe_events_event_id")),
    )
    with op.batch_alter_table("stripe_events", schema=None) as batch_op:
        batch_op.create_index("ix_stripe_events_state_id", ["state", "id"], unique=False)
        batch_op.create_index("ix_stripe_events_user_id_state", ["user_id", "state"], unique=False)

    op.create_table(
        "subscriptions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("stripe_id", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(length=24), nullable=False),
        sa.Column("plan", sa.String(length=32), nullable=True),
        sa.Column("item_id", sa.String(length=64), nullable=True),
        sa.Column("price_id", sa.String(length=64), nullable=True),
        sa.Column("interval", sa.String(length=8), nullable=True),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("period_ends_at", rexec.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.Column("ends_at", rexec.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.Column("overdue_since", rexec.extensions.UtcDateTime(timezone=True), nullable=True),
        sa.Column("begun_at", rexec.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.Column("fetched_at", rexec.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_subscriptions_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint("stripe_id", name=op.f("uq_subscriptions_stripe_id")),
    )
    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_subscriptions_user_id"), ["user_id"], unique=False)

    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.add_column(sa.Column("paid_plan", sa.String(length=32), nullable=True))
        batch_op.add_column(
            sa.Column("paid_until", rexec.extensions.UtcDateTime(timezone=True), nullable=True)
        )


def downgrade():
    with op.batch_alter_table("users", schema=None) as batch_op:
        batch_op.drop_column("paid_until")
        batch_op.drop_column("paid_plan")

    with op.batch_alter_table("subscriptions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_subscriptions_user_id"))

    op.drop_table("subscriptions")
    with op.batch_alter_table("stripe_events", schema=None) as batch_op:
        batch_op.drop_index("ix_stripe_events_user_id_state")
        batch_op.drop_index("ix_stripe_events_state_id")

    op.drop_table("stripe_events")
    with op.batch_alter_table("billing_accounts", schema=None) as batch_op:
        batch_op.drop_index("ix_billing_accounts_synced_at")

    op.drop_table("billing_accounts")
