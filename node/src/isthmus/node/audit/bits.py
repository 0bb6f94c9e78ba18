"""Frequency and pattern tests: whether equal vectors or single bits give away what the plaintexts hold.

Each figure stands beside that of random bits of the same number, density and repetition, since the largest of many
deviations is large by chance too. Sources: Kuzu, Kantarcioglu, Durham and Malin (2011) for frequencies; Christen,
Ranbaduge, Vatsalan and Schnell (2018) for sets of bits that occur together more often than chance lets them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from isthmus.node.audit.equality import equal_classes
from isthmus.node.audit.linear import gf2_rank
from isthmus.node.audit.vectors import Floats, Packed, Vectors

MOST_ROWS: Final = 2000
PATTERN_SIGMA: Final = 6.0
LARGEST_PATTERN: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class BitFigures:
    """What single bits show.

    `fill_sigma`: how far the bit that is most often or most seldom set is off the mean of all bits. `pair_sigma`: how
    far the most dependent pair of bits is off independence. Both in standard deviations. `pattern_bits`: how many bits
    a set of bits has that occur together beyond chance, 0 for none. `rank`: linear rank of the rows over GF(2).
    """

    fill_sigma: float
    pair_sigma: float
    pattern_bits: int
    rank: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFigures:
    """What one table shows without a graph.

    `repeated_percent` of its rows have a vector that another row has too; of `aligned_percent` the number of rows with
    that vector, more than one, occurs with no other vector: whoever has the list of people reads the values off it.
    `bits` are of at most `MOST_ROWS` different vectors, `chance` of random bits.
    """

    table: str
    rows: int
    repeated_percent: float
    aligned_percent: float
    bits: BitFigures
    chance: BitFigures


def examine_table(table: str, vectors: Vectors, *, rng: np.random.Generator) -> TableFigures:
    """The figures of one table."""
    packed = vectors.packed[vectors.present]
    repeated, aligned = _frequencies(vectors)
    distinct = rng.permutation(np.unique(packed, axis=0))[:MOST_ROWS]
    return TableFigures(
        table=table,
        rows=len(packed),
        repeated_percent=repeated,
        aligned_percent=aligned,
        bits=bit_figures(distinct),
        chance=bit_figures(_random_like(distinct, rng)),
    )


def bit_figures(packed: Packed) -> BitFigures:
    """Figures of packed rows, uint8, shape (rows, bits / 8); all zero where there are fewer than two rows."""
    if len(packed) < 2:
        return BitFigures(fill_sigma=0.0, pair_sigma=0.0, pattern_bits=0, rank=len(packed))
    bits = np.unpackbits(packed, axis=1).astype(np.float32)
    correlation = _correlation(bits)
    return BitFigures(
        fill_sigma=_fill_sigma(bits),
        pair_sigma=float(np.abs(correlation).max() * len(bits) ** 0.5),
        pattern_bits=_pattern_bits(bits, correlation),
        rank=gf2_rank(packed),
    )


def _frequencies(vectors: Vectors) -> tuple[float, float]:
    classes = equal_classes(vectors)[vectors.present]
    if not len(classes):
        return 0.0, 0.0
    sizes = np.bincount(np.unique(classes, return_inverse=True)[1])
    times = np.bincount(sizes)
    alone = sizes[(sizes > 1) & (times[sizes] == 1)]
    return 100 * float(sizes[sizes > 1].sum()) / len(classes), 100 * float(alone.sum()) / len(classes)


def _random_like(packed: Packed, rng: np.random.Generator) -> Packed:
    """Independent bits, each row with about as many set as it had."""
    density = np.bitwise_count(packed).mean(axis=1, keepdims=True) / 8 if len(packed) else np.empty((0, 1))
    return np.packbits(rng.random((len(packed), 8 * packed.shape[1])) < density, axis=1)


def _fill_sigma(bits: Floats) -> float:
    density = bits.mean(axis=0, dtype=np.float64)
    mean = density.mean()
    sigma = (mean * (1 - mean) / len(bits)) ** 0.5
    return float(np.abs(density - mean).max() / sigma) if sigma else 0.0


def _correlation(bits: Floats) -> Floats:
    """Correlation of every two bits over the rows, float32, shape (bits, bits), 0 on the diagonal."""
    centred = bits - bits.mean(axis=0)
    length = np.sqrt(np.square(centred).sum(axis=0))
    centred /= np.where(length > 0, length, 1)
    correlation: Floats = centred.T @ centred
    np.fill_diagonal(correlation, 0)
    return correlation


def _pattern_bits(bits: Floats, correlation: Floats) -> int:
    """Grow the most dependent pair, bit by bit, while another bit is set in its rows beyond chance."""
    first, second = divmod(int(correlation.argmax()), len(correlation))
    if correlation[first, second] * len(bits) ** 0.5 < PATTERN_SIGMA:
        return 0
    pattern = [first, second]
    density = bits.mean(axis=0, dtype=np.float64)
    sigma = np.sqrt(np.maximum(density * (1 - density), 1e-9))
    while len(pattern) < LARGEST_PATTERN:
        there = np.min(bits[:, pattern], axis=1) > 0
        if not there.any():
            break
        excess = (bits[there].mean(axis=0, dtype=np.float64) - density) / sigma * there.sum() ** 0.5
        excess[pattern] = -np.inf
        if excess.max() < PATTERN_SIGMA:
            break
        pattern.append(int(excess.argmax()))
    return len(pattern)
