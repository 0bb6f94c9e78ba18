"""Field comparison from end to end: the answers of both sides tell what the plaintext tells, and levels follow."""

from collections import Counter

import numpy as np
import pytest
from unit.node.compare.answer_parts import COMPARE, PAD, Columns, answer, columns_of

from isthmus.contract.comparison import BandPart, Part, TagPart, VectorPart, comparison_1
from isthmus.contract.differences import MISSING, Differences, field_levels
from isthmus.contract.levels import LEVELS
from isthmus.coordinator.match.compare.differences import read_differences
from isthmus.node.compare.answers import Side
from isthmus.node.compare.row_fields import read_row_fields, value_column

FIELDS = ("first_name", "middle_name", "last_name", "dob", "sex", "street_number", "street_name", "state", "zip")
LEFT = [
    ("maria", "ana", "oneill", "19910228", "f", "12", "oak street", "or", "97201"),
    ("william", "", "smith jones", "19870203", "m", "7", "elm", "or", "97201"),
    ("lee", "maria", "grant", "1991", "", "", "", "", "9720"),
    ("", "", "", "", "", "", "", "", ""),
    ("μαρια", "x", "ивановна", "20041201", "x", "12b", "main", "wa", "00501"),
]
RIGHT = [
    ("maria", "a", "oneil", "19910228", "f", "12", "oak st", "or", "97210"),
    ("bill", "t", "jones", "19870302", "m", "9", "elm", "wa", "97201"),
    ("grant", "lee", "lee", "19910101", "m", "1", "x", "or", ""),
    ("maria", "", "oneill", "", "f", "", "", "", "97201"),
    ("μαρια", "", "ивановна", "20041201", "", "12b", "main", "wa", "00501"),
    ("", "", "", "", "", "", "", "", ""),
]
PAIRS = [(left, right) for left in range(len(LEFT)) for right in range(len(RIGHT))]
COMPARISON = comparison_1(FIELDS)
COLUMNS = (columns_of(FIELDS, LEFT), columns_of(FIELDS, RIGHT))
ROW_FIELDS = [read_row_fields(columns, COMPARISON, compare=COMPARE, pad=PAD) for columns in COLUMNS]


def _told(pairs: list[tuple[int, int]], *, first: int = 0, columns: tuple[Columns, Columns] = COLUMNS) -> Differences:
    left, right = (
        answer(own, COMPARISON, [pair[place] for pair in pairs], side=side, first=first)
        for place, (own, side) in enumerate(zip(columns, Side, strict=True))
    )
    return read_differences(left, right, COMPARISON)


def _digits(value: str, part: VectorPart) -> str:
    return value[slice(*part.digits)] if len(value) == part.length else ""


def _band(columns: Columns, field: str, row: int) -> int:
    share = Counter(columns[field])[columns[field][row]] / len(columns[field])
    return sum(share < bound for bound in (0.01, 0.001, 0.0001))


def _in_the_clear(part: Part, left: int, right: int) -> int | None:
    """Give what a pair's values say of a part; None where it means nothing."""
    ours, theirs = COLUMNS
    if isinstance(part, TagPart):
        one, other = value_column(ours, part.left)[left], value_column(theirs, part.right)[right]
        return int(one == other) if one and other else MISSING
    if isinstance(part, BandPart):
        one, other = ours[part.value][left], theirs[part.value][right]
        if not (one and other):
            return MISSING
        return _band(ours, part.value, left) + _band(theirs, part.value, right) if one == other else None
    one, other = ours[part.field][left], theirs[part.field][right]
    if part.length:
        one, other = _digits(one, part), _digits(other, part)
        return 2 * sum(a != b for a, b in zip(one, other, strict=True)) if one and other else MISSING
    bits = ROW_FIELDS[0].vectors[part.name][left] ^ ROW_FIELDS[1].vectors[part.name][right]
    return int(np.bitwise_count(bits).sum()) if one and other else MISSING


