"""The function of anonlink (Data61, 0.15.3) that matching calls, with types, and nothing else of it.

anonlink compares with the processor's popcount instruction and holds the interpreter's lock while it does, so one
process compares on one core, however many threads it has.
"""

import warnings

import numpy as np
from numpy.typing import NDArray

with warnings.catch_warnings():
    # anonlink imports pkg_resources and mypy_extensions.TypedDict, which warn; each worker would print that.
    warnings.simplefilter("ignore")
    from anonlink.similarities import dice_coefficient

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
