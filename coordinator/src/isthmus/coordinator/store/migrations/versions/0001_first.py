"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table. One statement a table: as long as the schema, and nothing in it to split."""
    op.create_table(
        "chunks",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("round_id", "party", "index", name=op.f("pk_chunks")),
    )
    op.create_table(
        "events",
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "sequence", name=op.f("pk_events")),
    )
    op.create_table(
        "parties",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("identity_key", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parties")),
    )
    op.create_table(
        "projects",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_projects")),
    )
    op.create_table(
        "certificates",
        sa.Column("key_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("expires_at", sa.String(length=20), nullable=False),
        sa.Column("revoked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_certificates_party")),
        sa.PrimaryKeyConstraint("key_digest", name=op.f("pk_certificates")),
    )
    op.create_index(op.f("ix_certificates_party"), "certificates", ["party"], unique=False)
    op.create_table(
        "entities",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_entities_round_id")),
        sa.PrimaryKeyConstraint("round_id", name=op.f("pk_entities")),
    )
    op.create_table(
        "pseudonym_keys",
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("recipient", sa.String(length=40), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_pseudonym_keys_project")),
        sa.ForeignKeyConstraint(["recipient"], ["parties.id"], name=op.f("fk_pseudonym_keys_recipient")),
        sa.PrimaryKeyConstraint("project", "recipient", name=op.f("pk_pseudonym_keys")),
    )
    op.create_table(
        "rounds",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("manifest_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("updated_at", sa.String(length=20), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_rounds_project")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rounds")),
    )
    op.create_index("ix_rounds_position", "rounds", ["position"], unique=False)
    op.create_index(op.f("ix_rounds_project"), "rounds", ["project"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("expires_at", sa.String(length=20), nullable=False),
        sa.Column("used", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_tokens_party")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_tokens")),
    )
    op.create_table(
        "preflights",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("key_check", sa.LargeBinary(length=16), nullable=False),
        sa.Column("profile_digest", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_preflights_party")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_preflights_round_id")),
        sa.PrimaryKeyConstraint("round_id", "party", name=op.f("pk_preflights")),
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.String(length=80), nullable=False),
        sa.Column("project", sa.String(length=40), nullable=False),
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("released_at", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(["project"], ["projects.id"], name=op.f("fk_releases_project")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_releases_round_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
    )
    op.create_index(op.f("ix_releases_project"), "releases", ["project"], unique=False)
    op.create_table(
        "results",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("slot_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_results_party")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_results_round_id")),
        sa.PrimaryKeyConstraint("round_id", "party", name=op.f("pk_results")),
    )
    op.create_table(
        "signatures",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_signatures_party")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_signatures_round_id")),
        sa.PrimaryKeyConstraint("round_id", "party", name=op.f("pk_signatures")),
    )
    op.create_table(
        "submissions",
        sa.Column("round_id", sa.String(length=60), nullable=False),
        sa.Column("party", sa.String(length=40), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("receipt", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["party"], ["parties.id"], name=op.f("fk_submissions_party")),
        sa.ForeignKeyConstraint(["round_id"], ["rounds.id"], name=op.f("fk_submissions_round_id")),
        sa.PrimaryKeyConstraint("round_id", "party", name=op.f("pk_submissions")),
    )
