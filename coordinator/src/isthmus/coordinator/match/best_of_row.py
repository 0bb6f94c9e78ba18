"""Which pairs are among the best of their rows."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.engine import CandidatePairs

Index = NDArray[np.uint32]

MOST_OF_ROW = 254
"""The highest k: ranks are kept in a byte, whose last value says that a row has enough."""


def best_of_each_row(pairs: CandidatePairs, *, k: int) -> NDArray[np.bool_]:
    """Say of each pair whether it is among the k best of its left or of its right row, per dataset of the other row.

    Pairs that are equally good go by the number of the other row, so exactly k are kept of a row that has more.
    """
    return np.asarray(_best_ranks(pairs, _rank) < k)


class BestOfEachRow:
    """`best_of_each_row` for pairs that come in parts, best first; a byte for each row and dataset is held."""

    def __init__(self, sizes: Sequence[int], *, k: int) -> None:
        """Begin; `sizes` are the rows of the datasets. Raises `ValueError` unless k is in 1 to `MOST_OF_ROW`."""
        if not 1 <= k <= MOST_OF_ROW:
            raise ValueError("k must be positive and fit into a byte")
        self._starts, self._datasets, self._k = np.cumsum([0, *sizes]), len(sizes), k
        self._seen = np.zeros(sum(sizes) * len(sizes), np.uint8)

    def kept(self, pairs: CandidatePairs) -> NDArray[np.bool_]:
        """Say of each pair of the next part whether it is kept."""
        return np.asarray(_best_ranks(pairs, self._ranks) < self._k)

    def _ranks(self, dataset: Index, row: Index, other: Index) -> NDArray[np.intp]:
        places = (self._starts[dataset] + row) * self._datasets + other
        ranks: NDArray[np.intp] = _rank(dataset, row, other) + self._seen[places]
        distinct, counts = np.unique(places, return_counts=True)
        self._seen[distinct] = np.minimum(self._seen[distinct] + counts, self._k)
        return ranks


def _best_ranks(pairs: CandidatePairs, rank: Callable[[Index, Index, Index], NDArray[np.intp]]) -> NDArray[np.intp]:
    """Give the better of the ranks that each pair has among those of its left row and among those of its right row."""
    left = pairs.left_dataset, pairs.left_row, pairs.right_dataset
    right = pairs.right_dataset, pairs.right_row, pairs.left_dataset
    if not pairs.repeating:
        return np.minimum(rank(*left), rank(*right))
    # A row of a dataset that repeats people is on either side of its pairs there, so both sides are ranked together.
    both = [np.column_stack(sides).reshape(-1) for sides in zip(left, right, strict=True)]
    return np.asarray(rank(*both).reshape(-1, 2).min(axis=1))


def _rank(dataset: Index, row: Index, other: Index) -> NDArray[np.intp]:
    """Give, for each pair, how many before it have the same row and other dataset."""
    # lexsort is stable: within a row the pairs stay best first, and equal ones by the other row.
    order = np.lexsort((row, other, dataset))
    firsts = np.ones(order.size, np.bool_)
    firsts[1:] = np.logical_or.reduce([np.diff(each[order]) != 0 for each in (dataset, row, other)])
    places = np.arange(order.size)
    ranks = np.empty(order.size, np.intp)
    ranks[order] = places - np.maximum.accumulate(np.where(firsts, places, 0))
    return ranks
