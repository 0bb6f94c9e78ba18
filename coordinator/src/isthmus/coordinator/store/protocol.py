"""What the actions need of a store. tests/contract/store holds every implementation to it."""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from isthmus.contract.audit_log import Head
from isthmus.contract.ids import PartyId, ProjectId, RoundId, TableId
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.records import (
    AnswerChunkRow,
    AnswersRow,
    CertificateRow,
    ChunkRow,
    ComparisonRow,
    KeyDocumentRow,
    PartyRow,
    PreflightRow,
    ProjectRow,
    ReleaseRow,
    ResultRow,
    RoundRow,
    SignatureRow,
    SubmissionRow,
    TokenRow,
)
from isthmus.coordinator.store.agreements import AgreementTable
from isthmus.coordinator.store.carried import CarriedTable


class PartyTable(Protocol):
    """Parties, their tokens and their certificates."""

    def add(self, party: PartyRow, *, audit: AuditEvent) -> None:
        """Register a party; raise `AlreadyExists` where the id is taken."""
        ...

    def get(self, party: PartyId) -> PartyRow:
        """Give the party; raise `NotFound`."""
        ...

    def all(self) -> Sequence[PartyRow]:
        """Give all parties by id."""
        ...

    def add_token(self, token: TokenRow, *, audit: AuditEvent) -> None:
        """Keep a token's digest; every older token of the party stops being valid."""
        ...

    def use_token(self, digest: bytes, *, now: datetime, audit: AuditEvent) -> PartyId:
        """Use a token up and give its party; raise `EnrolmentTokenInvalid` where it is unknown, used or expired."""
        ...

    def token_party(self, digest: bytes, *, now: datetime) -> PartyId:
        """Give the party of a token that could be used now; raises as `use_token`."""
        ...

    def set_identity_key(self, party: PartyId, key: bytes, *, audit: AuditEvent) -> None:
        """Pin the party's identity key; raise `StateChanged` where another one is pinned."""
        ...

    def set_agreement_key(self, party: PartyId, key: bytes, *, audit: AuditEvent) -> None:
        """Keep the party's agreement key, in place of another one if there is; the same again changes nothing."""
        ...

    def add_certificate(self, certificate: CertificateRow, *, audit: AuditEvent) -> None:
        """Keep what was issued; raise `AlreadyExists` where the key was certified before, for whichever party."""
        ...

    def certificate(self, key_digest: bytes) -> CertificateRow:
        """Give the certificate of that key; raise `CertificateUnknown`."""
        ...

    def revoke_certificates(self, party: PartyId, *, audit: AuditEvent) -> int:
        """Withdraw all certificates of the party that are not withdrawn yet; give how many."""
        ...


class RoundTable(Protocol):
    """Projects, rounds, signatures and preflights."""

    def add_project(self, project: ProjectRow, *, audit: AuditEvent) -> None:
        """Keep a project; the same content again changes nothing; raise `AlreadyExists` for other content."""
        ...

    def project(self, project: ProjectId) -> ProjectRow:
        """Give the project; raise `NotFound`."""
        ...

    def projects(self) -> Sequence[ProjectRow]:
        """Give all projects by id."""
        ...

    def add(self, round_: RoundRow, *, audit: AuditEvent) -> None:
        """Keep a new round."""
        ...

    def get(self, round_id: RoundId) -> RoundRow:
        """Give the round; raise `NotFound`."""
        ...

    def all(self) -> Sequence[RoundRow]:
        """Give all rounds, the latest change first."""
        ...

    def advance(self, round_id: RoundId, *, expect: RoundState, to: RoundState, audit: AuditEvent) -> None:
        """Change the state if it still is `expect`; raise `StateChanged` otherwise."""
        ...

    def sign(self, signature: SignatureRow, *, audit: AuditEvent) -> None:
        """Keep a provider's signature; again changes nothing."""
        ...

    def signatures(self, round_id: RoundId) -> Sequence[SignatureRow]:
        """Give the signatures on a round by party."""
        ...

    def set_preflight(self, preflight: PreflightRow, *, audit: AuditEvent) -> None:
        """Keep what a provider confirmed, in place of what it confirmed before."""
        ...

    def drop_preflight(self, round_id: RoundId, party: PartyId, *, audit: AuditEvent) -> None:
        """Forget what a provider confirmed, so that it has to confirm again."""
        ...

    def preflights(self, round_id: RoundId) -> Sequence[PreflightRow]:
        """Give what was confirmed for a round by party."""
        ...


