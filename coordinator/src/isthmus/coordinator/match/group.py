"""From candidate pairs to entities: which rows of which providers are judged to be one person.

Best pair first, two groups of rows are joined when every pair of rows between them is a candidate pair (complete
linkage, greedy). Rows of one provider are never candidates of each other, so an entity holds at most one row of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.reference import solve_greedily


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """The linked rows and their entities: three uint32 arrays of one length, one entry for each linked row.

    Entries come by rising entity, then dataset. Entities count from 0 in the order of their first (dataset, row), and
    each has at least two rows. Raises `ValueError` where a row is in two entities, two rows of an entity are of one
    dataset, or the order or a type is another.
    """

    dataset: NDArray[np.uint32]
    row: NDArray[np.uint32]
    entity: NDArray[np.uint32]

    def __post_init__(self) -> None:
        """Check types and lengths, then every promise."""
        arrays = (self.dataset, self.row, self.entity)
        if any(array.dtype != np.uint32 or array.shape != (len(self),) for array in arrays):
            raise ValueError("the arrays must be uint32, of one axis and one length")
        if not self._in_order():
            raise ValueError("entries must come by entity, then dataset, with one row of a dataset at most")
        if bool(np.any(np.bincount(self.entity) < 2)):
            raise ValueError("an entity must have two rows, and numbers must have no gap")
        rows = self.dataset.astype(np.uint64) << np.uint64(32) | self.row
        if np.unique(rows).size != rows.size:
            raise ValueError("a row may be in one entity only")
        if bool(np.any(rows[self._firsts()][1:] <= rows[self._firsts()][:-1])):
            raise ValueError("entities must be numbered by their first row")

    def __len__(self) -> int:
        """How many rows are linked."""
        return int(self.entity.size)

    @property
    def entities(self) -> int:
        """How many entities there are."""
        return int(self.entity[-1]) + 1 if len(self) else 0

    def _in_order(self) -> bool:
        next_entity = self.entity[1:] > self.entity[:-1]
        same_entity = self.entity[1:] == self.entity[:-1]
        return bool(np.all(next_entity | same_entity & (self.dataset[1:] > self.dataset[:-1])))

    def _firsts(self) -> NDArray[np.intp]:
        return np.flatnonzero(np.diff(self.entity, prepend=np.uint32(2**32 - 1)))


def group_rows(pairs: CandidatePairs, *, sizes: Sequence[int]) -> Groups:
    """Give the entities that the pairs make; `sizes` are the numbers of rows of the datasets.

    Deterministic: the pairs alone decide. Raises `ValueError` for a pair whose dataset or row is out of range.
    """
    _check_range(pairs.left_dataset, pairs.left_row, sizes)
    _check_range(pairs.right_dataset, pairs.right_row, sizes)
    solved = solve_greedily(
        pairs.similarity, (pairs.left_dataset, pairs.right_dataset), (pairs.left_row, pairs.right_row)
    )
    entities = sorted(sorted(group) for group in solved)
    linked = np.array([member for entity in entities for member in entity], np.uint32).reshape(-1, 2)
    lengths = [len(entity) for entity in entities]
    return Groups(
        dataset=linked[:, 0],
        row=linked[:, 1],
        entity=np.repeat(np.arange(len(entities), dtype=np.uint32), lengths),
    )


def pairs_of_kept_rows(pairs: CandidatePairs, kept: Sequence[NDArray[np.bool_]]) -> CandidatePairs:
    """Give the pairs of rows that are kept, in their order, under the numbers that these rows have among themselves.

    Args:
        pairs: of all rows.
        kept: for each dataset, bool of shape (rows,): which of its rows are kept.

    Raises:
        ValueError: a pair's dataset or row is out of range.
    """
    sizes = [one.size for one in kept]
    _check_range(pairs.left_dataset, pairs.left_row, sizes)
    _check_range(pairs.right_dataset, pairs.right_row, sizes)
    starts = np.cumsum([0, *sizes])
    keep = np.concatenate([np.empty(0, np.bool_), *kept])
    numbers = np.concatenate([np.empty(0, np.uint32), *((np.cumsum(one) - 1).astype(np.uint32) for one in kept)])
    left, right = starts[pairs.left_dataset] + pairs.left_row, starts[pairs.right_dataset] + pairs.right_row
    both = keep[left] & keep[right]
    return CandidatePairs(
        similarity=pairs.similarity[both],
        left_dataset=pairs.left_dataset[both],
        right_dataset=pairs.right_dataset[both],
        left_row=numbers[left[both]],
        right_row=numbers[right[both]],
    )


def _check_range(dataset: NDArray[np.uint32], row: NDArray[np.uint32], sizes: Sequence[int]) -> None:
    limit = np.array([*sizes, 0], np.int64)
    # A dataset beyond the last is read as the empty one that stands there, so its rows are out of range too.
    if bool(np.any(row >= limit[np.minimum(dataset, len(sizes))])):
        raise ValueError("a pair names a row that no dataset holds")
