"""How links are held against the truth: pairs, entities, overlap counts, and groups of pairs. Pure, numpy alone.

A pair is two rows of two providers, left before right. All counts are exact, and nothing is drawn at random.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.group import Groups

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
# The score lives with the scripts, which are no package.
from isthmus_people.score import PairCounts

Ints = NDArray[np.int64]
Side = tuple[int, int]
"""Two providers, the left one first."""

Pairs = Mapping[Side, Ints]
"""Pairs of rows by side: int64, shape (pairs,), left row * 2^32 + right row, rising, none twice."""

NOBODY = -1
"""The group of a row that is in none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """How many people some providers share, and nobody else has: by links and in truth."""

    linked: int
    true: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What is right and wrong about one way of linking one data set.

    `entities` counts whole entities of two rows or more: linked, true, and exactly the same rows in both.
    `false_merges` are linked entities of two people or more. `overlaps` are by the providers that share people.
    """

    pairs: PairCounts
    entities: PairCounts
    false_merges: int
    overlaps: Mapping[tuple[int, ...], Overlap]

    @property
    def overlap_error(self) -> float:
        """Give the sum of what overlap counts are off by, as a share of the people shared in truth."""
        off = sum(abs(one.linked - one.true) for one in self.overlaps.values())
        return off / max(1, sum(one.true for one in self.overlaps.values()))


def score_groups(groups: Groups, people: Sequence[Ints]) -> Score:
    """Hold groups against the truth, which is a number for the person of each row, by provider."""
    linked = group_numbers(groups, [len(one) for one in people])
    found, true = pairs_of(linked), pairs_of(people)
    both = {side: np.intersect1d(found[side], true[side], assume_unique=True) for side in true}
    return Score(
        pairs=PairCounts(linked=size(found), true=size(true), correct=size(both)),
        entities=_entities(linked, people),
        false_merges=_false_merges(linked, people),
        overlaps=_overlaps(linked, people),
    )


def group_numbers(groups: Groups, sizes: Sequence[int]) -> list[Ints]:
    """Give the group of each row, by provider, `NOBODY` where it is in none."""
    numbers = [np.full(rows, NOBODY, np.int64) for rows in sizes]
    for place, of_rows in enumerate(numbers):
        inside = groups.dataset == place
        of_rows[groups.row[inside]] = groups.entity[inside]
    return numbers


def pairs_of(numbers: Sequence[Ints]) -> dict[Side, Ints]:
    """Give all pairs of rows of two providers that have the same number."""
    return {
        (left, right): packed(*equal_pairs(numbers[left], numbers[right]))
        for left, right in combinations(range(len(numbers)), 2)
    }


def equal_pairs(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """Give the rows of every pair whose numbers are equal; `NOBODY` equals nothing."""
    order = np.argsort(right, kind="stable")
    rows = np.flatnonzero(left != NOBODY)
    first = np.searchsorted(right[order], left[rows], "left")
    count = np.searchsorted(right[order], left[rows], "right") - first
    starts = np.cumsum(count) - count
    places = np.arange(count.sum()) - np.repeat(starts, count) + np.repeat(first, count)
    return np.repeat(rows, count), order[places]


def packed(left_row: NDArray[np.integer], right_row: NDArray[np.integer]) -> Ints:
    """Give pairs as single numbers, rising, none twice."""
    return np.unique(left_row.astype(np.int64) << 32 | right_row.astype(np.int64))


def rows_of(pairs: Ints) -> tuple[Ints, Ints]:
    """Give the left and right rows of packed pairs."""
    return pairs >> 32, pairs & (2**32 - 1)


def size(pairs: Pairs) -> int:
    """How many pairs there are on all sides together."""
    return sum(len(one) for one in pairs.values())


def within(pairs: Pairs, others: Pairs) -> dict[Side, Ints]:
    """Give the pairs that are among the others."""
    return {side: np.intersect1d(one, others[side], assume_unique=True) for side, one in pairs.items()}


def without(pairs: Pairs, others: Pairs) -> dict[Side, Ints]:
    """Give the pairs that are not among the others."""
    return {side: np.setdiff1d(one, others[side], assume_unique=True) for side, one in pairs.items()}


def _entities(linked: Sequence[Ints], people: Sequence[Ints]) -> PairCounts:
    group, person = np.concatenate(linked), np.concatenate(people)
    rows_of_person = np.bincount(person)
    inside = group != NOBODY
    rows_of_group = np.bincount(group[inside])
    both, rows = np.unique(group[inside] << 32 | person[inside], return_counts=True)
    whole = (rows == rows_of_group[both >> 32]) & (rows == rows_of_person[both & (2**32 - 1)])
    return PairCounts(
        linked=int(np.count_nonzero(rows_of_group)),
        true=int(np.count_nonzero(rows_of_person > 1)),
        correct=int(np.count_nonzero(whole)),
    )


def _false_merges(linked: Sequence[Ints], people: Sequence[Ints]) -> int:
    group, person = np.concatenate(linked), np.concatenate(people)
    inside = group != NOBODY
    people_of_group = np.bincount(np.unique(group[inside] << 32 | person[inside]) >> 32)
    return int(np.count_nonzero(people_of_group > 1))


def _overlaps(linked: Sequence[Ints], people: Sequence[Ints]) -> dict[tuple[int, ...], Overlap]:
    estimated, true = _patterns(linked), _patterns(people)
    patterns = [
        pattern
        for count in range(2, len(people) + 1)
        for pattern in combinations(range(len(people)), count)
    ]  # fmt: skip
    return {one: Overlap(linked=estimated.get(one, 0), true=true.get(one, 0)) for one in patterns}


def _patterns(numbers: Sequence[Ints]) -> dict[tuple[int, ...], int]:
    """Count the people, or groups, by the providers that have a row of theirs."""
    top = max(int(one.max(initial=NOBODY)) for one in numbers) + 1
    held = np.zeros(top, np.int64)
    for place, one in enumerate(numbers):
        held[np.unique(one[one != NOBODY])] |= 1 << place
    found, counts = np.unique(held, return_counts=True)
    return {
        tuple(place for place in range(len(numbers)) if providers >> place & 1): count
        for providers, count in zip(found.tolist(), counts.tolist(), strict=True)
    }
