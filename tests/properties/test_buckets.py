"""Keyed blocks, for any people: rows that share parts share buckets, and small buckets never leave."""

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.match_keys import match_keys_for
from isthmus.contract.secret import Secret
from isthmus.node.blocking import Blocking
from isthmus.node.encode.buckets import BucketEncoder, from_wire, to_wire

FIELDS = ("first_name", "last_name", "dob")
KEYS = {key.name: key for key in match_keys_for(FIELDS)}
BLOCKS = Blocks(keys=tuple(KEYS), buckets=16, least_rows=3)
WORDS = st.sampled_from(["", "ana", "anna", "o", "de la cruz", "Ωμέγα"])
DATES = st.sampled_from(["", "19910228", "19910328", "19920228", "1991", "١٩٩١٠٢٢٨"])
PEOPLE = st.lists(st.tuples(WORDS, WORDS, DATES), min_size=1, max_size=12)
NUMBERS = st.lists(st.tuples(*[st.integers(0, 16)] * len(KEYS)), min_size=1, max_size=60)

calm = settings(max_examples=30, deadline=None)


def _parts(person: tuple[str, ...], key: str) -> list[str]:
    values = dict(zip(FIELDS, person, strict=True))
    return [part.of(values[part.field]) for part in KEYS[key].parts]


@calm
@given(left=PEOPLE, right=PEOPLE, number=st.integers(0, 255))
def test_rows_of_two_files_that_share_the_parts_share_the_bucket(
    left: list[tuple[str, ...]], right: list[tuple[str, ...]], number: int
) -> None:
    encoder = BucketEncoder(BLOCKS, fields=FIELDS, key=Secret(bytes([number]) * 32))
    ours, theirs = (encoder.encode([list(column) for column in zip(*one, strict=True)]) for one in (left, right))

    assert max(ours.max(), theirs.max()) <= BLOCKS.buckets
    for place, key in enumerate(BLOCKS.keys):
        for row, person in enumerate(left):
            assert (ours[row, place] == 0) == ("" in _parts(person, key))
            for other_row, other in enumerate(right):
                if _parts(person, key) == _parts(other, key):
                    assert ours[row, place] == theirs[other_row, place]


@calm
@given(numbers=NUMBERS, piece=st.integers(1, 60))
def test_bucket_leaves_with_all_its_rows_or_with_none(numbers: list[tuple[int, ...]], piece: int) -> None:
    blocking = Blocking(BLOCKS, fields=FIELDS)
    rows = to_wire(np.array(numbers, np.uint32))
    pieces = [rows[start : start + piece] for start in range(0, len(rows), piece)]
    for one in pieces:
        blocking.count(one)
    for one in pieces:
        blocking.withhold(one)

    left = from_wire(rows, block_keys=len(KEYS))
    for place, of_key in enumerate(zip(*numbers, strict=True)):
        kept = {bucket for bucket, size in Counter(of_key).items() if bucket and size >= BLOCKS.least_rows}
        assert left[:, place].tolist() == [bucket if bucket in kept else 0 for bucket in of_key]
    assert blocking.report()["in_no_block"] == int((~left.any(axis=1)).sum())
