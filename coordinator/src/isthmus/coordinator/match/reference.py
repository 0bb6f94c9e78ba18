"""The two functions of anonlink (Data61, 0.15.3) that matching calls, with types, and nothing else of it.

anonlink compares with the processor's popcount instruction and holds the interpreter's lock while it does, so one
process compares on one core, however many threads it has.
"""

import warnings
from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

with warnings.catch_warnings():
    # anonlink imports pkg_resources and mypy_extensions.TypedDict, which warn; each worker would print that.
    warnings.simplefilter("ignore")
    from anonlink.similarities import dice_coefficient
    from anonlink.solving import greedy_solve

NATIVE_COUNT_ROWS = 10_000
"""From this many right rows on, anonlink counts bits by a path that is wrong unless l is a multiple of 64."""


def dice_pairs(
    left: NDArray[np.uint8], right: NDArray[np.uint8], threshold: float
) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.uint32]]:
    """Give similarity, left row and right row of every pair with similarity >= threshold, in no promised order.

    anonlink first drops pairs whose bit counts differ too much, by a bound that is rounded down: at thresholds such as
    0.75 and 0.95 it loses pairs that lie exactly on them. So it is asked for a little less, and the exact scores
    decide. Fewer than `NATIVE_COUNT_ROWS` right rows.
    """
    asked = threshold * (1 - 2**-40)
    rows = ([row.tobytes() for row in left], [row.tobytes() for row in right])
    similarity, (left_row, right_row) = dice_coefficient(rows, asked)
    scores = np.array(similarity, np.float64)
    keep = scores >= threshold
    return scores[keep], np.array(left_row, np.uint32)[keep], np.array(right_row, np.uint32)[keep]


def solve_greedily(
    similarity: NDArray[np.float64],
    datasets: tuple[NDArray[np.uint32], NDArray[np.uint32]],
    rows: tuple[NDArray[np.uint32], NDArray[np.uint32]],
) -> Sequence[Sequence[tuple[int, int]]]:
    """Give groups of (dataset, row) in no promised order; the pairs must come best first.

    Two groups are joined when every pair of rows between them is a candidate pair, best pair first (complete linkage).
    """
    doubles = array("d", similarity.tobytes())
    left, right = (array("I", side.tobytes()) for side in datasets)
    groups: Sequence[Sequence[tuple[int, int]]] = greedy_solve(
        (doubles, (left, right), tuple(array("I", side.tobytes()) for side in rows))
    )
    return groups
