"""Comparing two sides of rows: all pairs that reach a threshold, part by part, in bounded memory.

A `Comparison` is everything that the parts of the work share; `plan` makes it, `parts` cuts it, `join` does one part.
Parts may run in threads: compiled code holds no lock.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.blocks import Blocks, realigned
from isthmus.coordinator.match.kernels.lanes import LANES, aligned
from isthmus.coordinator.match.kernels.limits import Limits, windows
from isthmus.coordinator.match.kernels.processors import Kernel
from isthmus.coordinator.match.kernels.sift import ENTRIES, sift
from isthmus.coordinator.match.kernels.stages import choose_heads, stage_limits

LEFT_BLOCKS, RIGHT_BLOCKS = 512, 2048
"""Blocks of a part: 4,096 rows against 16,384, some tenth of a second."""

CHUNK_PAIRS = 2**16
"""Pairs found that are handed over at once; at least what one step of sifting may find."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """Two sides, the threshold, and what decides when reading on is vain.

    Attributes:
        threshold: above 0; a pair qualifies when its Dice similarity is equal or greater.
        heads: words read after each stage, rising; the last is all.
        left_limits, right_limits: int64, aligned, shape (stages, 2, rows).
        windows: int64, shape (2, left half blocks): `limits.windows`.
    """

    kernel: Kernel
    left: Blocks
    right: Blocks
    threshold: float
    heads: tuple[int, ...]
    left_limits: NDArray[np.int64]
    right_limits: NDArray[np.int64]
    windows: NDArray[np.int64]

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle so that what comes out on another machine is aligned there, and of the types that code is kept for."""
        numbers = (self.left_limits, self.right_limits, self.windows)
        return _unpickled, (self.kernel, self.left, self.right, self.threshold, self.heads, numbers)


def _unpickled(
    kernel: Kernel,
    left: Blocks,
    right: Blocks,
    threshold: float,
    heads: tuple[int, ...],
    numbers: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
) -> "Comparison":
    left_limits, right_limits, inside = map(realigned, numbers)
    return Comparison(
        kernel=kernel,
        left=left,
        right=right,
        threshold=threshold,
        heads=heads,
        left_limits=left_limits,
        right_limits=right_limits,
        windows=inside,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Some blocks of one side against some of the other; the last are exclusive."""

    first_left: int
    last_left: int
    first_right: int
    last_right: int

    @property
    def pairs(self) -> int:
        """How many pairs of rows it compares, those counted in that fill a block."""
        return LANES**2 * (self.last_left - self.first_left) * (self.last_right - self.first_right)


def halved(part: Part) -> tuple[Part, Part]:
    """Cut a part of more than one block a side in two along its longer side."""
    if part.last_left - part.first_left >= part.last_right - part.first_right:
        middle = (part.first_left + part.last_left) // 2
        return replace(part, last_left=middle), replace(part, first_left=middle)
    middle = (part.first_right + part.last_right) // 2
    return replace(part, last_right=middle), replace(part, first_right=middle)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """Pairs in no promised order, by the numbers that the rows came under: float64, uint32, uint32, of one length."""

    similarity: NDArray[np.float64]
    left_row: NDArray[np.uint32]
    right_row: NDArray[np.uint32]

    def __len__(self) -> int:
        """How many pairs there are."""
        return int(self.similarity.size)


def plan(
    left: Blocks,
    right: Blocks,
    *,
    threshold: float,
    kernel: Kernel,
    miss: float = 0.0,
    heads: tuple[int, ...] | None = None,
) -> Comparison:
    """Give the comparison of two sides.

    Args:
        left, right: of one number of words a row.
        threshold: in (0, 1].
        kernel: how to count.
        miss: 0 for every pair that qualifies. Above, up to which probability a pair may be missed, if bits are
            exchangeable (`exchangeable`); from 1e-9. Pairs found have their exact scores all the same.
        heads: words read after each stage, rising, the last all of them; chosen by a sample if not given.

    Raises:
        ValueError: the sides differ in words, or a number is out of range.
    """
    if left.words_a_row != right.words_a_row:
        raise ValueError("the sides differ in CLK length")
    if not 0 < threshold <= 1 or not (miss == 0 or 1e-9 <= miss < 1):
        raise ValueError("the threshold must lie in (0, 1] and miss be 0 or in [1e-9, 1)")
    heads = heads or choose_heads(left, right, threshold=threshold, miss=miss)
    limits = stage_limits(left, right, heads=heads, threshold=threshold, miss=miss)
    return Comparison(
        kernel=kernel,
        left=left,
        right=right,
        threshold=threshold,
        heads=heads,
        left_limits=_aligned([each for each, _ in limits]),
        right_limits=_aligned([each for _, each in limits]),
        windows=windows(left, right, threshold=threshold),
    )


def _aligned(limits: list[Limits]) -> NDArray[np.int64]:
    stages = aligned((len(limits), *limits[0].shape), np.int64)
    stages[:] = limits
    return stages


def parts(comparison: Comparison) -> list[Part]:
    """Cut the work; nothing is left out, and no pair is in two parts."""
    left, right = comparison.left.blocks, comparison.right.blocks
    return [
        Part(
            first_left=row,
            last_left=min(row + LEFT_BLOCKS, left),
            first_right=column,
            last_right=min(column + RIGHT_BLOCKS, right),
        )
        for row, column in product(range(0, left, LEFT_BLOCKS), range(0, right, RIGHT_BLOCKS))
    ]


def join(comparison: Comparison, part: Part) -> Iterator[Pairs]:
    """Give the pairs of a part that qualify, at most `CHUNK_PAIRS` at once: what is held is up to the caller."""
    for scores, places in sifted(comparison, part):
        yield Pairs(
            similarity=scores.copy(),
            left_row=comparison.left.rows[places >> 32],
            right_row=comparison.right.rows[places & 0xFFFFFFFF],
        )


def sifted(comparison: Comparison, part: Part) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
    """Give the pairs of a part that qualify as `sift` does, at most `CHUNK_PAIRS` at once, valid until the next.

    Of each its score, and its place: number of the left row in its blocks << 32 | that of the right row.
    """
    left, right = comparison.left, comparison.right
    scores, places = np.empty(CHUNK_PAIRS), np.empty(CHUNK_PAIRS, np.int64)
    sums, entries = aligned((LANES * (ENTRIES + 1),), np.int64), np.empty(ENTRIES + 1, np.int64)
    halves = (2 * part.first_left, 2 * part.last_left, part.first_right, part.last_right)
    heads, step = np.array(comparison.heads), 0
    while step >= 0:
        found, step = sift(
            comparison.kernel.unit,
            left.words.reshape(-1),
            left.counts,
            comparison.left_limits.reshape(-1),
            right.words.reshape(-1),
            right.counts,
            comparison.right_limits.reshape(-1),
            heads,
            comparison.windows.reshape(-1),
            comparison.threshold,
            halves,
            step,
            sums,
            entries,
            scores,
            places,
        )
        yield scores[:found], places[:found]
