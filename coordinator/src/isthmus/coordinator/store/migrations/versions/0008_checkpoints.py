"""Acknowledgements: which end of a project's log each provider said last that it was shown."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; nobody has acknowledged anything yet."""
    op.create_table(
        "acknowledgements",
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_acknowledgements_party")),
        sa.PrimaryKeyConstraint("scope", "party", name=op.f("pk_acknowledgements")),
    )
