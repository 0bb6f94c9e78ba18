"""Striking rows out of a round after they were sent: for people who opted out meanwhile. docs/protocol.md section 6.

A row that is struck out takes no part in anything that follows: it links to nothing, has no pseudonym and is in no
count. Which rows is known to the coordinator and their provider; the log has a band of how many.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from isthmus.contract.bands import band
from isthmus.contract.canonical import Label, verify
from isthmus.contract.encodings import submission_from_bytes, unpack_rows
from isthmus.contract.errors import MalformedMessage, NotReady, RoundStateMismatch
from isthmus.contract.ids import RoundId
from isthmus.contract.round_state import RoundState
from isthmus.contract.tombstones import tombstones_document
from isthmus.contract.views import RoundView
from isthmus.coordinator.actions.access import member_round
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.round_views import round_view
from isthmus.coordinator.actions.rounds import round_event
from isthmus.coordinator.domain.records import RoundRow, SubmissionRow
from isthmus.coordinator.domain.roles import Actor

OPEN_TO_TOMBSTONES: Final = frozenset(
    {RoundState.COLLECTING, RoundState.SEALED, RoundState.MATCHING, RoundState.COMPARING, RoundState.FAILED}
)
"""States in which the result is still to be made, or to be made again."""


def tombstone_rows(
    context: Context, actor: Actor, *, round_id: RoundId, handles: Sequence[bytes], signature: bytes
) -> RoundView:
    """Strike rows of the caller's out of a round, all of them or none. Again changes nothing.

    Raises:
        NotAMember: the round is not the caller's.
        RoundStateMismatch: its result is made or never will be.
        NotReady: the caller has not completed its submission.
        MalformedMessage: the handles are not a list as it has to be, or some are of no row of the caller's; which ones
            is not said.
        SignatureInvalid: the signature does not hold under the key that the manifest pins for the caller.
    """
    document = tombstones_document(handles, round_id=round_id, party=actor.party)
    with context.store.read() as tx:
        row, manifest = member_round(tx, actor, round_id)
        _check_open(row)
        member = manifest.member(actor.party)
        verify(bytes.fromhex(member.identity_key if member else ""), Label.TOMBSTONES, document, signature)
        submission = _check_complete(tx.submissions.find(round_id, actor.party), round_id)
        digests = [chunk.digest for chunk in tx.submissions.chunks(round_id, actor.party)]
    _check_own(context, submission, digests, handles)
    return _strike_out(context, actor, round_id, handles)


def _strike_out(context: Context, actor: Actor, round_id: RoundId, handles: Sequence[bytes]) -> RoundView:
    with context.store.begin() as tx:
        row, _ = member_round(tx, actor, round_id)
        _check_open(row)  # once more: matching may have ended while the handles were looked up
        event = round_event(context, row, actor, "submission.tombstone", f"{band(len(handles))} rows struck out")
        tx.tombstones.add(round_id, actor.party, handles, audit=event)
        return round_view(context, tx, row)


def _check_open(row: RoundRow) -> None:
    if row.state not in OPEN_TO_TOMBSTONES:
        needed = "collecting, sealed, matching, comparing or failed; the next round leaves these rows out"
        raise RoundStateMismatch(round_id=row.id, state=row.state.value, needed=needed)


def _check_complete(submission: SubmissionRow | None, round_id: RoundId) -> SubmissionRow:
    if submission is None or submission.receipt is None:
        waiting_for = "rows can be struck out of it once it is complete"
        raise NotReady(kind="submission of this party to round", id=round_id, waiting_for=waiting_for)
    return submission


def _check_own(context: Context, submission: SubmissionRow, digests: Sequence[bytes], handles: Sequence[bytes]) -> None:
    """Return only if the submission has a row under every handle; one chunk is read at a time."""
    row_bits = submission_from_bytes(submission.document).row_bits
    missing = set(handles)
    for digest in digests:
        found, _ = unpack_rows(context.blobs.get(digest), row_bits=row_bits)
        missing.difference_update(np.ascontiguousarray(found).view("V16").ravel().tolist())
    if missing:
        raise MalformedMessage(field="handles", problem="not a list of rows that this party sent to the round")
