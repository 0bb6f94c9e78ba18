"""Giving out what is asked about pairs of rows, and taking answers in. docs/protocol.md section 13.

As with submissions, a chunk is on disk before it is acknowledged, the same again changes nothing, and nothing counts
before it is complete. Answers that are not what was declared are discarded whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isthmus.contract.canonical import HASH_BYTES, Label, check_length, sha256, sign, verify
from isthmus.contract.comparison import Comparison
from isthmus.contract.encodings import submission_digest
from isthmus.contract.errors import (
    AnswersIncomplete,
    AnswersMalformed,
    ChunkDamaged,
    NotFound,
    SubmissionConflict,
)
from isthmus.contract.field_answers import (
    ComparisonAnswers,
    answers_from_bytes,
    answers_per_chunk,
    planted_problem,
)
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.project import Project
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView
from isthmus.coordinator.actions.access import member_round
from isthmus.coordinator.actions.chunks import (
    Resume,
    check_declared_chunk,
    check_payload,
    delete_unused,
    first_missing,
)
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.round_rows import declared_submission
from isthmus.coordinator.actions.round_views import round_view
from isthmus.coordinator.actions.rounds import advance, require_state, round_event
from isthmus.coordinator.domain.records import AnswerChunkRow, AnswersRow, ComparisonRow, RoundRow
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.match.compare.gates import names_unknown_parts
from isthmus.coordinator.store.protocol import Transaction

PIECE_BYTES: Final = 1 << 20
"""Row numbers in one message, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What a node is asked: the request and the coordinator's signature on it, then its row numbers in pieces.

    Beside them the other provider's submission manifest with that provider's signature, so that a node need not take
    the coordinator's word for how many rows the other has.
    """

    request: bytes
    signature: bytes
    other_submission: bytes
    other_signature: bytes
    rows: Iterator[bytes]


def fetch_comparison(
    context: Context, actor: Actor, *, round_id: RoundId, other: PartyId, signing_key: Ed25519PrivateKey
) -> Fetched:
    """Give what is asked of the caller about its pairs with the other; the fetch is recorded.

    Raises:
        NotAMember, RoundStateMismatch: the round is not the caller's, or nodes do not answer in it now.
        NotFound: the other is no provider whose rows are compared with the caller's.
    """
    with context.store.begin() as tx:
        row, _ = member_round(tx, actor, round_id)
        require_state(row, RoundState.COMPARING)
        asked = _asked(tx, actor.party, other, round_id)
        sent = tx.submissions.find(round_id, other)
        tx.record(round_event(context, row, actor, "comparison.fetch", f"{asked.pairs} pairs with {other}"))
    document = asked.document_of(actor.party)
    return Fetched(
        request=document,
        signature=sign(signing_key, Label.COMPARISON_REQUEST, document),
        other_submission=sent.document if sent else b"",
        other_signature=(sent.signature if sent else None) or b"",
        rows=context.blobs.pieces(asked.rows_of(actor.party), size=PIECE_BYTES),
    )


def open_answers(context: Context, actor: Actor, *, round_id: RoundId, document: bytes, signature: bytes) -> Resume:
    """Keep a declaration of answers, or say where the same one goes on.

    Raises:
        NotAMember, RoundStateMismatch: the round is not the caller's, or nodes do not answer in it now.
        NotFound: nothing was asked of the caller about pairs with the party that the declaration names.
        SubmissionConflict: the caller declared other answers before.
        SignatureInvalid, MalformedDocument, AnswersMalformed: the declaration itself is wrong.
    """
    answers = answers_from_bytes(document)
    with context.store.begin() as tx:
        row, manifest = member_round(tx, actor, round_id)
        known = tx.answers.find(round_id, actor.party, answers.other)
        if known is not None:
            return _resume(tx, known, document)
        require_state(row, RoundState.COMPARING)
        asked = _asked(tx, actor.party, answers.other, round_id)
        member = manifest.member(actor.party)
        verify(bytes.fromhex(member.identity_key if member else ""), Label.COMPARISON_ANSWERS, document, signature)
        _check_declared(tx, answers, asked=asked, manifest=manifest, party=actor.party)
        declared = AnswersRow(
            round_id=round_id, party=actor.party, other=answers.other, document=document, signature=signature
        )
        event = round_event(context, row, actor, "answers.open", f"{answers.pairs} pairs with {answers.other}")
        tx.answers.open(declared, audit=event)
        return Resume(next_chunk=0, complete=False)


def store_answers(
    context: Context,
    actor: Actor,
    *,
    round_id: RoundId,
    other: PartyId,
    index: int,
    digest: bytes,
    payload: bytes,
) -> int:
    """Put a chunk of answers on disk and record it; give its index. The same chunk again changes nothing.

    Raises:
        NotAMember, RoundStateMismatch, NotFound: there are no answers of the caller's that were declared.
        ChunkDamaged: the payload does not fit its digest or its place, or says that a row has a part that there is not.
        SubmissionConflict: the place holds another chunk, or the answers are closed.
    """
    check_length(digest, HASH_BYTES, "digest")
    with context.store.begin() as tx:  # one writer at a time: nothing is checked against what another call changes
        row, manifest = member_round(tx, actor, round_id)
        known = _declared(tx, actor.party, other, round_id)
        require_state(row, RoundState.COMPARING)
        if known.complete:
            raise SubmissionConflict(round_id=round_id, slot="answers that are complete")
        comparison = manifest.project.comparison_of(actor.party, other)
        _check_chunk(answers_from_bytes(known.document), comparison, index=index, digest=digest, payload=payload)
        chunk = AnswerChunkRow(round_id=round_id, party=actor.party, other=other, index=index, digest=digest)
        tx.answers.add_chunk(chunk)
        context.blobs.put(payload)
    return index


def complete_answers(context: Context, actor: Actor, *, round_id: RoundId, other: PartyId) -> RoundView:
    """Close answers whose chunks are all there; the last ones of a round take it to MATCHING. Again changes nothing.

    Raises:
        NotAMember, RoundStateMismatch, NotFound: there are no answers of the caller's that were declared.
        AnswersIncomplete: chunks are missing; nothing changes.
        AnswersMalformed: the content is not what was declared; the answers are discarded whole.
    """
    with context.store.begin() as tx:
        row, _ = member_round(tx, actor, round_id)
        known = _declared(tx, actor.party, other, round_id)
        if known.complete:
            return round_view(context, tx, row)
        require_state(row, RoundState.COMPARING)
        answers, chunks = answers_from_bytes(known.document), tx.answers.chunks(round_id, actor.party, other)
        if len(chunks) != answers.chunk_count:
            raise AnswersIncomplete(other=other, stored=len(chunks), declared=answers.chunk_count)
        if submission_digest(chunk.digest for chunk in chunks).hex() == answers.digest:
            return _close(context, tx, row, actor, answers)
        event = round_event(context, row, actor, "answers.discard", f"about {other}: not what was declared")
        tx.answers.discard(round_id, actor.party, other, audit=event)
    delete_unused(context, (chunk.digest for chunk in chunks))
    raise AnswersMalformed(other=other, problem="their content is not what was declared")


def _asked(tx: Transaction, party: PartyId, other: PartyId, round_id: RoundId) -> ComparisonRow:
    asked = (one for one in tx.comparisons.of_round(round_id) if (party, other) in one.sides())
    found = next(asked, None)
    if found is None:
        raise NotFound(kind="comparison of this party with that one in round", id=round_id)
    return found


def _declared(tx: Transaction, party: PartyId, other: PartyId, round_id: RoundId) -> AnswersRow:
    known = tx.answers.find(round_id, party, other)
    if known is None:
        raise NotFound(kind="declaration of answers of this party about that one in round", id=round_id)
    return known


def _resume(tx: Transaction, known: AnswersRow, document: bytes) -> Resume:
    if known.document != document:
        raise SubmissionConflict(round_id=known.round_id, slot="declaration of answers")
    stored = (chunk.index for chunk in tx.answers.chunks(known.round_id, known.party, known.other))
    missing = first_missing(stored, declared=answers_from_bytes(document).chunk_count)
    return Resume(next_chunk=missing, complete=known.complete)


def _check_declared(
    tx: Transaction, answers: ComparisonAnswers, *, asked: ComparisonRow, manifest: RoundManifest, party: PartyId
) -> None:
    """Raise `AnswersMalformed` where a declaration is not of what was asked, or contradicts another of this party."""
    others = [one for one in tx.answers.of_round(asked.round_id) if one.party == party]
    before = [answers_from_bytes(one.document) for one in others]
    problem = _problem(answers, asked, manifest.project, party)
    if problem is None:
        rows = declared_submission(tx, asked.round_id, party).rows
        problem = planted_problem(answers.planted, people=_people(manifest.project), rows=rows)
    if problem is None and any(one.near_misses != answers.near_misses for one in before):
        problem = "their near misses are not those that this party declared about another one"
    if problem is None and any(one.planted != answers.planted for one in before):
        problem = "their planted people are other rows than this party declared about another one"
    if problem is not None:
        raise AnswersMalformed(other=answers.other, problem=problem)


def _people(project: Project) -> int:
    return project.comparison.planted if project.comparison else 0


def _problem(answers: ComparisonAnswers, asked: ComparisonRow, project: Project, party: PartyId) -> str | None:
    if (answers.round_id, answers.party) != (asked.round_id, party):
        return "they name another round or party"
    if answers.request != sha256(asked.document_of(party)).hex() or answers.pairs != asked.pairs:
        return "they answer another request"
    if answers.answer_bytes != project.comparison_of(party, answers.other).answer_bytes:
        return "an answer has another length"
    fields = set(project.comparable_fields(party))
    if any(set(kind.levels) != fields for kind in answers.near_misses):
        return "their near misses are not of the fields that are compared"
    return None


def _check_chunk(
    answers: ComparisonAnswers, comparison: Comparison, *, index: int, digest: bytes, payload: bytes
) -> None:
    check_declared_chunk(index, declared=answers.chunk_count)
    full = answers_per_chunk(answers.answer_bytes)
    pairs = min(full, answers.pairs - index * full)
    check_payload(payload, index=index, length=pairs * answers.answer_bytes, digest=digest)
    if names_unknown_parts(np.frombuffer(payload, np.uint8).reshape(pairs, -1), comparison):
        raise ChunkDamaged(index=index, problem="an answer says that a row has a part that is not compared")


def _close(context: Context, tx: Transaction, row: RoundRow, actor: Actor, answers: ComparisonAnswers) -> RoundView:
    event = round_event(context, row, actor, "answers.complete", f"{answers.pairs} pairs with {answers.other}")
    tx.answers.complete(row.id, actor.party, answers.other, audit=event)
    closed = {(one.party, one.other) for one in tx.answers.of_round(row.id) if one.complete}
    if all(closed.issuperset(one.sides()) for one in tx.comparisons.of_round(row.id)):
        advance(context, tx, row, to=RoundState.MATCHING)
    return round_view(context, tx, tx.rounds.get(row.id))
