"""Agreements, what parties decided about their versions, and withdrawals."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables; what is there stays as it is."""
    op.create_table(
        "agreements",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("agreement", sa.String(length=40), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_agreements")),
    )
    op.create_index(op.f("ix_agreements_agreement"), "agreements", ["agreement"])
    op.create_table(
        "agreement_decisions",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("at", sa.String(length=20), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=True),
        sa.Column("declined", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["digest"], ["agreements.digest"], name=op.f("fk_agreement_decisions_digest")),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_agreement_decisions_party")),
        sa.PrimaryKeyConstraint("digest", "party", name=op.f("pk_agreement_decisions")),
    )
    op.create_table(
        "agreement_withdrawals",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.ForeignKeyConstraint(["digest"], ["agreements.digest"], name=op.f("fk_agreement_withdrawals_digest")),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_agreement_withdrawals_party")),
        sa.PrimaryKeyConstraint("digest", "party", name=op.f("pk_agreement_withdrawals")),
    )
