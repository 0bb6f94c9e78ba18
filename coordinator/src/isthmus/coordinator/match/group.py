"""From candidate pairs to entities: which rows of which providers are judged to be one person.

Best pair first, two groups of rows are joined when every pair of rows between them has come (complete linkage, greedy;
docs/protocol.md section 7). Rows of one provider are no candidates of each other, so an entity holds at most one row of
each; but for providers whose rows repeat people, which are compared with themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.engine import CandidatePairs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Groups:
    """The linked rows and their entities: three uint32 arrays of one length, one entry for each linked row.

    Entries come by rising entity, dataset, row. Entities count from 0 in the order of their first (dataset, row). Each
    has at least two rows; only a dataset in `repeating` can have two in one entity. Raises `ValueError` where a row
    is in two entities, two rows of an entity are of one other dataset, or the order or a type is another.
    """

    dataset: NDArray[np.uint32]
    row: NDArray[np.uint32]
    entity: NDArray[np.uint32]
    repeating: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        """Check types and lengths, then every promise."""
        arrays = (self.dataset, self.row, self.entity)
        if any(array.dtype != np.uint32 or array.shape != (len(self),) for array in arrays):
            raise ValueError("the arrays must be uint32, of one axis and one length")
        if not self._in_order():
            raise ValueError("entries must come by entity, then dataset, with one row of a dataset at most")
        if bool(np.any(np.bincount(self.entity) < 2)):
            raise ValueError("an entity must have two rows, and numbers must have no gap")
        rows = self._rows()
        firsts = rows[self._firsts()]
        rows.sort()
        if bool(np.any(rows[1:] == rows[:-1])):
            raise ValueError("a row may be in one entity only")
        if bool(np.any(firsts[1:] <= firsts[:-1])):
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
        next_row = self.dataset[1:] > self.dataset[:-1]
        if self.repeating:
            repeats = (self.dataset[1:] == self.dataset[:-1]) & np.isin(self.dataset[1:], list(self.repeating))
            next_row |= repeats & (self.row[1:] > self.row[:-1])
        return bool(np.all(next_entity | same_entity & next_row))

    def _rows(self) -> NDArray[np.uint64]:
        return self.dataset.astype(np.uint64) << np.uint64(32) | self.row

    def _firsts(self) -> NDArray[np.intp]:
        return np.flatnonzero(np.diff(self.entity, prepend=np.uint32(2**32 - 1)))


def group_rows(pairs: CandidatePairs, *, sizes: Sequence[int]) -> Groups:
    """Give the entities that the pairs make; `sizes` are the numbers of rows of the datasets.

    Deterministic: the pairs alone decide. Beside pairs and result it takes some 60 bytes a pair at most and 4 a row.
    Raises `ValueError` for a pair whose dataset or row is out of range.
    """
    # numba takes half a second and 60 MB to load: only where there is something to group.
    from isthmus.coordinator.match.solver import solve  # noqa: PLC0415 - as said above

    members = solve(
        (pairs.left_dataset, pairs.right_dataset),
        (pairs.left_row, pairs.right_row),
        sizes=sizes,
        repeating=pairs.repeating,
    )
    return Groups(dataset=members.dataset, row=members.row, entity=members.entity, repeating=pairs.repeating)


def pairs_inside(pairs: CandidatePairs) -> CandidatePairs:
    """Give the pairs of rows of one dataset, in their order."""
    inside = pairs.left_dataset == pairs.right_dataset
    return CandidatePairs(
        similarity=pairs.similarity[inside],
        left_dataset=pairs.left_dataset[inside],
        right_dataset=pairs.right_dataset[inside],
        left_row=pairs.left_row[inside],
        right_row=pairs.right_row[inside],
        repeating=pairs.repeating,
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
    check_range(pairs.left_dataset, pairs.left_row, sizes)
    check_range(pairs.right_dataset, pairs.right_row, sizes)
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
        repeating=pairs.repeating,
    )


def check_range(dataset: NDArray[np.uint32], row: NDArray[np.uint32], sizes: Sequence[int]) -> None:
    """Raise `ValueError` unless the datasets, of so many rows, hold the rows."""
    limit = np.array([*sizes, 0], np.int64)
    # A dataset beyond the last is read as the empty one that stands there, so its rows are out of range too.
    if bool(np.any(row >= limit[np.minimum(dataset, len(sizes))])):
        raise ValueError("a pair names a row that no dataset holds")
