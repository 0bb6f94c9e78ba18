"""What each provider answered in preflight. Providers who confirmed before have none."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("preflights", sa.Column("answers", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Let go of it."""
    op.drop_column("preflights", "answers")
