"""Bloom filters of the distinct values of one column.

Each distinct token is hashed once for the column and its positions are set in the filters of all values that hold it.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.linkage_schema import BitsPerFeature, Strategy
from isthmus.node.encode.columns import Indices, TokenColumn
from isthmus.node.encode.hashing import TokenHasher

_BLOCK_CELLS: Final = 2**22
"""How many bits, one byte each, are spread out at a time: 4 MiB, so that a block stays in cache."""

WORD_BITS: Final = 64


def words_of(bits: int) -> int:
    """Give how many 64-bit words hold so many bits."""
    return -(-bits // WORD_BITS)


def compute_filters(column: TokenColumn, *, hasher: TokenHasher, filter_bits: int) -> NDArray[np.uint64]:
    """Give the packed Bloom filter of each distinct value of a column.

    Returns:
        uint64, shape (values, words): bit p of a filter is bit 7 - p % 8 of byte p // 8 in memory, as in
        `bitarray.tobytes()`; what lies beyond `filter_bits` is zero.
    """
    counts = column.counts
    packed = np.zeros((len(counts), words_of(filter_bits) * WORD_BITS // 8), dtype=np.uint8)
    bits = bits_of_tokens(counts, column.feature.strategy)
    seeds = _Seeds(column, bits, hasher)
    starts = np.concatenate(([0], np.cumsum(counts)))
    for first, end in _blocks(starts, bits, filter_bits):
        inside = slice(starts[first], starts[end])
        values = np.repeat(np.arange(end - first), counts[first:end])
        cells = _spread(values, bits[inside], *seeds.positions(inside), shape=(end - first, filter_bits))
        packed[first:end, : -(-filter_bits // 8)] = np.packbits(cells, axis=1)
    return packed.view(np.uint64)


def bits_of_tokens(counts: Indices, strategy: Strategy) -> Indices:
    """Give how many positions each token occurrence sets; int64, shape (counts.sum(),).

    Where the tokens of a value share the bits of a feature and these do not divide evenly, the first get one more.
    """
    total = int(counts.sum())
    if not isinstance(strategy, BitsPerFeature):
        return np.full(total, strategy.bits, dtype=np.int64)
    share, residue = np.divmod(strategy.bits, np.repeat(counts, counts))
    place = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    return share + (place < residue)


class _Seeds:
    """Hashes tokens on demand; keeps the seeds of those that occur more than once."""

    def __init__(self, column: TokenColumn, bits: Indices, hasher: TokenHasher) -> None:
        self._ids, self._tokens, self._hasher = column.token_ids, column.tokens, hasher
        self._needed = np.zeros(len(column.tokens), dtype=np.int64)
        np.maximum.at(self._needed, column.token_ids, bits)
        # A token that occurs once is not kept: there may be as many as rows, at hundreds of bytes each.
        self._kept = np.bincount(column.token_ids, minlength=len(column.tokens)) > 1
        self._seeds: dict[int, bytes] = {}

    def positions(self, inside: slice) -> tuple[NDArray[np.int64], Indices]:
        """Give a matrix of positions and, for each token occurrence inside the slice, its row in the matrix."""
        ids, rows = np.unique(self._ids[inside], return_inverse=True)
        count = int(self._needed[ids].max(initial=0))
        return self._hasher.positions([self._seed(token) for token in ids.tolist()], count), rows

    def _seed(self, token: int) -> bytes:
        seed = self._seeds.get(token)
        if seed is None:
            seed = self._hasher.seed(self._tokens[token], int(self._needed[token]))
            if self._kept[token]:
                self._seeds[token] = seed
        return seed


def _blocks(starts: Indices, bits: Indices, filter_bits: int) -> Iterator[tuple[int, int]]:
    values = len(starts) - 1
    bits_before = np.concatenate(([0], np.cumsum(bits)))
    widest = int(np.diff(bits_before[starts]).max(initial=0))
    step = max(1, _BLOCK_CELLS // max(filter_bits, widest))
    for first in range(0, values, step):
        yield first, min(first + step, values)


def _spread(
    values: Indices, bits: Indices, positions: NDArray[np.int64], rows: Indices, *, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    cells = np.zeros(shape, dtype=np.bool_)
    flat = cells.reshape(-1)
    for count in np.unique(bits):
        chosen = bits == count
        flat[(values[chosen] * shape[1])[:, None] + positions[rows[chosen], :count]] = True
    return cells
