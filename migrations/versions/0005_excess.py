"""Containers beyond the plan: which stay, which may not start, and since when they are too many.

Revision: 0005, after 0004. Columns are added with what an instance of the release before would mean.
"""

import sqlalchemy as sa
from alembic import op

import rexec.extensions

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "excesses",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("room", sa.Integer(), nullable=False),
        sa.Column("since", rexec.extensions.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_excesses_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_excesses")),
    )
    with op.batch_alter_table("containers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("keep", sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(
            sa.Column("suspended_at", rexec.extensions.UtcDateTime(timezone=True), nullable=True)
        )


def downgrade():
    with op.batch_alter_table("containers", schema=None) as batch_op:
        batch_op.drop_column("suspended_at")
        batch_op.drop_column("keep")

    op.drop_table("excesses")
