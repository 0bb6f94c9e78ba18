"""Joining rows pair after pair, at most one person of a provider in a group, in compiled code."""

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.compiled import compiled, inlined

Numbers = NDArray[np.uint32]
Held = NDArray[np.uint64]
"""Which datasets each group has a row of, by its first row: shape (rows, words), a bit for each dataset."""


@compiled
def join_pairs(first: Numbers, held: Held, left: Numbers, right: Numbers) -> None:
    """Join the groups of each pair in turn, unless both hold a row of one dataset.

    Rows are numbered through; `first` leads each row to the first of its group, over others perhaps.
    """
    for pair in range(left.size):
        one, other = _first_of(first, left[pair]), _first_of(first, right[pair])
        if one == other or _share_a_dataset(held, one, other):
            continue
        if other < one:
            one, other = other, one
        first[other] = one
        for word in range(held.shape[1]):
            held[one, word] |= held[other, word]


@compiled
def lead_to_first(first: Numbers) -> None:
    """Lead every row to the first of its group at once."""
    for row in range(first.size):
        # The rows before it are led there already.
        first[row] = first[first[row]]


@inlined
def _first_of(first: Numbers, row: np.uint32) -> np.uint32:
    while first[row] != row:
        # Halving the way keeps later ways short (Tarjan and van Leeuwen, 1984).
        first[row] = first[first[row]]
        row = first[row]
    return row


@inlined
def _share_a_dataset(held: Held, one: np.uint32, other: np.uint32) -> bool:
    for word in range(held.shape[1]):  # noqa: SIM110 - compiled code knows no generator
        if held[one, word] & held[other, word]:
            return True
    return False
