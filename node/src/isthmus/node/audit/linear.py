"""Undoing linear diffusion without the key: the columns of the secret map are found from encodings alone.

Diffused vectors are sums over GF(2) of the map's **columns**: column p holds the output bits that tap input position p,
some taps x output / input of them. Once there are more independent rows than input positions, the rows span what the
columns span, and the columns are by far the lightest words in it. Such words are found by information-set decoding
(Prange 1962; Lee and Brickell 1988; Stern 1989): after elimination at random positions a light word is the sum of very
few rows. Known columns help: an output bit that has all its taps in known columns is zero in every other column, and
elimination may begin there. With the columns, the filters follow by linear algebra, but for the order of their bits.

No person and no plaintext is needed. That the map is sparse is what makes it keep similarity, and what breaks it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.node.audit.vectors import Packed, Rows

Words = NDArray[np.uint64]
"""Rows of bits, 64 a word, the first bit highest."""

ENOUGH: Final = 1.1
"""The search stops with so many equations for each column found; the filters' other bits are given up."""

_WORD: Final = np.dtype(">u8")
_ONE: Final = np.uint64(1)
_PAIRED_ROWS: Final = 512
_MOST_MATCHES: Final = 20_000
_WINDOWS: Final = 2
_HEAVIEST: Final = 1.5
"""Weight, as a multiple of a column's mean, over which a word is rather the sum of two columns."""

_TRUSTED: Final = 0.8
"""Share of the output bits that seem to be known which an elimination begins with: some may be wrong."""

Progress = Callable[[int, int], None]
"""(done, total): columns found, columns there are."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recovered:
    """What was found of a map. `columns`: uint8, shape (found, output_bits / 8).

    `rounds`: how many eliminations it took. `enough`: whether filters follow from the columns.
    """

    columns: Packed
    rounds: int
    enough: bool


def recover_columns(
    packed: Packed, *, taps: int, input_bits: int, rounds: int, rng: np.random.Generator, progress: Progress
) -> Recovered:
    """Find the columns of a sparse linear map in its outputs.

    Args:
        packed: uint8, shape (rows, output_bits / 8); fewer independent rows than `input_bits` hide the columns.
        taps: input positions of each output bit.
        input_bits: how many columns the map has.
        rounds: the most eliminations.
        rng: draws the positions.
        progress: told what is found.
    """
    basis, _ = _eliminated(_words(packed), rng.permutation(8 * packed.shape[1]))
    heaviest = int(_HEAVIEST * taps * 8 * packed.shape[1] / input_bits)
    found = np.zeros((0, basis.shape[1]), np.uint64)
    done = 0
    while done < rounds and not _enough(found, taps):
        progress(len(found), len(basis))
        seen = [found]
        for _ in range(10):
            short, basis = _shortened(basis, _settled(found, taps), rng)
            seen += [_light(words, heaviest) for words in _sums(short, rng)]
        done += 10
        found = lightest_basis(np.concatenate(seen))
        found = lightest_basis(np.concatenate([found, _relieved(found)]))
    return Recovered(columns=_bytes(found), rounds=done, enough=_enough(found, taps))


def gf2_rank(packed: Packed) -> int:
    """Linear rank over GF(2) of packed rows, uint8, shape (rows, bytes), bytes a multiple of 8."""
    return len(_eliminated(_words(packed), np.arange(8 * packed.shape[1]))[1])


def _enough(found: Words, taps: int) -> bool:
    return len(found) > 0 and int(_settled(found, taps).sum()) > ENOUGH * len(found)


def undiffused(packed: Packed, columns: Packed, *, taps: int) -> Packed:
    """The filters behind diffused vectors, in bits of unknown order, packed; one bit for each usable column.

    Output bits with exactly `taps` known columns are equations; the others are passed over.
    """
    usable = _settled(_words(columns), taps)
    bits = np.unpackbits(columns, axis=1)[:, usable]
    width = -(-bits.shape[1] // 64) * 64
    equations = np.zeros((len(bits), width), np.uint8)
    equations[:, : bits.shape[1]] = bits
    identity = np.zeros((len(bits), -(-len(bits) // 64) * 64), np.uint8)
    np.fill_diagonal(identity, 1)
    joined = _words(np.packbits(np.hstack([equations, identity]), axis=1))
    reduced, pivots = _eliminated(joined, np.arange(bits.shape[1]))
    back = np.unpackbits(_bytes(reduced), axis=1)[:, width : width + len(bits)].astype(np.float32)
    seen = np.unpackbits(packed, axis=1)[:, usable][:, pivots].astype(np.float32)
    # Sums stay far below 2**24, so single precision counts exactly.
    filters = (seen @ back).astype(np.int64) & 1
    # An even number of taps cannot tell a filter from its complement; but filters are sparse.
    filters ^= 2 * filters.sum(axis=1, keepdims=True) > len(bits)
    return np.packbits(filters, axis=1)


def lightest_basis(words: Words) -> Words:
    """Of some words, lightest first, those that are no sum of lighter ones taken already."""
    distinct = np.unique(words, axis=0)
    ordered = distinct[np.argsort(np.bitwise_count(distinct).sum(axis=1), kind="stable")]
    if not len(ordered):
        return ordered
    upright = np.zeros((64 * words.shape[1], -(-len(ordered) // 64) * 64), np.uint8)
    upright[:, : len(ordered)] = np.unpackbits(_bytes(ordered), axis=1).T
    # Elimination from left to right takes a column where it depends on none before it.
    return ordered[_eliminated(_words(np.packbits(upright, axis=1)), np.arange(len(ordered)))[1]]


def _relieved(words: Words) -> Words:
    """Sums of two of the words that are lighter than one of them: a light column was in a word beside another."""
    bits = np.unpackbits(_bytes(words), axis=1).astype(np.float32)
    shared = bits @ bits.T
    np.fill_diagonal(shared, 0)
    word, part = np.nonzero(2 * shared > bits.sum(axis=1))
    return words[word] ^ words[part]


def _eliminated(words: Words, order: Rows) -> tuple[Words, Rows]:
    """Reduced rows without zero rows, and the position of each row's pivot; positions are tried in this order."""
    left, pivots = words.copy(), list[int]()
    for position in order.tolist():
        if len(pivots) == len(left):
            break
        holding = (left[:, position >> 6] >> np.uint64(63 - position % 64)) & _ONE
        below = np.flatnonzero(holding[len(pivots) :])
        if len(below):
            row, here = len(pivots) + int(below[0]), len(pivots)
            left[[here, row]] = left[[row, here]]
            holding[row], holding[here] = holding[here], 0
            left[holding.astype(np.bool_)] ^= left[here]
            pivots.append(position)
    return left[: len(pivots)], np.array(pivots, np.int64)


