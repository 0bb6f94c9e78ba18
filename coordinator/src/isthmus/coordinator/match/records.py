"""Candidate pairs as records of 24 bytes whose order as bytes is the order of candidate pairs: what a run holds.

A record is the similarity's bits inverted, left dataset, right dataset, left row, right row, each with its highest byte
first. Similarities are positive, and positive floats are ordered as their bits are, so a better pair has a smaller
record, and numpy sorts, searches and joins records as byte strings.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.runs import RECORD, Records

_FIELDS: Final = np.dtype(
    [
        ("similarity", ">u8"),
        ("left_dataset", ">u4"),
        ("right_dataset", ">u4"),
        ("left_row", ">u4"),
        ("right_row", ">u4"),
    ]
)

_INDICES: Final = ("left_dataset", "right_dataset", "left_row", "right_row")

STEPS: Final = 1000
"""Steps of similarity that are counted apart: manifests name thresholds to so many parts of one."""

EDGES: Final = np.arange(STEPS + 1) / STEPS
"""Where the steps begin: the same floats that thresholds of three decimals are read as."""

EDGES.flags.writeable = False


def pack_pairs(
    similarity: NDArray[np.float64],
    left_dataset: NDArray[np.uint32],
    right_dataset: NDArray[np.uint32],
    left_row: NDArray[np.uint32],
    right_row: NDArray[np.uint32],
) -> Records:
    """Give a record for each pair, in their order; similarities lie in (0, 1]."""
    packed = np.empty(similarity.size, _FIELDS)
    packed["similarity"] = ~similarity.view(np.uint64)
    packed["left_dataset"], packed["right_dataset"] = left_dataset, right_dataset
    packed["left_row"], packed["right_row"] = left_row, right_row
    return packed.view(RECORD)


def unpack_pairs(parts: Sequence[Records], *, repeating: frozenset[int] = frozenset()) -> CandidatePairs:
    """Give the pairs of records that are in order, one part after the other; `repeating` as in `CandidatePairs`."""
    return gather_pairs(parts, total=sum(map(len, parts)), repeating=repeating)


def gather_pairs(parts: Iterable[Records], *, total: int, repeating: frozenset[int] = frozenset()) -> CandidatePairs:
    """Give the pairs of records that are in order, of which there are `total`; one part is held at a time."""
    similarity, columns = np.empty(total), np.empty((len(_INDICES), total), np.uint32)
    end = 0
    for part in parts:
        place = slice(end, end + len(part))
        similarity[place] = similarities(part)
        for name, column in zip(_INDICES, columns, strict=True):
            column[place] = part.view(_FIELDS)[name]
        end = place.stop
    left_dataset, right_dataset, left_row, right_row = columns
    return CandidatePairs(
        similarity=similarity,
        left_dataset=left_dataset,
        right_dataset=right_dataset,
        left_row=left_row,
        right_row=right_row,
        repeating=repeating,
    )


def similarities(records: Records) -> NDArray[np.float64]:
    """Give the similarity of each record."""
    return (~records.view(_FIELDS)["similarity"].astype(np.uint64)).view(np.float64)


def count_steps(similarity: NDArray[np.float64]) -> NDArray[np.int64]:
    """Count the pairs of each step of similarity, int64, shape (STEPS + 1,): the last is 1 itself."""
    steps = np.searchsorted(EDGES, similarity, side="right") - 1
    return np.bincount(steps, minlength=STEPS + 1).astype(np.int64)
