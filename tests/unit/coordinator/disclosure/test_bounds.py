"""Bounds of hidden counts, against sums that can be done by hand."""

import pytest

from isthmus.coordinator.disclosure.bounds import Bounds, Tableau


def test_two_parts_of_a_sum_range_over_all_of_it() -> None:
    tableau = Tableau([[1, 1]], [3, 15])
    assert tableau.bounds(0) == Bounds(lower=0, upper=18)
    assert tableau.bounds(1) == Bounds(lower=0, upper=18)


def test_a_lone_part_is_fixed() -> None:
    assert Tableau([[1]], [3]).bounds(0) == Bounds(lower=3, upper=3)


def test_a_part_of_a_hidden_total_has_no_end() -> None:
    assert Tableau([[1, 1, -1]], [3, 4, 7]).bounds(0) == Bounds(lower=0, upper=None)


def test_a_count_in_no_relation_has_no_end() -> None:
    assert Tableau([], [3]).bounds(0) == Bounds(lower=0, upper=None)


def test_a_count_that_may_grow_with_another_has_no_end() -> None:
    assert Tableau([[1, -1, 0], [0, 0, 1]], [3, 3, 5]).bounds(1) == Bounds(lower=0, upper=None)


def test_an_equation_that_others_imply_changes_nothing() -> None:
    tableau = Tableau([[1, 1, 0], [0, 1, 1], [1, 2, 1]], [2, 3, 4])
    assert [tableau.bounds(column) for column in range(3)] == [
        Bounds(lower=0, upper=5),
        Bounds(lower=0, upper=5),
        Bounds(lower=2, upper=7),
    ]


def test_counts_tied_in_a_circle_are_fixed() -> None:
    # x + y, y + z and z + x are published: subtraction gives each, though none stands alone.
    tableau = Tableau([[1, 1, 0], [0, 1, 1], [1, 0, 1]], [4, 5, 6])
    assert [tableau.bounds(column) for column in range(3)] == [Bounds(lower=value, upper=value) for value in (4, 5, 6)]


def test_equations_of_zeros_are_solved() -> None:
    tableau = Tableau([[1, -1, 0], [1, 0, -1], [0, 1, -1]], [0, 0, 0])
    assert tableau.bounds(2) == Bounds(lower=0, upper=None)


def test_a_corner_between_whole_numbers_is_not_counted() -> None:
    # 2 x + y = 5 reaches x = 2.5, but no table has half a person; on the way there lie x = 1 and x = 2.
    assert Tableau([[2, 1]], [1, 3]).bounds(0) == Bounds(lower=0, upper=2)


@pytest.mark.parametrize(
    ("bounds", "wide"),
    [
        (Bounds(lower=0, upper=10), True),
        (Bounds(lower=0, upper=9), False),
        (Bounds(lower=1, upper=10), False),
        (Bounds(lower=90, upper=100), True),
        (Bounds(lower=90, upper=None), True),
    ],
)
def test_bounds_are_as_wide_as_ten(bounds: Bounds, wide: bool) -> None:
    assert bounds.as_wide_as(10) is wide
