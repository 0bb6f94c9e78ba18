"""Rows that providers struck out of a round."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; what is there stays as it is."""
    op.create_table(
        "tombstones",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("handle", sa.LargeBinary(length=16), nullable=False),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_tombstones_party")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_tombstones_round_id")),
        sa.PrimaryKeyConstraint("round_id", "party", "handle", name=op.f("pk_tombstones")),
    )
