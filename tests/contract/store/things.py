"""Things to keep in a store, each lawful, and small."""

from datetime import UTC, datetime, timedelta

import msgspec

from isthmus.contract.agreement_terms import AgreementState
from isthmus.contract.ids import AgreementId, PartyId, ProjectId, RoundId, TableId
from isthmus.contract.known_answers import KnownAnswer
from isthmus.contract.parties import PartyKind, Role
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.domain.agreements import AgreementRow, DecisionRow
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
from isthmus.coordinator.store.protocol import Store

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
A, B = PartyId("riverside"), PartyId("college")
PROJECT = ProjectId("k12-to-work")
ROUND, OTHER_ROUND = RoundId("k12-to-work-1"), RoundId("k12-to-work-2")
SCOPE = "k12-to-work"


def digest(byte: int) -> bytes:
    """Give 32 bytes."""
    return bytes([byte]) * 32


def event(action: str = "test.act", *, at: datetime = NOW, scope: str = SCOPE) -> AuditEvent:
    """Give an audit event."""
    return AuditEvent(scope=scope, at=at, actor="operator", action=action, object="thing", outcome="done")


def party(name: PartyId = A, *, key: bytes | None = None) -> PartyRow:
    """Give a provider."""
    return PartyRow(id=name, name=name.title(), kind=PartyKind.COLLEGE, role=Role.PROVIDER, identity_key=key)


def token(byte: int, name: PartyId = A) -> TokenRow:
    """Give a token that expires in an hour."""
    return TokenRow(digest=digest(byte), party=name, expires_at=NOW + HOUR)


def certificate(byte: int, name: PartyId = A) -> CertificateRow:
    """Give a certificate that stands."""
    return CertificateRow(key_digest=digest(byte), party=name, expires_at=NOW + HOUR, revoked=False)


def project(byte: int = 1, name: ProjectId = PROJECT) -> ProjectRow:
    """Give a project; the byte is its content."""
    return ProjectRow(id=name, document=bytes([byte]), digest=digest(byte))


def round_(name: RoundId = ROUND) -> RoundRow:
    """Give a draft round."""
    return RoundRow(
        id=name,
        project=PROJECT,
        state=RoundState.DRAFT,
        manifest=b"manifest",
        manifest_hash=digest(2),
        updated_at=NOW,
    )


def signature(name: PartyId = A, byte: int = 1) -> SignatureRow:
    """Give a signature."""
    return SignatureRow(round_id=ROUND, party=name, signature=bytes([byte]) * 64)


def key_document(name: PartyId = A, byte: int = 1, round_id: RoundId = ROUND) -> KeyDocumentRow:
    """Give what a party sent for the round's key; the byte is its content."""
    return KeyDocumentRow(round_id=round_id, party=name, document=bytes([byte]) * 400)


ANSWERS = (KnownAnswer(part="field:dob", mac=bytes(16)), KnownAnswer(part="table:all", mac=bytes(range(16))))


def preflight(name: PartyId = A, byte: int = 1) -> PreflightRow:
    """Give what a party confirmed."""
    return PreflightRow(
        round_id=ROUND, party=name, key_check=bytes([byte]) * 16, profile_digest=digest(byte), answers=ANSWERS
    )


def submission(name: PartyId = A, round_id: RoundId = ROUND) -> SubmissionRow:
    """Give an open submission."""
    return SubmissionRow(round_id=round_id, party=name, document=b"document", receipt=None)


def chunk(index: int, byte: int, name: PartyId = A, round_id: RoundId = ROUND) -> ChunkRow:
    """Give a chunk; the byte is its content."""
    return ChunkRow(round_id=round_id, party=name, index=index, digest=digest(byte))


def comparison(left: PartyId = A, right: PartyId = B, round_id: RoundId = ROUND) -> ComparisonRow:
    """Give what is asked of two providers."""
    return ComparisonRow(
        round_id=round_id,
        left=left,
        right=right,
        pairs=16,
        left_document=b"to the left",
        right_document=b"to the right",
        left_rows=digest(21),
        right_rows=digest(22),
        candidates=digest(23),
    )


def answers(name: PartyId = A, other: PartyId = B, round_id: RoundId = ROUND) -> AnswersRow:
    """Give open answers."""
    return AnswersRow(round_id=round_id, party=name, other=other, document=b"declared", signature=bytes(64))


def answer_chunk(index: int, byte: int, name: PartyId = A, other: PartyId = B) -> AnswerChunkRow:
    """Give a chunk of answers; the byte is its content."""
    return AnswerChunkRow(round_id=ROUND, party=name, other=other, index=index, digest=digest(byte))


def result(name: PartyId = A) -> ResultRow:
    """Give a party's result."""
    return ResultRow(round_id=ROUND, party=name, digest=digest(3), rows=12, slot_count=1000)


def release(name: str = "k12-to-work-1-overlap", *, at: datetime = NOW) -> ReleaseRow:
    """Give a released table."""
    return ReleaseRow(
        id=TableId(name), project=PROJECT, round_id=ROUND, title="Overlap", document=b"table", released_at=at
    )


def agreement(
    byte: int = 31, name: str = "school-work", *, version: int = 1, state: AgreementState = AgreementState.PROPOSED
) -> AgreementRow:
    """Give a version of an agreement; the byte is its content."""
    return AgreementRow(id=AgreementId(name), version=version, digest=digest(byte), document=bytes([byte]), state=state)


def decision(name: PartyId = A, byte: int = 31, *, declined: str | None = None) -> DecisionRow:
    """Give what a party decided about a version: its signature unless it declined."""
    signature = None if declined else bytes(64)
    return DecisionRow(digest=digest(byte), party=name, at=NOW, signature=signature, declined=declined)


def fill(store: Store) -> None:
    """Put two parties, a project and two rounds into a store, with one event each."""
    with store.begin() as tx:
        for name in (A, B):
            tx.parties.add(party(name), audit=event("party.add"))
        tx.rounds.add_project(project(), audit=event("project.add"))
        for round_id in (ROUND, OTHER_ROUND):
            tx.rounds.add(round_(round_id), audit=event("round.draft"))


def actions(store: Store, scope: str = SCOPE) -> list[str]:
    """Give the actions of a scope's events in order."""
    with store.read() as tx:
        return [str(msgspec.json.decode(one)["action"]) for one in tx.events(scope)]