def _settled(columns: Words, taps: int) -> NDArray[np.bool_]:
    """Which output bits have all their taps in these columns."""
    bits = np.unpackbits(_bytes(columns), axis=1)
    settled: NDArray[np.bool_] = bits.sum(axis=0, dtype=np.int64) == taps
    return settled


def _shortened(basis: Words, settled: NDArray[np.bool_], rng: np.random.Generator) -> tuple["_Systematic", Words]:
    """The words that are zero in most settled output bits, in reduced form; and a whole basis, reduced too."""
    order = rng.permutation(len(settled))
    first = settled[order] & (rng.random(len(order)) < _TRUSTED)
    reduced, pivots = _eliminated(basis, np.concatenate([order[first], order[~first]]))
    dropped = int(np.isin(pivots, order[first]).sum())
    free = np.setdiff1d(order[~first], pivots)
    return _Systematic(words=reduced[dropped:], checks=rng.permutation(free)), reduced


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Systematic:
    """Reduced rows, and the positions that are neither pivots nor zero in all of them, in random order."""

    words: Words
    checks: Rows


def _sums(short: _Systematic, rng: np.random.Generator) -> Iterator[Words]:
    """Sums of one, two and four rows, those of two and more agreeing in some positions where light words are zero."""
    words = short.words
    yield words
    if len(words) < 4 or not len(short.checks):
        return
    bits = np.unpackbits(_bytes(words), axis=1)
    for window in range(_WINDOWS):
        halves = np.array_split(rng.permutation(len(words))[: 2 * _PAIRED_ROWS], 2)
        pairs = [half[np.array(np.triu_indices(len(half), 1))] for half in halves]
        wanted = min(62, 2 * int(pairs[0].shape[1]).bit_length() + 2)
        checks = np.roll(short.checks, -window * wanted)[:wanted]
        keys = bits[:, checks].astype(np.uint64) @ (_ONE << np.arange(len(checks), dtype=np.uint64))
        yield from _matched(words, pairs, [keys[left] ^ keys[right] for left, right in pairs])


def _matched(words: Words, pairs: list[Rows], keys: list[Words]) -> Iterator[Words]:
    for (left, right), key in zip(pairs, keys, strict=True):
        zero = np.flatnonzero(key == 0)[:_MOST_MATCHES]
        yield words[left[zero]] ^ words[right[zero]]
    order = np.argsort(keys[1])
    at = np.minimum(np.searchsorted(keys[1][order], keys[0]), len(order) - 1)
    equal = np.flatnonzero((keys[1][order[at]] == keys[0]) & (keys[0] != 0))[:_MOST_MATCHES]
    (a, b), (c, d) = pairs[0][:, equal], pairs[1][:, order[at[equal]]]
    yield words[a] ^ words[b] ^ words[c] ^ words[d]


def _light(words: Words, heaviest: int) -> Words:
    weight = np.bitwise_count(words).sum(axis=1)
    light: Words = words[(weight > 0) & (weight <= heaviest)]
    return light


def _words(packed: Packed) -> Words:
    words: Words = np.ascontiguousarray(packed).view(_WORD).astype(np.uint64)
    return words


def _bytes(words: Words) -> Packed:
    return np.ascontiguousarray(words.astype(_WORD)).view(np.uint8).reshape(len(words), 8 * words.shape[1])