class KeyTable(Protocol):
    """Epochs of projects, and what the providers of a round send each other for its key."""

    def membership(self, project: ProjectId) -> bytes | None:
        """Give the project's last membership, canonical bytes, if a round was ever proposed."""
        ...

    def set_membership(self, project: ProjectId, document: bytes, *, audit: AuditEvent) -> None:
        """Keep a membership in place of the one before."""
        ...

    def add_wraps(self, wraps: KeyDocumentRow, *, audit: AuditEvent) -> None:
        """Keep a provider's wraps; the same again changes nothing; raise `SubmissionConflict` for others."""
        ...

    def wraps(self, round_id: RoundId) -> Sequence[KeyDocumentRow]:
        """Give the wraps of a round by party."""
        ...

    def add_confirmation(self, confirmation: KeyDocumentRow, *, audit: AuditEvent) -> None:
        """Keep a provider's confirmation; the same again changes nothing; raise `SubmissionConflict` for another."""
        ...

    def confirmations(self, round_id: RoundId) -> Sequence[KeyDocumentRow]:
        """Give the confirmations of a round by party."""
        ...


class SubmissionTable(Protocol):
    """Submissions and their chunks."""

    def open(self, submission: SubmissionRow, *, audit: AuditEvent) -> None:
        """Keep a declared submission; raise `AlreadyExists` where the party has one in this round."""
        ...

    def find(self, round_id: RoundId, party: PartyId) -> SubmissionRow | None:
        """Give the party's submission in the round, if there is one."""
        ...

    def of_round(self, round_id: RoundId) -> Sequence[SubmissionRow]:
        """Give all submissions of a round by party."""
        ...

    def add_chunk(self, chunk: ChunkRow) -> None:
        """Record a chunk that is on disk; the same again changes nothing; raise `SubmissionConflict` for another.

        Takes no audit event: a submission has thousands of chunks and is audited when it is opened and completed.
        """
        ...

    def chunk_digest(self, round_id: RoundId, party: PartyId, index: int) -> bytes | None:
        """Give the digest of the chunk that is stored at a place, if there is one."""
        ...

    def chunks(self, round_id: RoundId, party: PartyId) -> Sequence[ChunkRow]:
        """Give the stored chunks by index."""
        ...

    def complete(self, round_id: RoundId, party: PartyId, *, receipt: bytes, audit: AuditEvent) -> None:
        """Close a submission with its receipt; raise `StateChanged` where it is closed already."""
        ...

    def discard(self, round_id: RoundId, party: PartyId, *, audit: AuditEvent) -> Sequence[ChunkRow]:
        """Forget a submission that is not closed, and its chunks; give those chunks whose blobs may go.

        These are the chunks whose content no other chunk has. Raise `StateChanged` where there is no open submission.
        """
        ...


class TombstoneTable(Protocol):
    """Rows that were struck out of a round after they were sent."""

    def add(self, round_id: RoundId, party: PartyId, handles: Collection[bytes], *, audit: AuditEvent) -> None:
        """Strike rows out; those struck out before change nothing, and where all were, nothing is recorded."""
        ...

    def of(self, round_id: RoundId, party: PartyId) -> frozenset[bytes]:
        """Give the handles of the party's rows that are struck out."""
        ...


class ComparisonTable(Protocol):
    """What was asked of providers about candidate pairs."""

    def add(self, comparison: ComparisonRow, *, audit: AuditEvent) -> None:
        """Keep what was asked of two providers; raise `AlreadyExists` where the round has that already."""
        ...

    def of_round(self, round_id: RoundId) -> Sequence[ComparisonRow]:
        """Give all of a round by left and right."""
        ...

    def set_own_pairs(self, round_id: RoundId, digest: bytes, *, audit: AuditEvent) -> None:
        """Keep the blob of pairs inside data sets that repeat people; raise `AlreadyExists` where there is one."""
        ...

    def own_pairs(self, round_id: RoundId) -> bytes | None:
        """Give the digest of that blob, if there is one."""
        ...


class AnswerTable(Protocol):
    """Answers of providers, and their chunks."""

    def open(self, answers: AnswersRow, *, audit: AuditEvent) -> None:
        """Keep a declaration; raise `AlreadyExists` where the party has one about the other in this round."""
        ...

    def find(self, round_id: RoundId, party: PartyId, other: PartyId) -> AnswersRow | None:
        """Give what the party declared about its pairs with the other, if it did."""
        ...

    def of_round(self, round_id: RoundId) -> Sequence[AnswersRow]:
        """Give all declarations of a round by party and other."""
        ...

    def add_chunk(self, chunk: AnswerChunkRow) -> None:
        """Record a chunk that is on disk; the same again changes nothing; raise `SubmissionConflict` for another.

        Takes no audit event, as with chunks of submissions.
        """
        ...

    def chunks(self, round_id: RoundId, party: PartyId, other: PartyId) -> Sequence[AnswerChunkRow]:
        """Give the stored chunks by index."""
        ...

    def chunk_count(self, round_id: RoundId, party: PartyId, other: PartyId) -> int:
        """Give how many chunks are stored."""
        ...

    def complete(self, round_id: RoundId, party: PartyId, other: PartyId, *, audit: AuditEvent) -> None:
        """Close answers; raise `StateChanged` where there are none that are open."""
        ...

    def discard(
        self, round_id: RoundId, party: PartyId, other: PartyId, *, audit: AuditEvent
    ) -> Sequence[AnswerChunkRow]:
        """Forget answers that are not closed, and give their chunks; raise `StateChanged` where there are none."""
        ...


