"""Asking providers about pairs of their rows: every two of them once a round. docs/protocol.md section 13.

What is asked is stored in one transaction with the step to COMPARING. A list that was not stored was never seen by a
node; one that was is never made again, because a pair number stands for one pair of rows alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.canonical import sha256
from isthmus.contract.field_answers import REQUEST_FORMAT, ComparisonRequest, pack_row_numbers
from isthmus.contract.ids import PartyId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.round_state import RoundState
from isthmus.contract.secret import Secret
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.round_rows import RoundRows, declared_submission, load_handles
from isthmus.coordinator.actions.rounds import advance, round_event
from isthmus.coordinator.actions.settling import Matched
from isthmus.coordinator.domain.records import ComparisonRow
from isthmus.coordinator.match.compare.requests import Requests, build_requests
from isthmus.coordinator.match.records import pack_pairs
from isthmus.coordinator.match.tables import at_least
from isthmus.coordinator.store.protocol import Transaction

SEED_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Sent:
    """What one provider sent: how many rows, and the digest of its manifest.

    `numbers` are the places, uint32, that rows have in it which have taken part in the search for candidates.
    """

    party: PartyId
    rows: int
    digest: bytes
    numbers: NDArray[np.uint32]


def ask_for_answers(context: Context, matched: Matched) -> None:
    """Choose the pairs of every two providers, store what is asked, and take the round to COMPARING.

    Candidates of rows that are struck out are not among them. Their random pairs are: a node answers as often for each
    of its rows, and what it says of these is not read.
    """
    with context.store.read() as tx:
        sent = [_sent(context, tx, matched, one) for one in matched.rows]
    asked = [_asked(context, matched, sent, *places) for places in combinations(range(len(sent)), 2)]
    own = _keep_own_pairs(context, matched, sent)
    with context.store.begin() as tx:
        row = tx.rounds.get(matched.manifest.round_id)
        for one in asked:
            outcome = f"{one.pairs} pairs of {one.left} and {one.right}"
            tx.comparisons.add(one, audit=round_event(context, row, None, "comparison.request", outcome))
        if own is not None:
            event = round_event(context, row, None, "comparison.repeats", "pairs inside data sets that repeat people")
            tx.comparisons.set_own_pairs(row.id, own, audit=event)
        advance(context, tx, row, to=RoundState.COMPARING)


def _sent(context: Context, tx: Transaction, matched: Matched, rows: RoundRows) -> _Sent:
    round_id, struck = matched.manifest.round_id, matched.struck[rows.party]
    declared = declared_submission(tx, round_id, rows.party)
    numbers = np.arange(declared.rows, dtype=np.uint32)
    if struck:  # mostly nobody is, and the chunks need not be read once more
        numbers = numbers[load_handles(context.blobs, tx, round_id, rows.party).kept(struck)]
    return _Sent(party=rows.party, rows=declared.rows, digest=sha256(declared.to_bytes()), numbers=numbers)


def _asked(context: Context, matched: Matched, sent: Sequence[_Sent], left: int, right: int) -> ComparisonRow:
    """Choose the pairs of two providers, keep the blobs of their row numbers, and give what is to be stored."""
    pairs, terms = matched.pairs, matched.manifest.project.comparison
    inside = (pairs.left_dataset == left) & (pairs.right_dataset == right)
    requests = build_requests(
        sent[left].numbers[pairs.left_row[inside]],
        sent[right].numbers[pairs.right_row[inside]],
        rows=(sent[left].rows, sent[right].rows),
        slots=terms.slots if terms else 0,
        seed=Secret(context.random_bytes(SEED_BYTES)),
    )
    return _kept(context, matched.manifest, (sent[left], sent[right]), requests)


def _kept(context: Context, manifest: RoundManifest, sent: tuple[_Sent, _Sent], requests: Requests) -> ComparisonRow:
    sides = [context.blobs.put(pack_row_numbers(side)) for side in (requests.left_place, requests.right_place)]
    documents = [
        ComparisonRequest(
            format=REQUEST_FORMAT,
            round_id=manifest.round_id,
            manifest_hash=manifest.digest().hex(),
            party=sent[own].party,
            other=sent[1 - own].party,
            pairs=len(requests),
            rows=sides[own].hex(),
            other_rows=sides[1 - own].hex(),
            submission=sent[own].digest.hex(),
            other_submission=sent[1 - own].digest.hex(),
        ).to_bytes()
        for own in (0, 1)
    ]
    return ComparisonRow(
        round_id=manifest.round_id,
        left=sent[0].party,
        right=sent[1].party,
        pairs=len(requests),
        left_document=documents[0],
        right_document=documents[1],
        left_rows=sides[0],
        right_rows=sides[1],
        candidates=context.blobs.put(np.packbits(requests.candidate).tobytes()),
    )


def _keep_own_pairs(context: Context, matched: Matched, sent: Sequence[_Sent]) -> bytes | None:
    """Keep the pairs inside data sets that repeat people, if there are any such sets; give the digest.

    No second node could answer for them, so the threshold decides.
    """
    pairs = at_least(matched.pairs, threshold=float(matched.manifest.threshold))
    inside = pairs.left_dataset == pairs.right_dataset
    if not pairs.repeating:
        return None
    sets = pairs.left_dataset[inside]
    columns = (pairs.left_row[inside], pairs.right_row[inside])
    rows = [np.zeros(sets.size, np.uint32) for _ in columns]
    for place in pairs.repeating:
        here = sets == place
        for row, column in zip(rows, columns, strict=True):
            row[here] = sent[place].numbers[column[here]]
    return context.blobs.put(pack_pairs(pairs.similarity[inside], sets, sets, *rows).tobytes())
