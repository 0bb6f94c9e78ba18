"""Packed filters of single tokens, so that the filter of a value is the OR of those of its tokens.

This pays where nearly every value of a column is different though its tokens are few, as with telephone numbers: a
value then costs a few gathered cache lines, whatever the number of bits. `isthmus.node.encode.filters` is the plain
way; both give the same filters.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.linkage_schema import Strategy
from isthmus.node.encode.columns import Indices, TokenColumn
from isthmus.node.encode.filters import bits_of_tokens, words_of
from isthmus.node.encode.hashing import Positions, TokenHasher

Filters = NDArray[np.uint64]

_BLOCK_CELLS: Final = 2**22
"""How many bits, one byte each, are spread out at a time."""

_BLOCK_VALUES: Final = 2**12


class TokenHashes:
    """The seeds of one feature's tokens: each token is hashed once, and again only if more bits are asked of it.

    When over `limit` seeds are kept, all are dropped: bounded memory where new tokens never end.
    """

    def __init__(self, hasher: TokenHasher, *, limit: int = 2**13) -> None:
        """Keep the hasher; hash nothing yet."""
        self._hasher, self._limit = hasher, limit
        self._seeds: dict[bytes, tuple[int, bytes]] = {}

    def positions(self, tokens: Sequence[bytes], counts: Sequence[int]) -> Positions:
        """Give int64, shape (tokens, largest count); in a row, what lies beyond its own count means nothing."""
        if len(self._seeds) > self._limit:
            self._seeds.clear()
        seeds = [self._seed(token, count) for token, count in zip(tokens, counts, strict=True)]
        return self._hasher.positions(seeds, max(counts))

    def _seed(self, token: bytes, count: int) -> bytes:
        known, seed = self._seeds.get(token, (0, b""))
        if known < count:
            seed = self._hasher.seed(token, count)
            self._seeds[token] = (count, seed)
        return seed


def value_filters(column: TokenColumn, *, strategy: Strategy, hashes: TokenHashes, filter_bits: int) -> Filters:
    """Give the packed Bloom filter of each distinct value of a column, as `compute_filters` does.

    Args:
        column: values and their tokens.
        strategy: how many bits a value sets; this and not the strategy of the column's own feature counts.
        hashes: the tokens under the key of the feature.
        filter_bits: length of the filters, a multiple of 64.

    Returns:
        uint64, shape (values, filter_bits / 64).
    """
    bits = bits_of_tokens(column.counts, strategy)
    # A token sets fewer bits where a value is longer, so there is a filter for each token and number of bits; sorted
    # by the latter, so that blocks are of one width.
    distinct = len(column.tokens) or 1
    kinds, kind_of = np.unique(bits * distinct + column.token_ids, return_inverse=True)
    single = np.zeros((len(kinds), words_of(filter_bits)), dtype=np.uint64)
    # Kinds of no bit come first and stay empty.
    first = int(np.searchsorted(kinds, distinct))
    for block in _blocks(first, len(kinds), _BLOCK_CELLS // filter_bits):
        counts, tokens = np.divmod(kinds[block], distinct)
        positions = hashes.positions([column.tokens[token] for token in tokens.tolist()], counts.tolist())
        single[block] = _packed(positions, counts, filter_bits)
    return _united(single, kind_of, column.counts)


def _packed(positions: Positions, counts: Indices, filter_bits: int) -> Filters:
    cells = np.zeros((len(counts), filter_bits), dtype=np.bool_)
    # What lies beyond a row's count sets the row's first position once more.
    meant = np.arange(positions.shape[1]) < counts[:, None]
    np.put_along_axis(cells, np.where(meant, positions, positions[:, :1]), values=True, axis=1)
    return np.packbits(cells, axis=1).view(np.uint64)


def _united(single: Filters, kind_of: Indices, counts: Indices) -> Filters:
    """OR the filters of each value's tokens; values of one length together."""
    united = np.zeros((len(counts), single.shape[1]), dtype=np.uint64)
    starts = np.cumsum(counts) - counts
    for length in np.unique(counts[counts > 0]).tolist():
        values = np.flatnonzero(counts == length)
        for block in _blocks(0, len(values), _BLOCK_VALUES):
            kinds = kind_of[starts[values[block]][:, None] + np.arange(length)]
            filters = single[kinds[:, 0]]
            for place in range(1, length):
                filters |= single[kinds[:, place]]
            united[values[block]] = filters
    return united


def _blocks(start: int, stop: int, step: int) -> Iterator[slice]:
    for first in range(start, stop, max(1, step)):
        yield slice(first, min(first + max(1, step), stop))
