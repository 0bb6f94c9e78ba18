"""CLKs as the kernels read them: rows sorted by their set bits, eight to a block, one word of each side by side."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.lanes import LANES, aligned

BLOCKS_AT_ONCE = 512
"""Blocks whose rows are gathered at once: 1 MB of 2,048 bits each."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Blocks:
    """The rows of one side that have any bit set, by rising number of set bits; rows of zeros fill the last block.

    Attributes:
        words: uint64, shape (blocks, words a row, 8), aligned; lane i of a block is one row.
        counts: int64, shape (8 * blocks,): set bits, 0 for a row that fills.
        rows: uint32, shape (8 * blocks,): the number that each row came under; nothing for a row that fills.
    """

    words: NDArray[np.uint64]
    counts: NDArray[np.int64]
    rows: NDArray[np.uint32]

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle so that what comes out on another machine is aligned there, and of the types that code is kept for."""
        return _unpickled, (self.words, self.counts, self.rows)

    @property
    def blocks(self) -> int:
        """How many blocks there are."""
        return int(self.words.shape[0])

    @property
    def words_a_row(self) -> int:
        """How many words one CLK takes."""
        return int(self.words.shape[1])


def block_rows(clks: NDArray[np.uint8]) -> Blocks:
    """Give the rows of packed CLKs in blocks.

    Args:
        clks: uint8, shape (rows, bytes a row), of any length; fewer than 2**31 rows. Rows without a bit are left out.
            Rows may lie apart in memory; few of them are copied at once, but where they are not whole 64-bit words.
    """
    whole = _whole_words(clks)
    counts = _count_bits(whole)
    order = np.argsort(counts, kind="stable")
    order = order[counts[order] > 0]
    blocks, words = -(-order.size // LANES), whole.shape[1]
    sliced = aligned((blocks, words, LANES), np.uint64)
    full, left_over = divmod(order.size, LANES)
    for first in range(0, full, BLOCKS_AT_ONCE):
        last = min(first + BLOCKS_AT_ONCE, full)
        rows = whole[order[first * LANES : last * LANES]]
        sliced[first:last] = rows.reshape(last - first, LANES, words).transpose(0, 2, 1)
    if left_over:
        sliced[full, :, :left_over] = whole[order[full * LANES :]].T
    filling = (0, blocks * LANES - order.size)
    return Blocks(words=sliced, counts=np.pad(counts[order], filling), rows=np.pad(order, filling).astype(np.uint32))


def count_heads(blocks: Blocks, *, words: int) -> NDArray[np.int64]:
    """Give the set bits of each row among its first words, int64, shape (8 * blocks,)."""
    counts: NDArray[np.int64] = np.bitwise_count(blocks.words[:, :words]).sum(axis=1, dtype=np.int64)
    return counts.reshape(-1)


def _whole_words(clks: NDArray[np.uint8]) -> NDArray[np.uint64]:
    missing = -clks.shape[1] % 8
    if missing or clks.strides[1] != 1:
        clks = np.pad(clks, ((0, 0), (0, missing)))
    return clks.view(np.uint64)


def _count_bits(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    counts = np.empty(len(words), np.int64)
    for first in range(0, len(words), LANES * BLOCKS_AT_ONCE):
        some = slice(first, first + LANES * BLOCKS_AT_ONCE)
        counts[some] = np.bitwise_count(words[some]).sum(axis=1, dtype=np.int64)
    return counts


def realigned(numbers: NDArray[Any]) -> NDArray[Any]:
    """Give a copy of 64-bit numbers that is aligned, contiguous and may be written to."""
    copy = aligned(numbers.shape, numbers.dtype.type)
    copy[:] = numbers
    return copy


def _unpickled(words: NDArray[np.uint64], counts: NDArray[np.int64], rows: NDArray[np.uint32]) -> Blocks:
    return Blocks(words=realigned(words), counts=counts.copy(), rows=rows.copy())
