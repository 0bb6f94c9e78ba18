"""Near misses: what two people look like who have something in common, seen by a node in its own rows.

In a provider's own data no two rows are one person, so whoever look alike there are families, neighbours, or people of
one common name. Rows that share some values are put side by side, and a mixture is fitted to the levels of their
fields: how they differ is what the coordinator would read of two providers' rows, but without pads. Only shares leave,
rounded; no pair and no row does.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import BandPart, Comparison, Part, TagPart, VectorPart
from isthmus.contract.differences import MISSING, Differences, Grades, field_levels
from isthmus.contract.kinds import Kind, Levels, Shares, counted, log_kinds, log_likelihood, random_shares
from isthmus.node.compare.row_fields import RowFields

Pairs = NDArray[np.uint32]
"""uint32, shape (2, pairs): two rows of the data set, the first before the second."""

Codes = NDArray[np.int64]
"""int64, shape (rows,): equal values of a field have equal numbers from 1 on; 0 where the row lacks it."""

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

MOST_PAIRS: Final = 2_000_000
"""Where more pairs of rows share values, fewer rows are looked at."""

RANDOM_PAIRS: Final = 100_000
_PAIRS_AT_A_TIME: Final = 2**16

KINDS: Final = 2
ROUNDS: Final = 40
FEWEST_PAIRS: Final = 100
"""A kind of fewer pairs than that says nothing, and might show single ones."""

PAIRS_OF_THE_LAST_DIGIT: Final = 10
"""Shares that leave have so few decimals that the last stands for that many pairs at least."""

_RANDOM_WEIGHT: Final = 2.0
"""So many random pairs count as one of the kind, so that no level is impossible."""


def own_near_misses(
    rows: RowFields, comparison: Comparison, *, grades: Grades, rng: np.random.Generator
) -> tuple[Kind, ...]:
    """Give the kinds of near misses among rows of one data set, as they may leave: none where there is little to see.

    Args:
        rows: of a data set or of a random sample of it, bands included.
        comparison: which parts; kinds are of its fields.
        grades: from which similarity values are alike, half alike and somewhat alike.
        rng: what random pairs are drawn by, and a smaller sample if there are too many pairs.
    """
    codes = field_codes(rows, comparison)
    chosen = rows_to_look_at(codes, rng=rng)
    if len(chosen) < 2:
        return ()
    count = len(next(iter(codes.values())))
    near = chosen[near_pairs({field: of[chosen] for field, of in codes.items()})].astype(np.uint32)
    drawn = rng.integers(0, count, (2, RANDOM_PAIRS), np.uint32)
    random = _levels(rows, drawn[:, drawn[0] != drawn[1]], comparison, grades)
    return fit_near_misses(
        _levels(rows, near, comparison, grades),
        random=random_shares(random, comparison.fields),
        all_pairs=len(chosen) * (len(chosen) - 1) // 2,
    )


def _levels(rows: RowFields, pairs: Pairs, comparison: Comparison, grades: Grades) -> Levels:
    levels = np.empty((len(comparison.fields), pairs.shape[1]), np.int8)
    for start in range(0, pairs.shape[1], _PAIRS_AT_A_TIME):
        some = slice(start, start + _PAIRS_AT_A_TIME)
        levels[:, some] = field_levels(
            own_differences(rows, pairs[:, some], comparison), comparison.fields, grades=grades
        )
    return levels


def field_codes(rows: RowFields, comparison: Comparison) -> dict[str, Codes]:
    """Give numbers that tell the values of a field apart, by its vectors: equal values have equal vectors."""
    return {
        field: _codes(
            np.hstack([rows.vectors[part.name] for part in parts]),
            np.logical_and.reduce([rows.present[part.name] for part in parts]),
        )
        for field in comparison.fields
        if (parts := [part for part in comparison.parts if isinstance(part, VectorPart) and part.field == field])
    }


def _codes(vectors: NDArray[np.uint8], present: NDArray[np.bool_]) -> Codes:
    whole = np.ascontiguousarray(vectors).view(np.dtype((np.void, vectors.shape[1]))).reshape(-1)
    codes = np.unique(whole, return_inverse=True)[1] + 1
    return np.where(present, codes, 0)


def near_pairs(columns: Mapping[str, Codes]) -> Pairs:
    """Give the pairs of rows that share values, each once, in order; what is missing is shared with nobody."""
    rows = len(next(iter(columns.values())))
    found = [_pairs_of(groups) for shared in _shared(columns) for groups in _by_size(*_groups(shared))]
    numbered = np.unique(np.concatenate([left * np.int64(rows) + right for left, right in found] or [_NOTHING]))
    return np.stack([numbered // rows, numbered % rows]).astype(np.uint32)


def rows_to_look_at(
    columns: Mapping[str, Codes], *, rng: np.random.Generator, most_pairs: int = MOST_PAIRS
) -> NDArray[np.int64]:
    """Give all rows, or so few of them, at random, that no more pairs than `most_pairs` share values; rising."""
    chosen = np.arange(len(next(iter(columns.values()), ())))
    while pairs_sharing({field: of[chosen] for field, of in columns.items()}) > most_pairs:
        chosen = np.sort(rng.choice(chosen, len(chosen) // 2, replace=False))
    return chosen


def pairs_sharing(columns: Mapping[str, Codes]) -> int:
    """Give how many pairs share values, those that share several times counted as often."""
    sizes = (_groups(shared)[1] for shared in _shared(columns))
    return sum(int((of * (of - 1) // 2)[of <= MOST_ROWS].sum()) for of in sizes)


_NOTHING: Final = np.zeros(0, np.int64)


def _shared(columns: Mapping[str, Codes]) -> Iterator[Codes]:
    """Give for each of the lists of fields that are there a number for each row's values of all of them, 0 for none."""
    for fields in SHARED_VALUES:
        if columns.keys() >= set(fields):
            first, *others = (columns[field] for field in fields)
            shared = first
            for other in others:
                shared = np.where((shared > 0) & (other > 0), shared * (other.max() + 1) + other, 0)
            yield shared


