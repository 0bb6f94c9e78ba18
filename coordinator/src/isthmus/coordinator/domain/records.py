"""The coordinator's stored things as values."""

from dataclasses import dataclass
from datetime import datetime

from isthmus.contract.ids import PartyId, ProjectId, RoundId, TableId
from isthmus.contract.known_answers import KnownAnswer
from isthmus.contract.parties import PartyKind, Role
from isthmus.contract.round_state import RoundState


@dataclass(frozen=True, slots=True, kw_only=True)
class PartyRow:
    """A registered party; its public keys, Ed25519 and X25519, are absent until it enrols with them."""

    id: PartyId
    name: str
    kind: PartyKind
    role: Role
    identity_key: bytes | None
    agreement_key: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """An enrolment token; only the SHA-256 of its secret is kept."""

    digest: bytes
    party: PartyId
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRow:
    """A certificate that this coordinator issued, by the SHA-256 of its public key (SubjectPublicKeyInfo, DER)."""

    key_digest: bytes
    party: PartyId
    expires_at: datetime
    revoked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRow:
    """A project's canonical bytes and their hash."""

    id: ProjectId
    document: bytes
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRow:
    """A round; `manifest` holds canonical bytes."""

    id: RoundId
    project: ProjectId
    state: RoundState
    manifest: bytes
    manifest_hash: bytes
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRow:
    """A provider's signature over a round's manifest."""

    round_id: RoundId
    party: PartyId
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDocumentRow:
    """What a provider sent for the round's key: its signed wraps or its confirmation, canonical bytes, 64 KiB."""

    round_id: RoundId
    party: PartyId
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class PreflightRow:
    """What a provider said before sending: key-check value (16 bytes), profile digest (32 bytes), known answers."""

    round_id: RoundId
    party: PartyId
    key_check: bytes
    profile_digest: bytes
    answers: tuple[KnownAnswer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionRow:
    """A declared submission; `receipt` holds canonical bytes once it is complete."""

    round_id: RoundId
    party: PartyId
    document: bytes
    receipt: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRow:
    """A chunk that is on disk, by the SHA-256 of its payload."""

    round_id: RoundId
    party: PartyId
    index: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """One provider's result: the blob of its rows' pseudonyms, and how many rows have one because they linked."""

    round_id: RoundId
    party: PartyId
    digest: bytes
    rows: int
    slot_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """A released table's bytes, as they leave."""

    id: TableId
    project: ProjectId
    round_id: RoundId
    title: str
    document: bytes
    released_at: datetime
