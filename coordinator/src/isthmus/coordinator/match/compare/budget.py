"""Which candidates fit into what rows may still answer for, in compiled code."""

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.compiled import compiled

Rows = NDArray[np.uint32]


@compiled
def take_within(left_row: Rows, right_row: Rows, left_room: Rows, right_room: Rows, taken: NDArray[np.bool_]) -> None:
    """Note each pair in turn as taken while both of its rows have room, and take that room."""
    for pair in range(left_row.size):
        left, right = left_row[pair], right_row[pair]
        if left_room[left] and right_room[right]:
            left_room[left] -= np.uint32(1)
            right_room[right] -= np.uint32(1)
            taken[pair] = True
