"""The normaliser `norm-1`: its vectors, its counts, its tables, and that no Unicode version can change it."""

import hashlib
import json
from pathlib import Path
from typing import Final

import pytest

from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.normalise import NORMALISER_VERSION, DateOrder, NormalisedColumn, normalise_column
from isthmus.node.normalise.tables import CITY_WORDS, NAME_PARTICLES, NAME_SUFFIXES, SEXES, STATES, STREET_WORDS
from isthmus.node.normalise.text import fold_words

VECTORS: Final = json.loads((Path(__file__).parents[2] / "vectors" / "norm-1.json").read_text(encoding="utf-8"))
FOLDED_CODE_POINTS: Final = "c98fe6d1620f8e855c03ebaedc67e93e6b2bf56eaf522815a89555dd85f9b435"
"""SHA-256 over the folded form of every code point, each alone, as UTF-8 with surrogates, a line feed after each."""


@pytest.mark.parametrize(("field", "order", "raw", "expected", "outcome", "why"), VECTORS["vectors"])
def test_vector_has_its_normal_form_and_outcome(
    field: str, order: str, raw: str, expected: str, outcome: str, why: str
) -> None:
    column = normalise_column(field, [raw], date_order=DateOrder(order))

    assert column == NormalisedColumn(
        values=[expected],
        missing=int(outcome in {"blank", "placeholder"}),
        placeholders=int(outcome == "placeholder"),
        damaged=int(outcome == "damaged"),
    ), why


def test_vectors_are_of_this_version_and_cover_every_field() -> None:
    assert VECTORS["normaliser"] == NORMALISER_VERSION
    assert {vector[0] for vector in VECTORS["vectors"]} == set(STANDARD_FIELDS)


def test_column_keeps_its_order_and_counts_repeated_values() -> None:
    column = normalise_column("zip", ["2139", "", "63x", "2139", "00000", "63x", " "])

    assert column.values == ["02139", "", "63x", "02139", "", "63x", ""]
    assert (column.missing, column.placeholders, column.damaged) == (3, 1, 2)


def test_empty_column_gives_an_empty_column() -> None:
    assert normalise_column("dob", []) == NormalisedColumn(values=[], missing=0, placeholders=0, damaged=0)


def test_unknown_field_is_refused() -> None:
    with pytest.raises(KeyError):
        normalise_column("shoe_size", ["44"])


@pytest.mark.parametrize("field", STANDARD_FIELDS)
def test_very_long_value_is_read(field: str) -> None:
    column = normalise_column(field, ["9 x" * 100_000, "1/" * 100_000, " " * 200_000, "O d " * 50_000])

    assert len(column.values) == 4


def test_tables_hold_folded_forms_that_fold_no_further() -> None:
    for table in (STREET_WORDS, CITY_WORDS, STATES, SEXES):
        assert all(fold_words(text) == text for entry in table.items() for text in entry)
        assert all(table.get(normal, normal) == normal for normal in table.values())
    assert all(fold_words(word) == word for word in NAME_SUFFIXES | NAME_PARTICLES)


def test_every_state_has_its_own_code() -> None:
    assert len(set(STATES.values())) == 50 + 1 + 5 + 3  # states, capital, territories, military post
    assert all(len(code) == 2 for code in STATES.values())


def test_letter_newer_than_unicode_14_is_a_space() -> None:
    assert fold_words("a\U00031350b") == "a b"  # an ideograph of Unicode 15.0
    assert fold_words("a\U00013439b") == "a b"  # a format character of Unicode 15.0
    assert fold_words("a\ua7dab") == "a b"  # a Latin letter of Unicode 16.0


@pytest.mark.slow
def test_folding_of_every_code_point_is_as_it_always_was() -> None:
    digest = hashlib.sha256()
    for code in range(0x110000):
        digest.update(fold_words(chr(code)).encode("utf-8", "surrogatepass") + b"\n")

    assert digest.hexdigest() == FOLDED_CODE_POINTS
