"""The best few of each row, in both directions, without holding every pair that reaches the floor."""

from itertools import chain

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.comparison import Comparison, Pairs, join, parts

FEWEST_HELD = 2**20
"""Pairs held at least before those are dropped that are no longer among the best."""


def best_pairs(comparison: Comparison, *, k: int, fewest_held: int = FEWEST_HELD) -> Pairs:
    """Give the pairs from the threshold on that are among the k best of their left or of their right row.

    Of pairs that are equally good, those with the lowest number of the other row count as better. Order: falling
    similarity, then left row, then right row. At no time more is held than the larger of `fewest_held` and twice what
    can be kept, and one chunk. Raises `ValueError` unless k is positive.
    """
    if k < 1:
        raise ValueError("k must be positive")
    most = max(fewest_held, 2 * k * (comparison.left.counts.size + comparison.right.counts.size))
    held = [_no_pairs()]
    for found in chain.from_iterable(join(comparison, part) for part in parts(comparison)):
        held.append(found)
        if sum(map(len, held)) > most:
            # Later pairs only push a pair further down: one that is out stays out.
            held = [_best(held, k=k)]
    return _best(held, k=k)


def _no_pairs() -> Pairs:
    return Pairs(similarity=np.empty(0), left_row=np.empty(0, np.uint32), right_row=np.empty(0, np.uint32))


def _best(held: list[Pairs], *, k: int) -> Pairs:
    similarity = np.concatenate([each.similarity for each in held])
    left = np.concatenate([each.left_row for each in held])
    right = np.concatenate([each.right_row for each in held])
    kept = _among_best(left, right, similarity, k=k) | _among_best(right, left, similarity, k=k)
    order = np.lexsort((right[kept], left[kept], -similarity[kept]))
    return Pairs(similarity=similarity[kept][order], left_row=left[kept][order], right_row=right[kept][order])


def _among_best(
    row: NDArray[np.uint32], other: NDArray[np.uint32], similarity: NDArray[np.float64], *, k: int
) -> NDArray[np.bool_]:
    """Say of each pair whether fewer than k pairs of the same row are better."""
    order = np.lexsort((other, -similarity, row))
    kept = np.ones(row.size, np.bool_)
    kept[order[k:]] = row[order[k:]] != row[order[:-k]]
    return kept
