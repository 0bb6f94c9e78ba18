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
    """A declared submission; `receipt` holds canonical bytes once it is complete.

    `signature` is the party's on the document, 64 bytes; absent where an older version of this program took it in.
    """

    round_id: RoundId
    party: PartyId
    document: bytes
    receipt: bytes | None
    signature: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRow:
    """A chunk that is on disk, by the SHA-256 of its payload."""

    round_id: RoundId
    party: PartyId
    index: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonRow:
    """What was asked of two providers, of which the left one comes first in the project.

    Documents are the requests' canonical bytes; rows and candidates are the blobs of each side's row numbers, and of a
    bit for each pair that says whether it is a candidate.
    """

    round_id: RoundId
    left: PartyId
    right: PartyId
    pairs: int
    left_document: bytes
    right_document: bytes
    left_rows: bytes
    right_rows: bytes
    candidates: bytes

    def sides(self) -> tuple[tuple[PartyId, PartyId], tuple[PartyId, PartyId]]:
        """Give who answers about pairs with whom: the left provider with the right one, and the other way round."""
        return (self.left, self.right), (self.right, self.left)

    def document_of(self, party: PartyId) -> bytes:
        """Give the request to one of the two."""
        return self.left_document if party == self.left else self.right_document

    def rows_of(self, party: PartyId) -> bytes:
        """Give the digest of the blob of one side's row numbers."""
        return self.left_rows if party == self.left else self.right_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswersRow:
    """What a party declared of its answers about pairs with the other, its signature on it, and whether all are in."""

    round_id: RoundId
    party: PartyId
    other: PartyId
    document: bytes
    signature: bytes
    complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerChunkRow:
    """A chunk of answers that is on disk, by the SHA-256 of its payload."""

    round_id: RoundId
    party: PartyId
    other: PartyId
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
class KnownRow:
    """What is known of a provider's rows in a longitudinal project: the blob, and the number of the round it is from.

    Rounds of a project that gave a result count from 1.
    """

    party: PartyId
    number: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseRow:
    """A released table's bytes, as they leave."""

    id: TableId
    project: ProjectId
    round_id: RoundId
    title: str
    document: bytes
    released_at: datetime
