"""The best few of each row of a part, in both directions, however many pairs reach the threshold.

Every row has a list for each dataset of the other side, of the best k that were met so far. What is held does not grow
with the pairs that are found: 12 k bytes a list.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.blocks import Blocks
from isthmus.coordinator.match.kernels.comparison import Comparison, Pairs, Part, sifted
from isthmus.coordinator.match.kernels.compiled import compiled, inlined
from isthmus.coordinator.match.kernels.lanes import LANES

Scores = NDArray[np.float64]
Rows = NDArray[np.uint32]
Numbers = NDArray[np.int64]


def best_pairs(
    comparison: Comparison, part: Part, *, k: int, left_starts: Sequence[int], right_starts: Sequence[int]
) -> Pairs:
    """Give the pairs of a part that are among the k best of their left or right row, per dataset of the other side.

    Of pairs that are equally good, those with the lowest number of the other row count as better.

    Args:
        comparison, part: what to compare; its threshold is the least similarity.
        k: positive, or `ValueError` is raised.
        left_starts, right_starts: the first row of each dataset of a side, rising from 0, and the end.

    Returns:
        Each pair once, by left row, then right row.
    """
    if k < 1:
        raise ValueError("k must be positive")
    left = _side(comparison.left, part.first_left, part.last_left, left_starts)
    right = _side(comparison.right, part.first_right, part.last_right, right_starts)
    of_left, of_right = _lists(left, right, k), _lists(right, left, k)
    for scores, places in sifted(comparison, part):
        _enter(
            scores, places, k,
            left.first, left.rows, left.dataset, of_left.scores, of_left.rows,
            right.first, right.rows, right.dataset, of_right.scores, of_right.rows,
        )  # fmt: skip
    return _united(_listed(left, of_left), _listed(right, of_right))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Side:
    """The rows of one side of a part: the place of the first, and number and dataset of each."""

    first: int
    rows: Rows
    dataset: Numbers
    datasets: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Lists:
    """The lists of a side's rows, best first, shape (rows, datasets of the other side, k); score 0 where one ends."""

    scores: Scores
    rows: Rows


def _side(blocks: Blocks, first: int, last: int, starts: Sequence[int]) -> _Side:
    rows = blocks.rows[LANES * first : LANES * last]
    dataset = np.searchsorted(starts, rows, side="right").astype(np.int64) - 1
    return _Side(first=LANES * first, rows=rows, dataset=dataset, datasets=len(starts) - 1)


def _lists(side: _Side, other: _Side, k: int) -> _Lists:
    shape = (len(side.rows), other.datasets, k)
    return _Lists(scores=np.zeros(shape), rows=np.zeros(shape, np.uint32))


@inlined
def _insert(scores: Scores, rows: Rows, k: int, score: float, row: int) -> None:
    """Put a row into the list of k that it is held against, or leave it out."""
    at = k
    while at > 0 and (scores[at - 1] < score or (scores[at - 1] == score and rows[at - 1] > row)):
        at -= 1
    for place in range(k - 1, at, -1):
        scores[place], rows[place] = scores[place - 1], rows[place - 1]
    if at < k:
        scores[at], rows[at] = score, row


@compiled
def _enter(
    scores: Scores,
    places: Numbers,
    k: int,
    first_left: int,
    left_rows: Rows,
    left_dataset: Numbers,
    best_left_scores: Scores,
    best_left_rows: Rows,
    first_right: int,
    right_rows: Rows,
    right_dataset: Numbers,
    best_right_scores: Scores,
    best_right_rows: Rows,
) -> None:
    """Enter pairs into the lists of both of their rows."""
    for pair in range(scores.size):
        left, right = (places[pair] >> 32) - first_left, (places[pair] & 0xFFFFFFFF) - first_right
        ours, theirs = right_dataset[right], left_dataset[left]
        _insert(best_left_scores[left, ours], best_left_rows[left, ours], k, scores[pair], right_rows[right])
        _insert(best_right_scores[right, theirs], best_right_rows[right, theirs], k, scores[pair], left_rows[left])


def _listed(side: _Side, lists: _Lists) -> tuple[Scores, Rows, Rows]:
    """Give the score, the row and the other row of whatever is in a list."""
    listed = lists.scores > 0
    return lists.scores[listed], side.rows[np.nonzero(listed)[0]], lists.rows[listed]


def _united(by_left: tuple[Scores, Rows, Rows], by_right: tuple[Scores, Rows, Rows]) -> Pairs:
    similarity = np.concatenate([by_left[0], by_right[0]])
    left_row, right_row = np.concatenate([by_left[1], by_right[2]]), np.concatenate([by_left[2], by_right[1]])
    _, firsts = np.unique(left_row.astype(np.uint64) << np.uint64(32) | right_row, return_index=True)
    return Pairs(similarity=similarity[firsts], left_row=left_row[firsts], right_row=right_row[firsts])
