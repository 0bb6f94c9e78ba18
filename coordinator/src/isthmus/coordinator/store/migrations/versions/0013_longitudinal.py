"""Longitudinal projects: whose rows are known from earlier rounds, and which rows' IDs a round changed."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; nothing is known of rounds that are there, whose handles do not come back."""
    op.create_table(
        "known_rows",
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_known_rows_project")),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_known_rows_party")),
        sa.PrimaryKeyConstraint("project", "party", name=op.f("pk_known_rows")),
    )
    op.create_table(
        "id_changes",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_id_changes_round_id")),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_id_changes_party")),
        sa.PrimaryKeyConstraint("round_id", "party", name=op.f("pk_id_changes")),
    )