@pytest.mark.parametrize("part", COMPARISON.parts, ids=lambda part: str(part.name))
def test_answers_tell_of_every_part_what_the_plaintext_tells(part: Part) -> None:
    expected = [_in_the_clear(part, left, right) for left, right in PAIRS]

    told = _told(PAIRS).of(part.name).tolist()

    assert [one for one, meant in zip(told, expected, strict=True) if meant is not None] == [
        meant for meant in expected if meant is not None
    ]


def test_both_sides_may_answer_block_by_block() -> None:
    whole = _told(PAIRS)

    parts = [_told(PAIRS[start : start + 7], first=start) for start in range(0, len(PAIRS), 7)]

    for part in COMPARISON.parts:
        assert np.concatenate([one.of(part.name) for one in parts]).tolist() == whole.of(part.name).tolist()


@pytest.mark.parametrize(
    ("pair", "levels"),
    [
        ((0, 0), {"first_name": "equal, most common", "middle_name": "initial", "dob": "equal", "zip": "two digits"}),
        ((1, 1), {"first_name": "nickname", "last_name": "shared word", "dob": "day and month swapped"}),
        ((2, 2), {"first_name": "swapped", "last_name": "swapped", "dob": "missing", "zip": "missing"}),
        ((2, 3), {"middle_name": "missing", "sex": "missing", "street_name": "missing"}),
        ((4, 4), {"last_name": "equal, most common", "dob": "equal", "state": "equal", "street_number": "equal"}),
    ],
)
def test_levels_follow_from_answers(pair: tuple[int, int], levels: dict[str, str]) -> None:
    found = field_levels(_told([pair]), FIELDS)[:, 0]

    named = {
        field: "missing" if place == MISSING else LEVELS[field].names[place]
        for field, place in zip(FIELDS, found.tolist(), strict=True)
    }
    assert {field: named[field] for field in levels} == levels


@pytest.mark.parametrize("side", list(Side))
def test_row_that_lacks_a_field_answers_random_bytes_and_says_so(side: Side) -> None:
    comparison = comparison_1(("first_name",))
    asked: list[int] = []

    def random_bytes(count: int) -> bytes:
        asked.append(count)
        return bytes([len(asked)]) * count

    columns: Columns = {"first_name": ["", "maria"]}
    answers = answer(columns, comparison, [1, 0, 0], side=side, random_bytes=random_bytes)

    assert asked == [2 * part.answer_bytes for part in comparison.parts]
    for place, (part, start) in enumerate(comparison.offsets(), start=1):
        assert (answers[1:, start : start + part.answer_bytes] == place).all()
        assert (answers[0, start : start + part.answer_bytes] != place).any()
    assert answers[:, :4].tolist() == [[2 ** len(comparison.parts) - 1, 0, 0, 0], [0] * 4, [0] * 4]


def test_bands_of_both_sides_add_up_where_names_are_equal() -> None:
    comparison = comparison_1(("last_name",))
    ours: Columns = {"last_name": ["smith"] * 150 + ["oneill"]}
    theirs: Columns = {"last_name": ["oneill"] + [f"x{number}" for number in range(1_500)]}

    left = answer(ours, comparison, [150], side=Side.LEFT)
    right = answer(theirs, comparison, [0], side=Side.RIGHT)

    # One of 151 rows is of band 1, one of 1,501 of band 2.
    assert read_differences(left, right, comparison).of("last_name.band").tolist() == [3]


@pytest.mark.parametrize("shape", [(2, 5), (3, COMPARISON.answer_bytes)])
def test_answers_of_other_shapes_are_refused(shape: tuple[int, int]) -> None:
    left = np.zeros((2, COMPARISON.answer_bytes), np.uint8)

    with pytest.raises(ValueError, match="same pairs"):
        read_differences(left, np.zeros(shape, np.uint8), COMPARISON)
    with pytest.raises(ValueError, match="same pairs"):
        read_differences(np.zeros((2, 5), np.uint8), np.zeros((2, 5), np.uint8), COMPARISON)


def test_no_pairs_have_no_differences() -> None:
    assert len(_told([])) == 0
