"""Near misses: what two people look like who have something in common, seen by a node in its own rows.

In a provider's own data no two rows are one person, so whoever look alike there are families, neighbours, or people of
one common name. Rows that share some values are put side by side in the clear, and a mixture is fitted to the levels of
their fields. Only shares leave, rounded; no pair and no row does.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import BandPart, Comparison, Part, TagPart, VectorPart
from isthmus.contract.differences import MISSING, Differences
from isthmus.contract.kinds import Kind, Levels, Shares, counted, log_kinds, log_likelihood
from isthmus.node.compare.row_fields import Column, RowFields

Pairs = NDArray[np.uint32]
"""uint32, shape (2, pairs): two rows of the data set, the first before the second."""

SHARED_VALUES: Final = (
    ("last_name", "street_name"),
    ("last_name", "zip"),
    ("last_name", "city"),
    ("last_name", "phone"),
    ("last_name", "dob"),
    ("first_name", "last_name"),
    ("first_name", "dob"),
    ("first_name", "zip"),
    ("dob", "zip"),
    ("street_number", "street_name"),
    ("dob",),
    ("phone",),
    ("ssn",),
    ("last_name",),
)
"""Rows that share all values of one of these are put side by side."""

MOST_ROWS: Final = 60
"""More rows than that which share values have little in common."""

KINDS: Final = 2
ROUNDS: Final = 40
FEWEST_PAIRS: Final = 100
"""A kind of fewer pairs than that says nothing, and might show single ones."""

PAIRS_OF_THE_LAST_DIGIT: Final = 10
"""Shares that leave have so few decimals that the last stands for that many pairs at least."""

_RANDOM_WEIGHT: Final = 2.0
"""So many random pairs count as one of the kind, so that no level is impossible."""


def near_pairs(columns: Mapping[str, Column]) -> Pairs:
    """Give the pairs of rows that share values, each once, in order; "" is shared with nobody."""
    found: set[tuple[int, int]] = set()
    for fields in SHARED_VALUES:
        if columns.keys() >= set(fields):
            for rows in _sharing([columns[field] for field in fields]):
                found.update(combinations(rows, 2))
    return np.array(sorted(found), np.uint32).reshape(-1, 2).T


def _sharing(columns: Sequence[Column]) -> Iterator[list[int]]:
    rows_of = defaultdict(list)
    for row, values in enumerate(zip(*columns, strict=True)):
        if all(values):
            rows_of[values].append(row)
    return (rows for rows in rows_of.values() if 1 < len(rows) <= MOST_ROWS)


def own_differences(rows: RowFields, pairs: Pairs, comparison: Comparison) -> Differences:
    """Give how rows of one data set differ, as the coordinator would read it from answers, but in the clear."""
    return Differences(by_part={part.name: _difference(rows, part, *pairs) for part in comparison.parts})


def _difference(rows: RowFields, part: Part, left: NDArray[np.uint32], right: NDArray[np.uint32]) -> NDArray[np.int16]:
    if isinstance(part, VectorPart):
        vectors = rows.vectors[part.name]
        told, ours, theirs = np.bitwise_count(vectors[left] ^ vectors[right]).sum(axis=1), part.name, part.name
    elif isinstance(part, TagPart):
        ours, theirs = part.left, part.right
        told = rows.numbers[part.kind, ours][left] == rows.numbers[part.kind, theirs][right]
    else:
        told, ours, theirs = _both_bands(rows, part, left, right), part.value, part.value
    both = rows.present[ours][left] & rows.present[theirs][right]
    difference: NDArray[np.int16] = np.where(both, told, MISSING).astype(np.int16)
    return difference


def _both_bands(
    rows: RowFields, part: BandPart, left: NDArray[np.uint32], right: NDArray[np.uint32]
) -> NDArray[np.uint8]:
    bands: NDArray[np.uint8] = rows.bands[part.value][left] + rows.bands[part.value][right]
    return bands


def fit_near_misses(levels: Levels, *, random: Shares, all_pairs: int) -> tuple[Kind, ...]:
    """Fit the kinds of near misses.

    Args:
        levels: of pairs that share values, int8, shape (fields, pairs).
        random: the shares of levels in random pairs of rows of this data set.
        all_pairs: how many pairs of rows the data set has.

    Returns:
        Kinds by their share of all pairs, those of enough pairs; shares of levels are rounded. None where there is
        little to see.
    """
    if levels.shape[1] < FEWEST_PAIRS:
        return ()
    kinds = _to_begin_with(levels, random, all_pairs)
    at_random = log_likelihood(levels, random)
    for _ in range(ROUNDS):
        likelihoods = np.vstack([at_random, log_kinds(levels, kinds)])
        parts = np.exp(likelihoods - np.logaddexp.reduce(likelihoods))[1:]
        kinds = tuple(
            Kind(
                share=max(float(part.sum()), 1.0) / all_pairs,
                shares=tuple(counted(row, part, _RANDOM_WEIGHT * of) for row, of in zip(levels, random, strict=True)),
            )
            for part in parts
        )
    return tuple(_rounded(kind, all_pairs) for kind in kinds if kind.share * all_pairs >= FEWEST_PAIRS)


def _to_begin_with(levels: Levels, random: Shares, all_pairs: int) -> tuple[Kind, ...]:
    """Give kinds that differ: the pairs as they are, and as they would be, had their later fields nothing in common."""
    observed = tuple(counted(row, None, np.ones(len(of))) for row, of in zip(levels, random, strict=True))
    half = len(observed) // 2
    mixed = (*observed[:half], *random[half:])
    share = levels.shape[1] / (KINDS * all_pairs)
    return tuple(
        Kind(share=share, shares=tuple(0.7 * one + 0.3 * of for one, of in zip(shares, random, strict=True)))
        for shares in (observed, mixed)
    )


def _rounded(kind: Kind, all_pairs: int) -> Kind:
    """Round what leaves, the share of the kind to two digits; no level is impossible."""
    decimals = int(np.log10(kind.share * all_pairs / PAIRS_OF_THE_LAST_DIGIT))
    shares = (np.maximum(np.round(one, decimals), 10.0**-decimals / 10) for one in kind.shares)
    return Kind(share=float(f"{kind.share:.1e}"), shares=tuple(one / one.sum() for one in shares))
