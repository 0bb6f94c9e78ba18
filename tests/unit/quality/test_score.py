"""The kit's score: against plain counting, at ends, and what each number is of."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.quality.score import (
    NOBODY,
    equal_pairs,
    group_numbers,
    packed,
    pairs_of,
    rows_of,
    score_groups,
    within,
    without,
)
from isthmus.coordinator.match.group import Groups


def _groups(*groups: Sequence[tuple[int, int]], repeating: frozenset[int] = frozenset()) -> Groups:
    """Give groups of (provider, row), in their order."""
    rows = np.array([row for group in groups for row in group], np.uint32).reshape(-1, 2)
    entity = np.repeat(np.arange(len(groups), dtype=np.uint32), [len(group) for group in groups])
    return Groups(dataset=rows[:, 0].copy(), row=rows[:, 1].copy(), entity=entity, repeating=repeating)


def _people(*files: Sequence[int]) -> list[NDArray[np.int64]]:
    return [np.array(file, np.int64) for file in files]


def test_pairs_are_those_that_plain_counting_finds() -> None:
    rng = np.random.default_rng(1)
    left, right = (rng.integers(NOBODY, 8, size) for size in (40, 60))

    found = set(zip(*(rows.tolist() for rows in equal_pairs(left, right)), strict=True))

    plain = {
        (one, other)
        for one, ours in enumerate(left.tolist())
        for other, theirs in enumerate(right.tolist())
        if ours == theirs != NOBODY
    }
    assert found == plain


def test_packed_pairs_come_apart_again_in_order() -> None:
    pairs = packed(np.array([7, 0, 7]), np.array([1, 2**31, 1]))

    assert [rows.tolist() for rows in rows_of(pairs)] == [[0, 7], [2**31, 1]]


def test_links_are_counted_as_pairs_over_all_providers() -> None:
    groups = _groups([(0, 0), (1, 0), (2, 0)], [(0, 1), (1, 1)])

    score = score_groups(groups, _people([0, 1], [0, 2], [0, 3]))

    assert (score.pairs.linked, score.pairs.true, score.pairs.correct) == (4, 3, 3)


def test_a_merge_of_two_people_is_false_however_many_rows_it_has() -> None:
    groups = _groups([(0, 0), (1, 0), (2, 0)], [(0, 1), (1, 1), (2, 1)])

    score = score_groups(groups, _people([0, 1], [0, 2], [0, 3]))

    assert score.false_merges == 1


def test_an_entity_counts_only_if_it_is_whole_and_nobody_elses() -> None:
    people = _people([0, 1, 2], [0, 1, 2], [0, 9, 8])

    score = score_groups(_groups([(0, 0), (1, 0)], [(0, 1), (1, 1)], [(0, 2), (1, 2), (2, 2)]), people)

    # Of the first a row is missing, and the third has a stranger.
    assert (score.entities.linked, score.entities.true, score.entities.correct) == (3, 3, 1)


def test_overlaps_are_counted_by_pattern_of_providers() -> None:
    score = score_groups(_groups([(0, 0), (1, 0)], [(0, 1), (2, 1)]), _people([0, 1], [0, 5], [0, 1]))

    counts = {providers: (one.linked, one.true) for providers, one in score.overlaps.items()}
    assert counts == {(0, 1): (1, 0), (0, 2): (1, 1), (1, 2): (0, 0), (0, 1, 2): (0, 1)}
    assert score.overlap_error == pytest.approx(2 / 2)


def test_nothing_linked_is_precise_and_finds_nothing() -> None:
    score = score_groups(_groups(), _people([0, 1], [1, 2]))

    assert (score.pairs.precision, score.pairs.recall, score.false_merges) == (1.0, 0.0, 0)
    assert score.overlap_error == 1.0


def test_rows_of_a_person_who_is_repeated_are_pairs_with_every_row_elsewhere() -> None:
    groups = _groups([(0, 0), (0, 1), (1, 0)], repeating=frozenset({0}))

    score = score_groups(groups, _people([4, 4], [4]))

    assert (score.pairs.linked, score.pairs.true, score.pairs.correct) == (2, 2, 2)
    assert score.entities.correct == 1


def test_pairs_parted_by_others_make_up_the_pairs() -> None:
    pairs = pairs_of(_people([0, 1, 2], [2, 1, 0]))
    others = {(0, 1): packed(np.array([0, 1]), np.array([2, 0]))}

    inside, outside = within(pairs, others), without(pairs, others)

    assert inside[0, 1].tolist() == packed(np.array([0]), np.array([2])).tolist()
    assert sorted([*inside[0, 1], *outside[0, 1]]) == pairs[0, 1].tolist()


def test_a_row_without_a_group_is_of_nobody() -> None:
    numbers = group_numbers(_groups([(0, 1), (1, 0)]), [3, 1])

    assert [one.tolist() for one in numbers] == [[NOBODY, 0, NOBODY], [0]]
    assert all(len(one) == rows for one, rows in zip(numbers, (3, 1), strict=True))
