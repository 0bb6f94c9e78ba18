"""Parts of field comparison: which there are for the fields that are shared, and where their bytes are."""

from itertools import combinations

import pytest

from isthmus.contract.comparison import (
    PRESENCE_BYTES,
    BandPart,
    Comparison,
    Part,
    TagPart,
    VectorPart,
    comparison_1,
)
from isthmus.contract.standard_fields import STANDARD_FIELDS

SUBSETS = [fields for count in range(len(STANDARD_FIELDS) + 1) for fields in combinations(STANDARD_FIELDS, count)]


def _names(comparison: Comparison) -> list[str]:
    return [part.name for part in comparison.parts]


def test_bytes_of_every_subset_of_fields_follow_one_another_and_add_up() -> None:
    for fields in SUBSETS[::7]:
        comparison = comparison_1(fields)
        end = PRESENCE_BYTES
        for part, start in comparison.offsets():
            assert start == end
            end += part.answer_bytes
        assert end == comparison.answer_bytes


def test_presence_of_every_part_fits_its_bytes_and_no_two_parts_share_a_name() -> None:
    names = _names(comparison_1(tuple(STANDARD_FIELDS)))

    # Parts of fewer fields are some of these, which the next test confirms.
    assert len(names) <= 8 * PRESENCE_BYTES
    assert len(set(names)) == len(names)


def _needed(part: Part) -> set[str]:
    match part:
        case VectorPart():
            return {part.field}
        case TagPart():
            return {part.left.split(".")[0], part.right.split(".")[0]}
        case BandPart():
            return {part.value}


def test_parts_of_fewer_fields_are_those_of_all_that_need_no_other_field() -> None:
    every = comparison_1(tuple(STANDARD_FIELDS)).parts

    for fields in SUBSETS[::5]:
        assert comparison_1(fields).parts == tuple(part for part in every if _needed(part) <= set(fields))


def test_order_of_the_fields_given_makes_no_difference() -> None:
    for fields in SUBSETS[::11]:
        assert comparison_1(fields[::-1]) == comparison_1(fields)


@pytest.mark.parametrize(
    ("one", "other", "crossed"),
    [
        ("first_name", "last_name", {"first_name=last_name", "last_name=first_name"}),
        ("first_name", "middle_name", {"first_name=middle_name", "middle_name=first_name"}),
    ],
)
def test_crossed_tags_are_there_only_when_both_fields_are_shared(one: str, other: str, crossed: set[str]) -> None:
    assert crossed <= set(_names(comparison_1((one, other))))
    assert not crossed & set(_names(comparison_1((one, "dob"))))
    assert not crossed & set(_names(comparison_1((other, "dob"))))


@pytest.mark.parametrize("field", STANDARD_FIELDS)
def test_every_standard_field_is_compared(field: str) -> None:
    parts = comparison_1((field,)).parts

    assert parts
    assert comparison_1((field,)).fields == (field,)


def test_only_values_of_one_kind_are_held_against_each_other() -> None:
    tags = [part for part in comparison_1(tuple(STANDARD_FIELDS)).parts if isinstance(part, TagPart)]
    kinds: dict[str, set[str]] = {}
    for tag in tags:
        for value in (tag.left, tag.right):
            kinds.setdefault(value, set()).add(tag.kind)

    assert all(len(names) == 1 for value, names in kinds.items() if "." in value)
    assert kinds["first_name"] == kinds["last_name"] == {"name"}


@pytest.mark.parametrize(
    ("field", "sizes"),
    [
        ("last_name", [32, 4, 4, 4, 4, 1]),
        ("street_number", [16]),
        ("dob", [5, 3, 3, 4]),
        ("zip", [7]),
        ("phone", [13]),
        ("ssn", [12]),
        ("sex", [4]),
    ],
)
def test_bytes_of_a_field_are_those_of_its_parts(field: str, sizes: list[int]) -> None:
    assert [part.answer_bytes for part in comparison_1((field,)).parts] == sizes