class ResultTable(Protocol):
    """Pseudonym maps, released tables and quality reports."""

    def add(self, result: ResultRow, *, audit: AuditEvent) -> None:
        """Keep a provider's result; raise `AlreadyExists` where the round has one for it."""
        ...

    def find(self, round_id: RoundId, party: PartyId) -> ResultRow | None:
        """Give the party's result in the round, if there is one."""
        ...

    def set_entities(self, round_id: RoundId, digest: bytes, *, audit: AuditEvent) -> None:
        """Keep the blob of who is whom in a round; raise `AlreadyExists` where the round has one."""
        ...

    def entities(self, round_id: RoundId) -> bytes | None:
        """Give the digest of the round's entities blob, if there is one."""
        ...

    def set_quality(self, round_id: RoundId, document: bytes, *, audit: AuditEvent) -> None:
        """Keep the released quality report of a round; raise `AlreadyExists` where the round has one."""
        ...

    def quality(self, round_id: RoundId) -> bytes | None:
        """Give the canonical bytes of the round's quality report, if there is one."""
        ...

    def pseudonym_key(self, project: ProjectId, recipient: PartyId, *, fresh: bytes, audit: AuditEvent) -> bytes:
        """Give the recipient's pseudonym key in the project (32 bytes); `fresh` becomes it where there is none."""
        ...

    def add_release(self, release: ReleaseRow, *, audit: AuditEvent) -> None:
        """Keep a released table; raise `AlreadyExists` where the id is taken."""
        ...

    def release(self, table: TableId) -> ReleaseRow:
        """Give the released table; raise `NotFound`."""
        ...

    def releases(self) -> Sequence[ReleaseRow]:
        """Give all released tables, newest first."""
        ...


class LogTable(Protocol):
    """The hash chains of events, one a scope, and how far each provider acknowledged them."""

    def head(self, scope: str) -> Head:
        """Give the end of a scope's chain."""
        ...

    def hash_at(self, scope: str, sequence: int) -> bytes | None:
        """Give the hash of the event at that place in a scope's chain, if it has one."""
        ...

    def scopes(self) -> Sequence[str]:
        """Give the scopes that have an event, in order."""
        ...

    def events(self, scope: str, *, after: int = 0, most: int | None = None) -> Sequence[bytes]:
        """Give the canonical bytes of a scope's events in order, those up to the place `after` left out."""
        ...

    def acknowledged(self, scope: str, party: PartyId) -> int:
        """Give the place in a scope's chain that the party acknowledged last; 0 where it did not yet."""
        ...

    def acknowledge(self, scope: str, party: PartyId, sequence: int, *, audit: AuditEvent) -> None:
        """Note the place that the party acknowledged, instead of any before."""
        ...


class Transaction(Protocol):
    """One consistent view and one set of changes that happens wholly or not at all."""

    @property
    def parties(self) -> PartyTable:
        """Parties, tokens and certificates."""
        ...

    @property
    def rounds(self) -> RoundTable:
        """Projects and rounds."""
        ...

    @property
    def agreements(self) -> AgreementTable:
        """Versions of agreements, decisions, withdrawals."""
        ...

    @property
    def keys(self) -> KeyTable:
        """Epochs, wraps and confirmations."""
        ...

    @property
    def submissions(self) -> SubmissionTable:
        """Submissions and chunks."""
        ...

    @property
    def tombstones(self) -> TombstoneTable:
        """Rows that were struck out."""
        ...

    @property
    def comparisons(self) -> ComparisonTable:
        """What was asked about candidate pairs."""
        ...

    @property
    def answers(self) -> AnswerTable:
        """What providers answered."""
        ...

    @property
    def results(self) -> ResultTable:
        """Pseudonym maps and released tables."""
        ...

    @property
    def log(self) -> LogTable:
        """The chains of events."""
        ...

    @property
    def carried(self) -> CarriedTable:
        """What longitudinal projects know from round to round."""
        ...

    def blob_is_used(self, digest: bytes) -> bool:
        """Say whether any chunk, comparison, result, record of entities or of IDs over rounds needs the blob."""
        ...

    def record(self, audit: AuditEvent) -> None:
        """Record an event that comes with no other change, such as a denial."""
        ...

    def events(self, scope: str) -> Sequence[bytes]:
        """Give the canonical bytes of a scope's events in order."""
        ...


class Store(Protocol):
    """A place that outlives the process. An exception inside a block undoes the block."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """Open a block that may change things; blocks of this kind follow one another."""
        ...

    def read(self) -> AbstractContextManager[Transaction]:
        """Open a block that only reads."""
        ...
