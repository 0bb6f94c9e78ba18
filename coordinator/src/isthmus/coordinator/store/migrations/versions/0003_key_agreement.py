"""Agreement keys of parties, epochs of projects, and what providers send each other for a round's key."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add a column and three tables."""
    op.add_column("parties", sa.Column("agreement_key", sa.LargeBinary(length=32), nullable=True))
    op.create_table(
        "memberships",
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_memberships_project")),
        sa.PrimaryKeyConstraint("project", name=op.f("pk_memberships")),
    )
    for table in ("key_wraps", "key_confirmations"):
        op.create_table(
            table,
            sa.Column("round_id", sa.String(length=60), nullable=False),
            sa.Column("party", sa.String(length=40), nullable=False),
            sa.Column("document", sa.LargeBinary(), nullable=False),
            sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f(f"fk_{table}_party")),
            sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f(f"fk_{table}_round_id")),
            sa.PrimaryKeyConstraint("round_id", "party", name=op.f(f"pk_{table}")),
        )


def downgrade() -> None:
    """Let go of them."""
    for table in ("key_confirmations", "key_wraps", "memberships"):
        op.drop_table(table)
    op.drop_column("parties", "agreement_key")
