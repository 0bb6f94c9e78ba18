"""Rows as field comparison sees them: bits, numbers and bands of hand-made values."""

import numpy as np
import pytest

from isthmus.contract.comparison import TAG_PRIME, comparison_1
from isthmus.contract.secret import Secret
from isthmus.node.compare.nicknames import NICKNAME_SETS, nickname_set
from isthmus.node.compare.row_fields import RowFields, read_row_fields, value_column

COMPARE, PAD = Secret(b"c" * 32), Secret(b"p" * 32)


def _rows(*, compare: Secret = COMPARE, pad: Secret = PAD, **columns: list[str]) -> RowFields:
    return read_row_fields(columns, comparison_1(tuple(columns)), compare=compare, pad=pad)


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        ("last_name", ["de la cruz", "", "li"]),
        ("last_name.initial", ["d", "", "l"]),
        ("last_name.word0", ["de", "", "li"]),
        ("last_name.word1", ["la", "", ""]),
        ("first_name.nickname", ["william", "", "μαρια"]),
        ("dob.swapped", ["19912802", "", ""]),
    ],
)
def test_values_are_taken_from_their_field(value: str, taken: list[str]) -> None:
    columns = {
        "first_name": ["liam", "", "μαρια"],
        "last_name": ["de la cruz", "", "li"],
        "dob": ["19910228", "", "1991"],
    }

    assert list(value_column(columns, value)) == taken


def test_every_nickname_is_in_one_set_that_its_first_name_names() -> None:
    names = [name for names in NICKNAME_SETS for name in names]

    assert len(names) == len(set(names))
    assert {nickname_set(names[1]) == names[0] for names in NICKNAME_SETS} == {True}
    assert nickname_set("nobody") == "nobody"


def test_digits_set_one_bit_of_ten_each() -> None:
    rows = _rows(dob=["19910228"])

    bits = {name: np.unpackbits(vectors[0]) for name, vectors in rows.vectors.items()}

    assert np.flatnonzero(bits["dob.year"]).tolist() == [1, 19, 29, 31]
    assert np.flatnonzero(bits["dob.month"]).tolist() == [0, 12]
    assert np.flatnonzero(bits["dob.day"]).tolist() == [2, 18]


@pytest.mark.parametrize("damaged", ["", "1991", "199102281", "1991022x", "١٩٩١٠٢٢٨"])
def test_damaged_date_has_no_digits(damaged: str) -> None:
    rows = _rows(dob=["19910228", damaged])

    for part in ("dob.year", "dob.month", "dob.day"):
        assert rows.present[part].tolist() == [True, False]
        assert not rows.vectors[part][1].any()


@pytest.mark.parametrize(("field", "value"), [("zip", "97201"), ("phone", "5035550100"), ("ssn", "900123456")])
def test_number_of_another_length_is_missing(field: str, value: str) -> None:
    columns = {field: [value, value[:-1], value + "0", ""]}

    rows = read_row_fields(columns, comparison_1((field,)), compare=COMPARE, pad=PAD)

    assert rows.present[field].tolist() == [True, False, False, False]


def test_vectors_of_names_depend_on_key_and_field_and_set_no_more_than_they_insert() -> None:
    one, other = (_rows(compare=key, first_name=["maria"], last_name=["maria"]) for key in (COMPARE, Secret(b"d" * 32)))

    vectors = {rows.vectors[field].tobytes() for rows in (one, other) for field in ("first_name", "last_name")}

    assert len(vectors) == 4
    assert all(25 < np.unpackbits(np.frombuffer(vector, np.uint8)).sum() <= 40 for vector in vectors)


def test_numbers_are_equal_where_values_of_a_kind_are_and_depend_on_the_key() -> None:
    one, other = (
        _rows(pad=key, first_name=["maria", "lee"], last_name=["lee", "maria"]) for key in (PAD, Secret(b"q" * 32))
    )

    first, last = one.numbers["name", "first_name"], one.numbers["name", "last_name"]

    assert first.tolist() == last[::-1].tolist()
    assert first[0] != first[1]
    assert first.max() < TAG_PRIME
    assert first[0] != other.numbers["name", "first_name"][0]


def test_band_of_a_name_is_its_share_of_all_rows_with_the_ends_included() -> None:
    common, rare, rarer, rarest = 200, 20, 2, 1
    column = ["a"] * common + ["b"] * rare + ["c"] * rarer + ["d"] * rarest
    column += [f"x{number % 30}" for number in range(20_000 - len(column))]

    bands = _rows(first_name=column).bands["first_name"]

    assert [int(bands[column.index(name)]) for name in "abcd"] == [0, 1, 2, 3]
