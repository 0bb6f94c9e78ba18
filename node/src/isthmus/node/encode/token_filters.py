"""Bloom filters of values: the filter of a value is the OR of the packed filters of its tokens.

Each distinct token is hashed once and spread out once for each number of bits that it sets; from then on a value
costs a few gathered cache lines a token, whatever the number of bits.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import numpy as np

from isthmus.contract.linkage_schema import Strategy
from isthmus.node.encode.columns import Indices, TokenColumn, Vocabulary
from isthmus.node.encode.filters import WORD_BITS, Filters, bits_of_tokens, words_of
from isthmus.node.encode.hashing import Positions, TokenHasher

_BLOCK_CELLS: Final = 2**22
"""How many bits, one byte each, are spread out at a time."""

_BLOCK_BYTES: Final = 2**17
"""So much of the values' filters is filled at a time: what is gathered stays in a core's cache."""

_PIECE_BYTES: Final = 2**23
"""The most that the filters of the tokens which are gathered at a time may take, were they all different."""

_KEPT_BYTES: Final = 2**21
"""When the filters of tokens take more, all are dropped: bounded memory where new tokens never end."""


class TokenHashes:
    """The seeds of one feature's tokens: each token is hashed once, and again only if more bits are asked of it.

    When over `limit` seeds are kept, all are dropped: bounded memory where new tokens never end.
    """

    def __init__(self, hasher: TokenHasher, *, limit: int = 2**12) -> None:
        """Keep the hasher; hash nothing yet."""
        self._hasher, self._limit = hasher, limit
        self._seeds: dict[bytes, tuple[int, bytes]] = {}

    def positions(self, tokens: Sequence[bytes], count: int) -> Positions:
        """Give the first `count` positions of each token: int64, shape (tokens, count)."""
        if len(self._seeds) > self._limit:
            self._seeds.clear()
        return self._hasher.positions([self._seed(token, count) for token in tokens], count)

    def _seed(self, token: bytes, count: int) -> bytes:
        known, seed = self._seeds.get(token, (0, b""))
        if known < count:
            seed = self._hasher.seed(token, count)
            self._seeds[token] = (count, seed)
        return seed


class TokenFilters:
    """The packed filters of one feature's tokens under its key, made when first asked for and kept across slabs."""

    def __init__(self, hasher: TokenHasher, *, filter_bits: int, kept_bytes: int | None = None) -> None:
        """Keep the hasher; hash nothing yet."""
        self._hashes, self._filter_bits = TokenHashes(hasher), filter_bits
        self.words = words_of(filter_bits)
        self._limit = (_KEPT_BYTES if kept_bytes is None else kept_bytes) // (8 * self.words)
        self._filters: Filters = np.empty((0, self.words), dtype=np.uint64)
        self._vocabulary = Vocabulary("utf-8")
        self._used = 0
        self._row_of: dict[int, Indices] = {}

    def use(self, vocabulary: Vocabulary) -> None:
        """Take tokens by their numbers in this vocabulary from now on."""
        if vocabulary is not self._vocabulary:
            self._forget()
            self._vocabulary = vocabulary

    def unite(self, tokens: Indices, bits: int, *, into: Filters) -> None:
        """OR the filters of each value's tokens, which set so many bits each, into the filter of the value.

        Args:
            tokens: shape (places, values), numbers in the vocabulary.
            bits: at least 1.
            into: shape (values, words).
        """
        gathered = np.empty_like(into)
        for piece in blocks(0, len(tokens), _PIECE_BYTES // into.nbytes):
            for rows in self._rows(tokens[piece], bits):
                # The mode spares a copy; all rows are inside.
                np.take(self._filters, rows, axis=0, out=gathered, mode="clip")
                into |= gathered

    def _rows(self, tokens: Indices, bits: int) -> Indices:
        """Give the place of each token's filter, after making those that are missing."""
        rows = self._known(bits)[tokens]
        missing = _distinct(tokens[rows < 0])
        if not len(missing):
            return rows
        if self._used + len(missing) > self._limit:
            self._forget()
            missing = _distinct(tokens)
        self._make(missing, bits)
        return self._row_of[bits][tokens]

    def _known(self, bits: int) -> Indices:
        """Give the place of each token's filter, for all of the vocabulary; -1 where it is not made."""
        size = len(self._vocabulary.tokens)
        known = self._row_of.get(bits, np.empty(0, dtype=np.int64))
        if len(known) < size:
            known = np.concatenate([known, np.full(size - len(known), -1)])
            self._row_of[bits] = known
        return known

    def _make(self, tokens: Indices, bits: int) -> None:
        end = self._used + len(tokens)
        if end > len(self._filters):
            room = max(end, min(2 * self._used, self._limit))
            spare = np.empty((room - self._used, self.words), dtype=np.uint64)
            self._filters = np.concatenate([self._filters[: self._used], spare])
        self._known(bits)[tokens] = np.arange(self._used, end)
        made = self._filters[self._used : end]
        for block in blocks(0, len(tokens), _BLOCK_CELLS // max(self._filter_bits, bits)):
            some = [self._vocabulary.tokens[token] for token in tokens[block].tolist()]
            made[block] = _packed(self._hashes.positions(some, bits), self._filter_bits)
        self._used = end

    def _forget(self) -> None:
        self._used = 0
        self._row_of.clear()


class ValueFilters:
    """The packed filters of one feature's values under its key, kept for as long as the values keep their numbers."""

    def __init__(self, tokens: TokenFilters, *, strategy: Strategy) -> None:
        """Keep what makes filters; make none yet."""
        self._tokens, self._strategy = tokens, strategy
        self._filters: Filters = np.empty((0, tokens.words), dtype=np.uint64)

    def take_in(self, column: TokenColumn) -> Filters:
        """Make the filters of the new values; give those of all, by number, valid until the next column.

        Columns come from one tokenizer, none left out.
        """
        if column.value_count > len(self._filters):
            grown = np.empty((max(column.value_count, 2 * len(self._filters)), self._tokens.words), dtype=np.uint64)
            grown[: column.known] = self._filters[: column.known]
            self._filters = grown
        make_filters(column, strategy=self._strategy, tokens=self._tokens, into=self._filters)
        return self._filters


def make_filters(column: TokenColumn, *, strategy: Strategy, tokens: TokenFilters, into: Filters) -> None:
    """Put the packed Bloom filter of each new value of a column into the row of its number.

    Args:
        column: values and their tokens.
        strategy: how many bits a value sets; this and not the strategy of the column's own feature counts.
        tokens: filters of the tokens under the key of the feature.
        into: uint64, shape (`column.value_count` or more, words).
    """
    tokens.use(column.vocabulary)
    for group in column.groups:
        runs = list(_runs(len(group.tokens), strategy))
        for block in blocks(0, len(group.values), _BLOCK_BYTES // (8 * tokens.words)):
            united = np.zeros((block.stop - block.start, tokens.words), dtype=np.uint64)
            for bits, places in runs:
                tokens.unite(group.tokens[places, block], bits, into=united)
            into[group.values[block]] = united


def row_filters(values: Filters, value_of_row: Indices, *, into: Filters) -> None:
    """OR the filter of each row's value into the row's filter."""
    step = max(1, _BLOCK_BYTES // (8 * into.shape[1]))
    gathered = np.empty((min(step, len(into)), into.shape[1]), dtype=np.uint64)
    for block in blocks(0, len(into), step):
        some = gathered[: block.stop - block.start]
        np.take(values, value_of_row[block], axis=0, out=some, mode="clip")
        into[block] |= some


def blocks(start: int, stop: int, step: int) -> Iterator[slice]:
    """Cut a range into slices of at most `step`, or of 1."""
    for first in range(start, stop, max(1, step)):
        yield slice(first, min(first + max(1, step), stop))


def _runs(count: int, strategy: Strategy) -> Iterator[tuple[int, slice]]:
    """Give which neighbouring tokens of a value of so many set how many bits each; those that set none are left out."""
    bits = bits_of_tokens(np.array([count]), strategy)
    ends = np.flatnonzero(np.diff(bits, append=-1)) + 1
    for start, end in pairwise([0, *ends.tolist()]):
        if bits[start]:
            yield int(bits[start]), slice(start, end)


def _distinct(numbers: Indices) -> Indices:
    present = np.zeros(numbers.max(initial=-1) + 1, dtype=np.bool_)
    present[numbers] = True
    return np.flatnonzero(present)


def _packed(positions: Positions, filter_bits: int) -> Filters:
    cells = np.zeros((len(positions), words_of(filter_bits) * WORD_BITS), dtype=np.bool_)
    starts = np.arange(len(positions))[:, None] * cells.shape[1]
    cells.reshape(-1)[starts + positions] = True
    return np.packbits(cells, axis=1).view(np.uint64)
