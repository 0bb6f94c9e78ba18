"""The SQL schema as SQLAlchemy Core tables. Times are UTC text as in documents, so that all databases compare alike."""

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(column_0_label)s",
    }
)

parties = Table(
    "parties",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("role", String(20), nullable=False),
    Column("identity_key", LargeBinary(32)),
    Column("agreement_key", LargeBinary(32)),
)

tokens = Table(
    "tokens",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("expires_at", String(20), nullable=False),
    Column("used", Boolean, nullable=False),
)

certificates = Table(
    "certificates",
    metadata,
    Column("key_digest", LargeBinary(32), primary_key=True),
    Column("party", ForeignKey("parties.id"), nullable=False, index=True),
    Column("expires_at", String(20), nullable=False),
    Column("revoked", Boolean, nullable=False),
)

projects = Table(
    "projects",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("document", LargeBinary, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
)

rounds = Table(
    "rounds",
    metadata,
    Column("id", String(60), primary_key=True),
    Column("project", ForeignKey("projects.id"), nullable=False, index=True),
    Column("state", String(20), nullable=False),
    Column("manifest", LargeBinary, nullable=False),
    Column("manifest_hash", LargeBinary(32), nullable=False),
    Column("updated_at", String(20), nullable=False),
    Column("position", Integer, nullable=False),
)

agreements = Table(
    "agreements",
    metadata,
    Column("digest", LargeBinary(32), primary_key=True),
    Column("agreement", String(40), nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("state", String(20), nullable=False),
    Column("position", Integer, nullable=False),
)

agreement_decisions = Table(
    "agreement_decisions",
    metadata,
    Column("digest", ForeignKey("agreements.digest"), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("at", String(20), nullable=False),
    Column("signature", LargeBinary(64)),
    Column("declined", Text),
    PrimaryKeyConstraint("digest", "party"),
)

agreement_withdrawals = Table(
    "agreement_withdrawals",
    metadata,
    Column("digest", ForeignKey("agreements.digest"), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    PrimaryKeyConstraint("digest", "party"),
)

signatures = Table(
    "signatures",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    PrimaryKeyConstraint("round_id", "party"),
)

preflights = Table(
    "preflights",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("key_check", LargeBinary(16), nullable=False),
    Column("profile_digest", LargeBinary(32), nullable=False),
    Column("answers", Text, nullable=False, server_default=""),
    PrimaryKeyConstraint("round_id", "party"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("project", ForeignKey("projects.id"), primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

key_wraps = Table(
    "key_wraps",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("round_id", "party"),
)

key_confirmations = Table(
    "key_confirmations",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("round_id", "party"),
)

submissions = Table(
    "submissions",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("receipt", LargeBinary),
    Column("signature", LargeBinary(64)),
    PrimaryKeyConstraint("round_id", "party"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("round_id", String(60), nullable=False),
    Column("party", String(40), nullable=False),
    Column("index", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("round_id", "party", "index"),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("handle", LargeBinary(16), nullable=False),
    PrimaryKeyConstraint("round_id", "party", "handle"),
)

comparisons = Table(
    "comparisons",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("left", ForeignKey("parties.id"), nullable=False),
    Column("right", ForeignKey("parties.id"), nullable=False),
    Column("pairs", Integer, nullable=False),
    Column("left_document", LargeBinary, nullable=False),
    Column("right_document", LargeBinary, nullable=False),
    Column("left_rows", LargeBinary(32), nullable=False),
    Column("right_rows", LargeBinary(32), nullable=False),
    Column("candidates", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("round_id", "left", "right"),
)

own_pairs = Table(
    "own_pairs",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("other", ForeignKey("parties.id"), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("signature", LargeBinary(64), nullable=False),
    Column("complete", Boolean, nullable=False),
    PrimaryKeyConstraint("round_id", "party", "other"),
)

answer_chunks = Table(
    "answer_chunks",
    metadata,
    Column("round_id", String(60), nullable=False),
    Column("party", String(40), nullable=False),
    Column("other", String(40), nullable=False),
    Column("index", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False, index=True),
    PrimaryKeyConstraint("round_id", "party", "other", "index"),
)

results = Table(
    "results",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("slot_count", Integer, nullable=False),
    PrimaryKeyConstraint("round_id", "party"),
)

entities = Table(
    "entities",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
)

known_rows = Table(
    "known_rows",
    metadata,
    Column("project", ForeignKey("projects.id"), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("project", "party"),
)

id_changes = Table(
    "id_changes",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("round_id", "party"),
)

quality_reports = Table(
    "quality_reports",
    metadata,
    Column("round_id", ForeignKey("rounds.id"), primary_key=True),
    Column("document", LargeBinary, nullable=False),
)

pseudonym_keys = Table(
    "pseudonym_keys",
    metadata,
    Column("project", ForeignKey("projects.id"), nullable=False),
    Column("recipient", ForeignKey("parties.id"), nullable=False),
    Column("key", LargeBinary(32), nullable=False),
    PrimaryKeyConstraint("project", "recipient"),
)

releases = Table(
    "releases",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("project", ForeignKey("projects.id"), nullable=False, index=True),
    Column("round_id", ForeignKey("rounds.id"), nullable=False),
    Column("title", String(200), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("released_at", String(20), nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("scope", String(40), nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("hash", LargeBinary(32), nullable=False),
    Column("document", LargeBinary, nullable=False),
    PrimaryKeyConstraint("scope", "sequence"),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("scope", String(40), nullable=False),
    Column("party", ForeignKey("parties.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    PrimaryKeyConstraint("scope", "party"),
)

Index("ix_rounds_position", rounds.c.position)
