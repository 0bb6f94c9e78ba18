"""Taking encodings in: declared, sent in chunks that are on disk before they are acknowledged, checked, and closed.

Nothing of a submission counts before it is complete. One that fails its gates is discarded whole. docs/protocol.md
section 6.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from isthmus.contract.canonical import HASH_BYTES, Label, check_length, sha256, sign, verify
from isthmus.contract.clock import to_text
from isthmus.contract.encodings import (
    RECEIPT_FORMAT,
    Receipt,
    Submission,
    chunk_rows,
    row_bytes,
    submission_digest,
    submission_from_bytes,
    unpack_rows,
)
from isthmus.contract.errors import (
    NotFound,
    StateChanged,
    SubmissionConflict,
    SubmissionIncomplete,
    SubmissionMalformed,
    WrongLinkageKey,
    WrongManifest,
    WrongProfile,
)
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.manifest import RoundManifest, manifest_from_bytes
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.access import member_round
from isthmus.coordinator.actions.chunks import (
    Resume,
    check_declared_chunk,
    check_payload,
    delete_unused,
    first_missing,
)
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.rounds import advance, require_state, round_event
from isthmus.coordinator.domain.records import ChunkRow, RoundRow, SubmissionRow
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.match.gates import gates_of
from isthmus.coordinator.store.protocol import Transaction


def open_submission(context: Context, actor: Actor, *, round_id: RoundId, document: bytes, signature: bytes) -> Resume:
    """Keep a declared submission, or say where the same one goes on.

    Raises:
        NotAMember, RoundStateMismatch: the round is not the caller's, or does not collect.
        SubmissionConflict: the caller declared other content before.
        SignatureInvalid, MalformedDocument, SubmissionMalformed: the declaration itself is wrong.
        WrongManifest, WrongProfile, WrongLinkageKey: it does not belong to this round.
    """
    submission = submission_from_bytes(document)
    with context.store.begin() as tx:
        row, manifest = member_round(tx, actor, round_id)
        known = tx.submissions.find(round_id, actor.party)
        if known is not None:
            return _resume(tx, known, document)
        require_state(row, RoundState.COLLECTING)
        member = manifest.member(actor.party)
        verify(bytes.fromhex(member.identity_key if member else ""), Label.SUBMISSION, document, signature)
        _check_declared(tx, submission, row=row, manifest=manifest, party=actor.party)
        event = round_event(context, row, actor, "submission.open", f"{submission.rows} rows declared")
        declared = SubmissionRow(
            round_id=round_id, party=actor.party, document=document, receipt=None, signature=signature
        )
        tx.submissions.open(declared, audit=event)
        return Resume(next_chunk=0, complete=False)


def store_chunk(context: Context, actor: Actor, *, round_id: RoundId, index: int, digest: bytes, payload: bytes) -> int:
    """Put a chunk on disk and record it; give its index. The same chunk again changes nothing.

    Raises:
        NotAMember, RoundStateMismatch, NotFound: there is no open submission of the caller's.
        ChunkDamaged: the payload does not fit its digest or its place.
        SubmissionConflict: the place holds another chunk.
    """
    check_length(digest, HASH_BYTES, "digest")
    with context.store.begin() as tx:  # one writer at a time: nothing is checked against what another call changes
        submission = _open_submission(tx, actor, round_id)
        _check_chunk(submission, index=index, digest=digest, payload=payload)
        tx.submissions.add_chunk(ChunkRow(round_id=round_id, party=actor.party, index=index, digest=digest))
        context.blobs.put(payload)
    return index


def complete_submission(
    context: Context, actor: Actor, *, round_id: RoundId, signing_key: Ed25519PrivateKey
) -> tuple[bytes, bytes]:
    """Check a submission, close it, and give its receipt and the coordinator's signature on it.

    The last provider's submission seals the round. Completing again gives the same receipt.

    Raises:
        SubmissionIncomplete: chunks are missing; nothing changes.
        SubmissionMalformed: the content is not what was declared; the submission is discarded whole.
    """
    with context.store.read() as tx:
        member_round(tx, actor, round_id)
        known = _find(tx, round_id, actor.party)
        chunks = tx.submissions.chunks(round_id, actor.party)
    if known.receipt is None:
        submission = submission_from_bytes(known.document)
        _check_complete(submission, chunks)
        _check_content(context, actor, submission, chunks)
        _close(context, actor, submission)
    with context.store.read() as tx:
        receipt = _find(tx, round_id, actor.party).receipt or b""
    return receipt, sign(signing_key, Label.RECEIPT, receipt)


def _resume(tx: Transaction, known: SubmissionRow, document: bytes) -> Resume:
    if known.document != document:
        raise SubmissionConflict(round_id=known.round_id, slot="submission manifest")
    stored = (chunk.index for chunk in tx.submissions.chunks(known.round_id, known.party))
    missing = first_missing(stored, declared=submission_from_bytes(document).chunk_count)
    return Resume(next_chunk=missing, complete=known.receipt is not None)


def _check_declared(
    tx: Transaction, submission: Submission, *, row: RoundRow, manifest: RoundManifest, party: PartyId
) -> None:
    profile = manifest.read_profile()
    confirmed = {one.party: one.key_check for one in tx.rounds.preflights(row.id)}
    if (submission.round_id, submission.party) != (row.id, party):
        raise WrongManifest(round_id=row.id, problem="the submission names another round or party")
    if submission.manifest_hash != row.manifest_hash.hex():
        raise WrongManifest(round_id=row.id, problem="the submission was prepared for another manifest")
    blocks = manifest.project.blocks
    shape = (submission.clk_bits, submission.tables, submission.match_keys, submission.blocks)
    expected = (
        profile.clk_bits,
        len(profile.table_names),
        len(profile.match_key_names),
        len(blocks.keys) if blocks else 0,
    )
    if submission.profile_digest != profile.digest() or shape != expected:
        raise WrongProfile(round_id=row.id)
    terms = manifest.terms(party)
    if terms is None or submission.rows > terms.max_rows:
        raise SubmissionMalformed(problem="it holds more rows than the project's terms allow this party")
    if submission.key_check != confirmed[party].hex():
        raise WrongLinkageKey(party=party, lead=manifest.project.lead)


def _find(tx: Transaction, round_id: RoundId, party: PartyId) -> SubmissionRow:
    known = tx.submissions.find(round_id, party)
    if known is None:
        raise NotFound(kind="submission of this party to round", id=round_id)
    return known


def _open_submission(tx: Transaction, actor: Actor, round_id: RoundId) -> Submission:
    row, _ = member_round(tx, actor, round_id)
    known = _find(tx, round_id, actor.party)
    require_state(row, RoundState.COLLECTING)
    if known.receipt is not None:
        raise SubmissionConflict(round_id=round_id, slot="a submission that is complete")
    return submission_from_bytes(known.document)


def _check_chunk(submission: Submission, *, index: int, digest: bytes, payload: bytes) -> None:
    check_declared_chunk(index, declared=submission.chunk_count)
    rows = chunk_rows(rows=submission.rows, row_bits=submission.row_bits, index=index)
    check_payload(payload, index=index, length=rows * row_bytes(submission.row_bits), digest=digest)


def _check_complete(submission: Submission, chunks: Sequence[ChunkRow]) -> None:
    if len(chunks) != submission.chunk_count:
        raise SubmissionIncomplete(stored=len(chunks), declared=submission.chunk_count)


def _check_content(context: Context, actor: Actor, submission: Submission, chunks: Sequence[ChunkRow]) -> None:
    """Compare the content with what was declared; discard it whole where it differs."""
    manifest = _manifest(context, submission.round_id)
    blocks, repeats = manifest.project.blocks, manifest.repeats(actor.party)
    gates = gates_of(manifest.read_profile(), blocks=blocks, repeats=repeats)
    problem = _content_problem(context, submission, chunks) or gates.problem(
        rows[1] for rows in _stored_rows(context, submission, chunks)
    )
    if problem is not None:
        _discard(context, actor, submission.round_id)
        raise SubmissionMalformed(problem=problem)


def _content_problem(context: Context, submission: Submission, chunks: Sequence[ChunkRow]) -> str | None:
    if submission_digest(chunk.digest for chunk in chunks).hex() != submission.digest:
        return "its content is not what was declared"
    handles = _handles(context, submission, chunks)
    if len(handles) != submission.rows:
        return "it holds another number of rows than was declared"
    return "two of its rows have the same handle" if _any_twice(handles) else None


def _any_twice(handles: NDArray[np.uint8]) -> bool:
    first, second = np.ascontiguousarray(handles).view(np.uint64).T
    order = np.lexsort((second, first))
    same = (np.diff(first[order]) == 0) & (np.diff(second[order]) == 0)
    return bool(same.any())


def _handles(context: Context, submission: Submission, chunks: Sequence[ChunkRow]) -> NDArray[np.uint8]:
    """Give all handles, shape (rows, 16), reading one chunk at a time."""
    return np.concatenate([handles.copy() for handles, _ in _stored_rows(context, submission, chunks)])


def _stored_rows(
    context: Context, submission: Submission, chunks: Sequence[ChunkRow]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """Give handles and encodings, chunk by chunk."""
    for chunk in chunks:
        yield unpack_rows(context.blobs.get(chunk.digest), row_bits=submission.row_bits)


def _manifest(context: Context, round_id: RoundId) -> RoundManifest:
    with context.store.read() as tx:
        return manifest_from_bytes(tx.rounds.get(round_id).manifest)


def _close(context: Context, actor: Actor, submission: Submission) -> None:
    with context.store.begin() as tx:
        row, manifest = member_round(tx, actor, submission.round_id)
        known = _find(tx, row.id, actor.party)
        if known.receipt is not None:
            return  # another call of the same party closed it meanwhile
        if known.document != submission.to_bytes():
            raise StateChanged(kind="submission to round", id=row.id)
        require_state(row, RoundState.COLLECTING)
        event = round_event(context, row, actor, "submission.complete", f"{submission.rows} rows received")
        receipt = Receipt(
            format=RECEIPT_FORMAT,
            round_id=row.id,
            party=actor.party,
            rows=submission.rows,
            submission=sha256(known.document).hex(),
            received_at=to_text(context.clock.now()),
        ).to_bytes()
        tx.submissions.complete(row.id, actor.party, receipt=receipt, audit=event)
        complete = [one.party for one in tx.submissions.of_round(row.id) if one.receipt is not None]
        if len(complete) == len(manifest.members):
            advance(context, tx, row, to=RoundState.SEALED)


def _discard(context: Context, actor: Actor, round_id: RoundId) -> None:
    with context.store.begin() as tx:
        row, _ = member_round(tx, actor, round_id)
        event = round_event(context, row, actor, "submission.discard", "its content failed the gates")
        dropped = tx.submissions.discard(round_id, actor.party, audit=event)
    delete_unused(context, (chunk.digest for chunk in dropped))
