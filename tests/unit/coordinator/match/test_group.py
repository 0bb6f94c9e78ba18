"""Groups and membership patterns."""

import numpy as np
import pytest

from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.group import Groups, group_rows, pairs_of_kept_rows
from isthmus.coordinator.match.overlap import membership_patterns

Pair = tuple[float, int, int, int, int]


def _pairs(*pairs: Pair, repeating: frozenset[int] = frozenset()) -> CandidatePairs:
    """Pairs of (similarity, left dataset, left row, right dataset, right row)."""
    columns = list(zip(*pairs, strict=True)) or [(), (), (), (), ()]
    left_dataset, left_row, right_dataset, right_row = (np.array(column, np.uint32) for column in columns[1:])
    return CandidatePairs(
        similarity=np.array(columns[0], np.float64),
        left_dataset=left_dataset,
        right_dataset=right_dataset,
        left_row=left_row,
        right_row=right_row,
        repeating=repeating,
    )


def _groups(*rows: tuple[int, int, int], repeating: frozenset[int] = frozenset()) -> Groups:
    """Groups of (entity, dataset, row)."""
    entity, dataset, row = (np.array(column, np.uint32) for column in zip(*rows, strict=True))
    return Groups(dataset=dataset, row=row, entity=entity, repeating=repeating)


def _listed(groups: Groups) -> list[tuple[int, int, int]]:
    return list(zip(groups.entity.tolist(), groups.dataset.tolist(), groups.row.tolist(), strict=True))


def test_no_pairs_give_no_entities() -> None:
    groups = group_rows(_pairs(), sizes=[3, 4])
    assert (len(groups), groups.entities) == (0, 0)


def test_the_better_of_two_pairs_wins_a_row() -> None:
    groups = group_rows(_pairs((0.95, 0, 1, 1, 0), (0.9, 0, 0, 1, 0)), sizes=[2, 1])
    assert _listed(groups) == [(0, 0, 1), (0, 1, 0)]


def test_among_equals_the_first_row_wins() -> None:
    groups = group_rows(_pairs((0.9, 0, 0, 1, 0), (0.9, 0, 1, 1, 0)), sizes=[2, 1])
    assert _listed(groups) == [(0, 0, 0), (0, 1, 0)]


def test_three_rows_join_when_all_pairs_are_candidates() -> None:
    groups = group_rows(_pairs((0.9, 0, 0, 1, 0), (0.8, 0, 0, 2, 5), (0.7, 1, 0, 2, 5)), sizes=[1, 1, 6])
    assert _listed(groups) == [(0, 0, 0), (0, 1, 0), (0, 2, 5)]


def test_a_row_that_is_like_only_one_of_two_stays_out() -> None:
    groups = group_rows(_pairs((0.9, 0, 0, 1, 0), (0.8, 0, 0, 2, 5)), sizes=[1, 1, 6])
    assert _listed(groups) == [(0, 0, 0), (0, 1, 0)]


def test_entities_are_numbered_by_their_first_row() -> None:
    groups = group_rows(_pairs((1.0, 1, 0, 2, 0), (0.9, 0, 2, 1, 1), (0.8, 0, 1, 2, 1)), sizes=[3, 2, 2])
    assert _listed(groups) == [(0, 0, 1), (0, 2, 1), (1, 0, 2), (1, 1, 1), (2, 1, 0), (2, 2, 0)]
    assert groups.entities == 3


def test_rows_that_repeat_a_person_are_one_entity() -> None:
    links = (1.0, 0, 0, 0, 2), (0.9, 0, 0, 1, 4), (0.8, 0, 2, 1, 4)
    groups = group_rows(_pairs(*links, repeating=frozenset({0})), sizes=[3, 5])
    assert _listed(groups) == [(0, 0, 0), (0, 0, 2), (0, 1, 4)]


def test_of_two_likes_of_one_row_only_one_links_where_they_are_not_like_each_other() -> None:
    groups = group_rows(_pairs((1.0, 0, 0, 1, 4), (0.9, 0, 2, 1, 4), repeating=frozenset({0})), sizes=[3, 5])
    assert _listed(groups) == [(0, 0, 0), (0, 1, 4)]


def test_two_groups_wait_for_the_last_pair_between_them() -> None:
    links = [(1.0, 0, 0, 1, 0), (1.0, 2, 0, 3, 0), (0.9, 0, 0, 2, 0), (0.9, 0, 0, 3, 0), (0.9, 1, 0, 2, 0)]
    assert group_rows(_pairs(*links), sizes=[1] * 4).entities == 2
    assert group_rows(_pairs(*links, (0.8, 1, 0, 3, 0)), sizes=[1] * 4).entities == 1


def test_a_row_in_the_meantime_taken_by_another_group_breaks_the_wait() -> None:
    waiting = [(1.0, 0, 0, 1, 0), (0.9, 0, 0, 2, 0)]
    taken = [*waiting, (0.8, 2, 0, 3, 0), (0.7, 1, 0, 2, 0)]
    assert _listed(group_rows(_pairs(*taken), sizes=[1] * 4)) == [(0, 0, 0), (0, 1, 0), (1, 2, 0), (1, 3, 0)]