def _groups(shared: Codes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the rows that have a value, ordered by it and then by row, and how many rows each value has."""
    rows = np.flatnonzero(shared)
    ordered = rows[np.argsort(shared[rows], kind="stable")]
    return ordered, np.unique(shared[rows], return_counts=True)[1]


def _by_size(rows: NDArray[np.int64], sizes: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Give the groups that are worth a look, those of one size together: shape (groups, size)."""
    starts = np.cumsum(sizes) - sizes
    for size in np.unique(sizes[(sizes > 1) & (sizes <= MOST_ROWS)]).tolist():
        yield rows[starts[sizes == size][:, None] + np.arange(size)]


def _pairs_of(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    left, right = np.triu_indices(groups.shape[1], 1)
    return np.stack([groups[:, left].reshape(-1), groups[:, right].reshape(-1)])


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
    levels, times = _patterns(levels)
    at_random = log_likelihood(levels, random)
    for _ in range(ROUNDS):
        likelihoods = np.vstack([at_random, log_kinds(levels, kinds)])
        parts = times * np.exp(likelihoods - np.logaddexp.reduce(likelihoods))[1:]
        kinds = tuple(
            Kind(
                share=max(float(part.sum()), 1.0) / all_pairs,
                shares=tuple(counted(row, part, _RANDOM_WEIGHT * of) for row, of in zip(levels, random, strict=True)),
            )
            for part in parts
        )
    return tuple(_rounded(kind, all_pairs) for kind in kinds if kind.share * all_pairs >= FEWEST_PAIRS)


def _patterns(levels: Levels) -> tuple[Levels, NDArray[np.float64]]:
    """Give the different columns of levels and how often each is there: pairs are many, patterns are few."""
    whole = np.ascontiguousarray(levels.T).view(np.dtype((np.void, len(levels)))).reshape(-1)
    _, first, times = np.unique(whole, return_index=True, return_counts=True)
    return levels[:, first], times.astype(np.float64)


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
