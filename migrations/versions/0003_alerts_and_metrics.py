"""Alerts that were sent, and operations that were counted.

Revision: 0003, after 0001. Columns are added empty, so that an instance of the release before goes on.
"""

import sqlalchemy as sa
from alembic import op

import rexec.extensions

revision = "0003"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "alerts",
        sa.Column("subject", sa.String(length=32), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("told_at", rexec.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", "level", name=op.f("pk_alerts")),
    )
    op.create_table(
        "metric_totals",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("totals", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metric_totals")),
    )
    with op.batch_alter_table("operations", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("counted_at", rexec.extensions.UtcDateTime(timezone=True), nullable=True)
        )
        batch_op.create_index(
            "ix_operations_uncounted",
            ["state"],
            unique=False,
            sqlite_where=sa.text("counted_at IS NULL"),
            postgresql_where=sa.text("counted_at IS NULL"),
        )


def downgrade():
    with op.batch_alter_table("operations", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_operations_uncounted",
            sqlite_where=sa.text("counted_at IS NULL"),
            postgresql_where=sa.text("counted_at IS NULL"),
        )
        batch_op.drop_column("counted_at")
    op.drop_table("metric_totals")
    op.drop_table("alerts")
