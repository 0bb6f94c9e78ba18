"""The seam between matching and the programs that compare CLKs: what an engine is asked and what it gives back.

A pair of rows of two providers is a candidate pair when its Dice similarity is equal to the threshold or greater
(docs/protocol.md). Every engine gives the same pairs, the same float64 scores and the same order. Rows of one provider
are compared with each other only where its dataset repeats people.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.runs import Runs

Progress = Callable[[int, int], None]
"""Told how many pairs are compared so far and how many in all; the first never falls, and ends at the second."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CandidatePairs:
    """Candidate pairs, best first: five arrays of one length, one entry for each pair.

    Order: falling similarity, then left dataset, right dataset, left row, right row, all rising. In each pair the left
    dataset comes before the right one; in a pair inside a dataset of `repeating`, the left row before the right one.
    No pair comes twice: grouping counts pairs. Raises `ValueError` where types, lengths or sides are wrong, the
    similarity rises, or a pair comes twice.
    """

    similarity: NDArray[np.float64]
    left_dataset: NDArray[np.uint32]
    right_dataset: NDArray[np.uint32]
    left_row: NDArray[np.uint32]
    right_row: NDArray[np.uint32]
    repeating: frozenset[int] = frozenset()
    """The datasets that may hold a person more than once: only these are compared with themselves."""

    def __post_init__(self) -> None:
        """Check types, lengths, sides and order."""
        indices = (self.left_dataset, self.right_dataset, self.left_row, self.right_row)
        if self.similarity.dtype != np.float64 or any(index.dtype != np.uint32 for index in indices):
            raise ValueError("similarity must be float64 and every index uint32")
        if self.similarity.ndim != 1 or any(index.shape != self.similarity.shape for index in indices):
            raise ValueError("the arrays must have one axis and one length")
        if not self._sides_in_order():
            raise ValueError("the left dataset of a pair must come before the right one")
        if bool(np.any(np.diff(self.similarity) > 0)):
            raise ValueError("the pairs must come with falling similarity")
        if self._any_twice():
            raise ValueError("a pair comes twice")

    def __len__(self) -> int:
        """How many pairs there are."""
        return int(self.similarity.size)

    def _sides_in_order(self) -> bool:
        before = self.left_dataset < self.right_dataset
        if not self.repeating:
            return bool(np.all(before))
        inside = (self.left_dataset == self.right_dataset) & np.isin(self.left_dataset, list(self.repeating))
        return bool(np.all(before | inside & (self.left_row < self.right_row)))

    def _any_twice(self) -> bool:
        left = self.left_dataset.astype(np.uint64) << np.uint64(32) | self.left_row
        right = self.right_dataset.astype(np.uint64) << np.uint64(32) | self.right_row
        order = np.lexsort((right, left))
        same = (np.diff(left[order]) == 0) & (np.diff(right[order]) == 0)
        return bool(np.any(same))


class SimilarityEngine(Protocol):
    """Compares all rows of all datasets, each dataset with each other one, and with itself where it repeats people.

    Where datasets are in buckets, only rows that share one are compared.
    """

    @property
    def max_pairs(self) -> int:
        """How many candidate pairs it holds at most."""
        ...

    def candidate_pairs(
        self,
        datasets: Sequence[Dataset],
        *,
        threshold: float,
        progress: Progress,
        best_of_row: int | None = None,
        runs: Runs | None = None,
    ) -> CandidatePairs:
        """Give every candidate pair, best first.

        Args:
            datasets: any number, all of one CLK length, and either all in buckets of the same keys or none.
            threshold: in [0.1, 1]; a pair qualifies when its similarity is equal or greater.
            progress: called once before the first comparison and then after every part of the work.
            best_of_row: give only pairs among so many best of one of their rows, per dataset of the other row; of
                pairs that are equally good, those with the lowest number of the other row. None for all pairs.
            runs: where to keep what is found until all is done, and to find what an earlier try kept; in memory if not
                given. What is there under other datasets or another threshold is left alone.

        Raises:
            ValueError: the datasets differ in CLK length or block keys, or a number is out of range.
            TooManyCandidates: more pairs qualify than the engine was told to hold; not asked of the best of each row.
            CrowdedRows: more pairs of one row qualify than it was told to hold; nor is this.
        """
        ...


LOWEST_THRESHOLD = 0.1
"""Unrelated CLKs score far above this; a lower threshold would make every pair a candidate."""


def repeating(datasets: Sequence[Dataset]) -> frozenset[int]:
    """Give the places of the datasets that repeat people."""
    return frozenset(place for place, dataset in enumerate(datasets) if dataset.repeats)


def count_comparisons(sizes: Sequence[int], *, repeating: Collection[int]) -> int:
    """Give how many pairs of rows are compared of datasets of so many rows."""
    between = sum(left * right for left, right in combinations(sizes, 2))
    return between + sum(sizes[place] * (sizes[place] - 1) // 2 for place in repeating)


def check_comparable(datasets: Sequence[Dataset], threshold: float) -> None:
    """Raise `ValueError` unless the datasets agree in CLK length and block keys and the threshold is in [0.1, 1]."""
    if len({dataset.clk_bytes for dataset in datasets}) > 1:
        raise ValueError("the datasets differ in CLK length")
    if len({None if dataset.buckets is None else dataset.buckets.shape[1] for dataset in datasets}) > 1:
        raise ValueError("the datasets differ in their number of block keys")
    if not LOWEST_THRESHOLD <= threshold <= 1:
        raise ValueError("the threshold must lie between 0.1 and 1")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Candidate pairs of one part of the work, in any order; the dtypes are those of `CandidatePairs`."""

    left_dataset: int
    right_dataset: int
    similarity: NDArray[np.float64]
    left_row: NDArray[np.uint32]
    right_row: NDArray[np.uint32]


def merge_found(parts: Sequence[Found], *, repeating: frozenset[int] = frozenset()) -> CandidatePairs:
    """Give all pairs of all parts in the one order, whatever the order of the parts."""
    similarity = np.concatenate([np.empty(0, np.float64), *(part.similarity for part in parts)])
    left_dataset = _datasets([(part.left_dataset, part.similarity.size) for part in parts])
    right_dataset = _datasets([(part.right_dataset, part.similarity.size) for part in parts])
    left_row = np.concatenate([np.empty(0, np.uint32), *(part.left_row for part in parts)])
    right_row = np.concatenate([np.empty(0, np.uint32), *(part.right_row for part in parts)])
    order = np.lexsort((right_row, left_row, right_dataset, left_dataset, -similarity))
    return CandidatePairs(
        similarity=similarity[order],
        left_dataset=left_dataset[order],
        right_dataset=right_dataset[order],
        left_row=left_row[order],
        right_row=right_row[order],
        repeating=repeating,
    )


def _datasets(runs: Sequence[tuple[int, int]]) -> NDArray[np.uint32]:
    index = np.array([dataset for dataset, _ in runs], np.uint32)
    return np.repeat(index, np.array([length for _, length in runs], np.intp))
