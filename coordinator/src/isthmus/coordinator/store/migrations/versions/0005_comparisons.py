"""Field comparison: signatures of submissions, what was asked of two providers, and their answers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables and the column; submissions that are there have no signature."""
    op.add_column("submissions", sa.Column("signature", sa.LargeBinary(length=64), nullable=True))
    op.create_table(
        "comparisons",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("left", sa.String(length=40), nullable=False),
        sa.Column("right", sa.String(length=40), nullable=False),
        sa.Column("pairs", sa.Integer(), nullable=False),
        sa.Column("left_document", sa.LargeBinary(), nullable=False),
        sa.Column("right_document", sa.LargeBinary(), nullable=False),
        sa.Column("left_rows", sa.LargeBinary(length=32), nullable=False),
        sa.Column("right_rows", sa.LargeBinary(length=32), nullable=False),
        sa.Column("candidates", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["left"], ["parties.id"], name=op.f("fk_comparisons_left")),
        sa.ForeignKeyConstraint(["right"], ["parties.id"], name=op.f("fk_comparisons_right")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_comparisons_round_id")),
        sa.PrimaryKeyConstraint("round_id", "left", "right", name=op.f("pk_comparisons")),
    )
    op.create_table(
        "own_pairs",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_own_pairs_round_id")),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_own_pairs")),
    )
    op.create_table(
        "answers",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("other", sa.String(length=40), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["other"], ["parties.id"], name=op.f("fk_answers_other")),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_answers_party")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_answers_round_id")),
        sa.PrimaryKeyConstraint("round_id", "party", "other", name=op.f("pk_answers")),
    )
    op.create_table(
        "answer_chunks",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("other", sa.String(length=40), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("round_id", "party", "other", "index", name=op.f("pk_answer_chunks")),
    )
    op.create_index("ix_answer_chunks_digest", "answer_chunks", ["digest"])
