"""Quality reports: how good the links of a round are, as members and analysts may read it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table; rounds that are there have no report."""
    op.create_table(
        "quality_reports",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_quality_reports_round_id")),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_quality_reports")),
    )
