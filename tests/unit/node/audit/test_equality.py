"""Equality structure: classes, refined colours, and the groups that equal vectors join."""

import numpy as np
from unit.node.audit.audit_parts import tables_of

from isthmus.node.audit.equality import colours, equal_classes, joined_groups


def _groups(*values: list[int], largest: int = 12) -> list[list[int]]:
    return sorted(sorted(group.tolist()) for group in joined_groups(tables_of(*values), largest=largest))


def test_equal_vectors_are_one_class_and_absent_rows_are_each_their_own() -> None:
    classes = equal_classes(tables_of([5, 7, 5, 0, 0])["t0"]).tolist()

    assert classes[0] == classes[2]
    assert len(set(classes)) == 4


def test_colours_tell_class_sizes_apart_and_nothing_else() -> None:
    colour = colours(tables_of([1, 1, 2, 2, 3, 4])).tolist()

    assert colour[0] == colour[1] == colour[2] == colour[3]
    assert colour[4] == colour[5] != colour[0]


def test_colours_tell_apart_in_which_tables_a_row_is() -> None:
    colour = colours(tables_of([1, 0, 2, 0], [0, 3, 0, 0])).tolist()

    assert colour[0] == colour[2]
    assert len({colour[0], colour[1], colour[3]}) == 3


def test_colours_see_the_class_mates_of_class_mates() -> None:
    # Rows 0 and 3 share a vector with one row each; only the mate of row 0 shares another vector with somebody.
    colour = colours(tables_of([1, 1, 9, 3, 3, 8], [11, 12, 12, 13, 14, 15])).tolist()

    assert colour[0] != colour[3]


def test_groups_are_joined_over_tables() -> None:
    assert _groups([1, 1, 2, 3, 4], [5, 6, 6, 7, 8]) == [[0, 1, 2]]


def test_groups_over_the_largest_size_are_left_out() -> None:
    assert _groups([1, 1, 1, 2, 2, 3], largest=2) == [[3, 4]]


def test_rows_that_are_not_in_a_table_are_not_joined_by_it() -> None:
    assert _groups([0, 0, 0]) == []


def test_colours_are_those_of_another_key() -> None:
    values = [1, 1, 2, 0, 3]
    renamed = [value and value + 20 for value in values]

    assert np.array_equal(colours(tables_of(values)), colours(tables_of(renamed)))
