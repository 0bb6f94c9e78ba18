"""Candidate pairs by match keys: rows of two datasets whose tags of one key are equal.

Within a dataset no two rows have the same tag (docs/protocol.md section 6), so a key pairs a row with one of another
dataset at most. A tag that occurs twice all the same pairs nothing.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.encodings import Tags
from isthmus.coordinator.match.table_candidates import RowPairs, no_pairs, united

Words = NDArray[np.uint64]
Rows = NDArray[np.intp]


def key_candidates(submissions: Sequence[Tags]) -> RowPairs:
    """Give the pairs of rows that share a tag of any key, each once; at most the rows of the smaller dataset for a key.

    Args:
        submissions: one for each dataset, uint8, shape (rows, keys, 16), all zero where a row has no tag.

    Raises:
        ValueError: the submissions do not have as many keys, or not tags of 16 bytes.
    """
    shapes = {one.shape[1:] for one in submissions}
    if len(shapes) > 1 or any(one.ndim != 3 or one.shape[2] != 16 for one in submissions):
        raise ValueError("a submission must be uint8 of shape (rows, keys, 16), with as many keys as the others")
    found = no_pairs()
    for key in range(submissions[0].shape[1] if submissions else 0):
        tagged = [_tagged_once(one[:, key]) for one in submissions]
        found = united(found, *(_pairs_of(tagged, *both) for both in combinations(range(len(tagged)), 2)))
    return found


def equal_tags(left: Tags, right: Tags) -> NDArray[np.bool_]:
    """Say of pairs of rows which tags they share.

    Args:
        left, right: of one shape (pairs, keys, 16); row i is held against row i.

    Returns:
        bool, shape (keys, pairs); a tag that is missing on both sides is not shared.
    """
    shared: NDArray[np.bool_] = (left == right).all(axis=2).T & left.any(axis=2).T
    return shared


def _tagged_once(tags: NDArray[np.uint8]) -> tuple[Rows, Words]:
    """Give the rows whose tag no other row has, and these tags, shape (rows, 2), rising by the first word.

    Tags are pseudo-random, so the first word tells them apart. Rows that agree in it alone are left out as well: no
    honest sender has such rows, but for one in 2^64.
    """
    words = np.ascontiguousarray(tags).view(np.uint64)
    rows = np.flatnonzero(words.any(axis=1))
    rows = rows[np.argsort(words[rows, 0], kind="stable")]
    first = words[rows, 0]
    once = np.ones(len(rows), np.bool_)
    once[1:] &= first[1:] != first[:-1]
    once[:-1] &= first[1:] != first[:-1]
    return rows[once], words[rows[once]]


def _pairs_of(tagged: Sequence[tuple[Rows, Words]], left: int, right: int) -> RowPairs:
    (left_rows, left_words), (right_rows, right_words) = tagged[left], tagged[right]
    _, left_at, right_at = np.intersect1d(left_words[:, 0], right_words[:, 0], assume_unique=True, return_indices=True)
    equal = left_words[left_at, 1] == right_words[right_at, 1]
    left_row, right_row = left_rows[left_at[equal]], right_rows[right_at[equal]]
    return RowPairs(
        left_dataset=np.full(len(left_row), left, np.uint32),
        right_dataset=np.full(len(left_row), right, np.uint32),
        left_row=left_row.astype(np.uint32),
        right_row=right_row.astype(np.uint32),
    )
