"""Which pairs a node may answer for, for any list: within the budget, and every row equally often or once more."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.node.answering_parts import SLOTS, comparing_manifest, question
from unit.node.parts import COLLEGE, RIVERSIDE

from isthmus.contract.encodings import SUBMISSION_FORMAT, Submission, chunk_count
from isthmus.contract.ids import PartyId
from isthmus.node.client import Asked
from isthmus.node.comparison_request import Terms, checked_pairs
from isthmus.node.errors import ComparisonRefused

MANIFEST = comparing_manifest()
ROWS = st.integers(1, 7)
LISTS = st.lists(st.integers(0, 8), min_size=1, max_size=40)

calm = settings(max_examples=150, deadline=None)


def _declared(party: PartyId, rows: int) -> bytes:
    return Submission(
        format=SUBMISSION_FORMAT, round_id=MANIFEST.round_id, party=party, rows=rows, clk_bits=1024, tables=1,
        match_keys=0, blocks=0, chunk_count=chunk_count(rows=rows, row_bits=1024), digest="0" * 64,
        key_check="0" * 32, profile_digest="0" * 64, manifest_hash=MANIFEST.digest().hex(),
    ).to_bytes()  # fmt: skip


def _answered(rows: list[int], *, own: int, other: int) -> list[int] | None:
    """Give the rows that the node would answer for, None where it refuses."""
    submission = _declared(RIVERSIDE, own)
    lists = np.array(rows, np.uint32), np.zeros(len(rows), np.uint32)
    asked = question(RIVERSIDE, *lists, own=submission, other=_declared(COLLEGE, other), terms=MANIFEST)
    first, *more = asked.messages()
    whole = Asked(
        request=first.request,
        signature=first.signature,
        other_submission=first.other_submission,
        other_signature=first.other_signature,
        rows=iter([first.rows, *(one.rows for one in more)]),
    )
    try:
        terms = Terms(manifest=MANIFEST, party=RIVERSIDE, other=COLLEGE, submission=submission)
        return list(map(int, checked_pairs(whole, terms).rows))
    except ComparisonRefused:
        return None


@calm
@given(rows=LISTS, own=ROWS, other=ROWS)
def test_list_is_answered_exactly_where_it_is_even_and_within_the_budget(rows: list[int], own: int, other: int) -> None:
    times = [rows.count(row) for row in range(own)]
    lawful = len(rows) <= SLOTS * max(own, other) and max(rows) < own and max(times) - min(times) <= 1

    assert _answered(rows, own=own, other=other) == (rows if lawful else None)


@calm
@given(own=ROWS, other=ROWS, share=st.floats(0, 1), chance=st.randoms(use_true_random=False))
def test_even_list_within_the_budget_is_answered_in_any_order(
    own: int, other: int, share: float, chance: Random
) -> None:
    most = SLOTS * max(own, other)
    rows = [pair % own for pair in range(max(1, int(share * most)))]
    chance.shuffle(rows)

    assert _answered(rows, own=own, other=other) == rows
