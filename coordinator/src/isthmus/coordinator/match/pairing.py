"""Greedy grouping of two datasets that repeat nobody: a group has a row of each at most, so nothing is tallied.

A pair is taken if it is the first that its left row and its right row are taken in; whatever comes later for either
would put two rows of one dataset into a group. That is what `solver` does with these pairs, in less memory.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.compiled import compiled

Index = NDArray[np.uint32]
Columns = tuple[Index, Index, Index]
"""Dataset, row and entity of each linked row: `solver.Members`."""


def pair_up(sides: Iterable[tuple[Index, Index]], *, sizes: tuple[int, int]) -> Columns:
    """Give the rows that the pairs put together, as `solver.solve` does.

    Args:
        sides: the left and the right rows of some pairs after others, uint32, best pair first, all in range; the left
            ones of dataset 0, the right ones of dataset 1 and numbered on from those.
        sizes: how many rows the two datasets have; fewer than 2**32 together.
    """
    partners, taken = np.zeros(sizes[0], np.uint32), np.zeros(sizes[1], np.bool_)
    linked = 2 * sum(_take_pairs(partners, taken, *both) for both in sides)
    del taken
    found = (np.empty(linked, np.uint32), np.empty(linked, np.uint32), np.empty(linked, np.uint32))
    _list_members(partners, *found)
    return found


@compiled
def _take_pairs(partners: Index, taken: NDArray[np.bool_], left_rows: Index, right_rows: Index) -> int:
    """Note the partner of each left row, its number from 1; give how many came."""
    count = 0
    for pair in range(left_rows.size):
        left, right = left_rows[pair], right_rows[pair] - partners.size
        if not partners[left] and not taken[right]:
            partners[left], taken[right] = right + 1, True
            count += 1
    return count


@compiled
def _list_members(partners: Index, dataset: Index, row: Index, entity: Index) -> None:
    place = 0
    for left in range(partners.size):
        if partners[left]:
            dataset[place], dataset[place + 1] = 0, 1
            row[place], row[place + 1] = left, partners[left] - 1
            entity[place] = entity[place + 1] = place // 2
            place += 2
