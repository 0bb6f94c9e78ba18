"""How many common bits two rows need among the words read so far: sums of one number of each row.

Two rows of p and q set bits qualify when 2 c / (p + q) >= threshold, c the bits that they have in common. If their
heads have h of them, c is at most h + min(tail of the one, tail of the other). So a pair is out when h stays below
t p / 2 + t q / 2 - one tail, of either row. Each row brings two numbers for this, rounded down: *near* is t p / 2, and
*far* is near less the row's own tail; a pair needs near + far both ways. The exact score drops what this keeps in
vain.
"""

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.blocks import Blocks, count_heads

NEVER = 2**40
"""The limit of a row that fills a block: more bits than any CLK has."""

SLACK = 1e-9
"""Taken off a bound before it is rounded down. A score in double precision may reach a threshold that it misses by less
than one part in 10**15; no CLK is so long that this slack, far greater, keeps more than a bit in vain."""

Limits = NDArray[np.int64]
"""Near and far of each row, int64, shape (2, rows)."""


def exact_limits(blocks: Blocks, *, words: int, threshold: float) -> Limits:
    """Give the limits after the first words of a row; with all words read, they leave only the last rounding open."""
    near = np.floor(blocks.counts * (threshold / 2) * (1 - SLACK)).astype(np.int64)
    tails = blocks.counts - count_heads(blocks, words=words)
    return never_filling(blocks, np.stack([near, near - tails]))


def never_filling(blocks: Blocks, limits: Limits) -> Limits:
    """Give the limits with those of rows that fill out of reach."""
    return np.where(blocks.counts > 0, limits, NEVER)


def windows(left: Blocks, right: Blocks, *, threshold: float) -> NDArray[np.int64]:
    """Give, for each left half block, the right blocks with numbers of set bits that can qualify.

    Shape (2, left half blocks): first and last, exclusive. As no more bits are common than the smaller row has, the
    larger has at most (2 - t) / t times as many.
    """
    ratio = (2 - threshold) / threshold * (1 + SLACK)
    left_least, left_most = _ranges(left.counts, 4)
    right_least, right_most = _ranges(right.counts, 8)
    first = np.searchsorted(right_most, left_least / ratio, side="left")
    last = np.searchsorted(right_least, left_most * ratio, side="right")
    return np.stack([first, last]).astype(np.int64)


def _ranges(counts: NDArray[np.int64], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the least and the most set bits of each so many rows; rows that fill count as the most of all."""
    ordered = np.maximum.accumulate(counts).reshape(-1, size)
    return ordered[:, 0], ordered[:, -1]