@pytest.mark.parametrize("pair", [(0.9, 0, 2, 1, 0), (0.9, 0, 0, 1, 7), (0.9, 0, 0, 5, 0)])
def test_a_pair_out_of_range_is_refused(pair: Pair) -> None:
    with pytest.raises(ValueError, match="no dataset holds"):
        group_rows(_pairs(pair), sizes=[2, 3])


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([(0, 0, 0), (0, 0, 1)], "one row of a dataset"),
        ([(1, 0, 0), (1, 1, 1), (0, 0, 2), (0, 1, 2)], "by entity"),
        ([(0, 0, 0), (1, 0, 1), (1, 1, 1)], "two rows"),
        ([(1, 0, 1), (1, 1, 1)], "no gap"),
        ([(0, 0, 0), (0, 1, 1), (1, 0, 2), (1, 1, 1)], "one entity only"),
        ([(0, 0, 5), (0, 1, 1), (1, 0, 2), (1, 1, 2)], "numbered"),
    ],
)
def test_groups_that_break_a_promise_are_refused(rows: list[tuple[int, int, int]], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        _groups(*rows)


def test_groups_may_repeat_the_rows_of_a_dataset_that_repeats_people_and_of_no_other() -> None:
    assert _groups((0, 0, 0), (0, 0, 1), repeating=frozenset({0})).entities == 1
    with pytest.raises(ValueError, match="one row of a dataset"):
        _groups((0, 1, 0), (0, 1, 1), repeating=frozenset({0}))
    with pytest.raises(ValueError, match="by entity"):
        _groups((0, 0, 1), (0, 0, 0), repeating=frozenset({0}))


def test_groups_of_wrong_type_or_length_are_refused() -> None:
    index = np.zeros(2, np.uint32)
    with pytest.raises(ValueError, match="uint32"):
        Groups(dataset=index, row=index.astype(np.int64), entity=index)
    with pytest.raises(ValueError, match="one length"):
        Groups(dataset=index, row=index[:1], entity=index)


def test_pairs_of_kept_rows_are_those_of_rows_that_were_never_there() -> None:
    pairs = _pairs((1.0, 0, 2, 1, 1), (0.9, 0, 0, 1, 1), (0.9, 1, 2, 2, 0), (0.8, 0, 3, 2, 0), (0.7, 0, 1, 1, 0))
    kept = [np.array(one, np.bool_) for one in ([True, True, False, True], [False, True, True], [True])]

    found = pairs_of_kept_rows(pairs, kept)

    expected = _pairs((0.9, 0, 0, 1, 0), (0.9, 1, 1, 2, 0), (0.8, 0, 2, 2, 0))
    for name in ("similarity", "left_dataset", "left_row", "right_dataset", "right_row"):
        left, right = getattr(found, name), getattr(expected, name)
        assert (left.tolist(), left.dtype) == (right.tolist(), right.dtype)


def test_pairs_stay_as_they_are_where_all_rows_are_kept_and_none_is_left_where_none_is() -> None:
    pairs = _pairs((1.0, 0, 1, 1, 0), (0.9, 0, 0, 1, 1))

    assert len(pairs_of_kept_rows(pairs, [np.zeros(2, np.bool_)] * 2)) == 0
    assert len(pairs_of_kept_rows(_pairs(), [])) == 0
    assert pairs_of_kept_rows(pairs, [np.ones(2, np.bool_)] * 2).left_row.tolist() == [1, 0]


@pytest.mark.parametrize("pair", [(0.9, 0, 2, 1, 0), (0.9, 0, 0, 1, 7), (0.9, 0, 0, 5, 0)])
def test_a_pair_of_a_row_that_could_not_be_kept_is_refused(pair: Pair) -> None:
    with pytest.raises(ValueError, match="no dataset holds"):
        pairs_of_kept_rows(_pairs(pair), [np.ones(2, np.bool_), np.ones(3, np.bool_)])


def test_patterns_count_every_row_once() -> None:
    groups = _groups((0, 0, 0), (0, 1, 0), (1, 0, 1), (1, 1, 1), (1, 2, 1), (2, 0, 2), (2, 1, 2))
    patterns = membership_patterns(groups, sizes=[5, 3, 2])
    assert patterns == {
        frozenset({0, 1}): 2,
        frozenset({0, 1, 2}): 1,
        frozenset({0}): 2,
        frozenset({2}): 1,
    }


def test_patterns_count_repeated_people_once() -> None:
    groups = _groups((0, 0, 0), (0, 0, 1), (0, 1, 0), (1, 0, 2), (1, 0, 3), repeating=frozenset({0}))
    assert membership_patterns(groups, sizes=[5, 2]) == {
        frozenset({0, 1}): 1,
        frozenset({0}): 2,
        frozenset({1}): 1,
    }


def test_pairs_of_kept_rows_still_say_who_repeats_people() -> None:
    pairs = _pairs((1.0, 0, 1, 0, 2), repeating=frozenset({0}))
    kept = pairs_of_kept_rows(pairs, [np.array([False, True, True])])
    assert (kept.repeating, kept.left_row.tolist(), kept.right_row.tolist()) == (frozenset({0}), [0], [1])


def test_patterns_without_links_are_the_sizes() -> None:
    groups = group_rows(_pairs(), sizes=[4, 0])
    assert membership_patterns(groups, sizes=[4, 0]) == {frozenset({0}): 4}
