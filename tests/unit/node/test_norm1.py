"""The normaliser `norm-1`: its vectors, its counts, its tables, its page, and that no Unicode version can change it."""

import hashlib
import json
from pathlib import Path
from typing import Final

import pytest
from isthmus_vectors.verify_norm1 import PAGE, Norm1, keyed_list

from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.normalise import NORMALISER_VERSION, DateOrder, NormalisedColumn, normalise_column
from isthmus.node.normalise.placeholders import ANYWHERE, PRINTED_NOTHING, WORDS
from isthmus.node.normalise.tables import (
    CITY_WORDS,
    GIVEN_PARTICLES,
    NAME_SUFFIXES,
    SEXES,
    STATES,
    STREET_WORDS,
    SURNAME_PARTICLES,
)
from isthmus.node.normalise.text import fold_words, plain

VECTORS: Final = json.loads((Path(__file__).parents[2] / "vectors" / "norm-1.json").read_text(encoding="utf-8"))
PAGE_TEXT: Final = PAGE.read_text(encoding="utf-8")
ON_PAGE: Final = Norm1(PAGE_TEXT)


@pytest.mark.parametrize("field", STANDARD_FIELDS)
def test_vectors_of_field_have_their_normal_form_and_outcome(field: str) -> None:
    for _, order, raw, expected, outcome, why in (vector for vector in VECTORS["vectors"] if vector[0] == field):
        column = normalise_column(field, [raw], date_order=DateOrder(order))

        assert column == NormalisedColumn(
            values=[expected],
            missing=int(outcome in {"blank", "placeholder"}),
            placeholders=int(outcome == "placeholder"),
            damaged=int(outcome == "damaged"),
        ), (ascii(raw), why)


def test_vectors_are_of_this_version_and_each_is_there_once() -> None:
    assert VECTORS["normaliser"] == NORMALISER_VERSION
    assert len({tuple(vector[:3]) for vector in VECTORS["vectors"]}) == len(VECTORS["vectors"])


@pytest.mark.parametrize("field", STANDARD_FIELDS)
def test_vectors_of_field_show_every_outcome(field: str) -> None:
    outcomes = [vector[4] for vector in VECTORS["vectors"] if vector[0] == field]

    assert set(outcomes) == {"sound", "damaged", "placeholder", "blank"}
    assert len(outcomes) >= 15


@pytest.mark.parametrize(
    "ways",
    [
        ("O'Brien", "O’Brien", "O‘Brien", "OʼBrien", "O´Brien", "O`Brien", "O' Brien", "O Brien", "O-BRIEN", "Obrien"),  # noqa: RUF001 - apostrophes of all kinds are what is tested.
        ("de la Cruz", "De La Cruz", "DELACRUZ", "de-la-Cruz", "dela Cruz", "De-La Crúz", "de la Cruz Jr."),
        ("van der Berg", "Vander Berg", "Van-der-Berg", "VANDERBERG", "van\u00a0der\u200b Berg"),
        ("al-Sayed", "Al Sayed", "AlSayed", "al\u2010Sayed"),
        ("St. John", "St John", "Saint John", "Saint-John", "StJohn"),
        ("Nguyễn", "Nguye\u0302\u0303n", "NGUYEN"),
        ("Weiß", "WEISS", "Weiẞ", "Weiss III"),
    ],
)
def test_ways_to_write_one_surname_have_one_form(ways: tuple[str, ...]) -> None:
    assert len(set(normalise_column("last_name", ways).values)) == 1


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
    long = ["9 x" * 20_000, "1/" * 30_000, " " * 60_000, "O d " * 20_000, "7" * 60_000, "test" * 20_000]

    assert len(normalise_column(field, long, date_order=DateOrder.MDY).values) == len(long)


def test_tables_hold_folded_forms_that_fold_no_further() -> None:
    for table in (STREET_WORDS, CITY_WORDS, STATES, SEXES, SURNAME_PARTICLES):
        assert all(fold_words(text) == text for entry in table.items() for text in entry)
        assert all(table.get(normal, normal) == normal for normal in table.values())
    assert all(fold_words(word) == word for word in NAME_SUFFIXES)
    assert all(plain(word).replace(" ", "") == word for word in PRINTED_NOTHING)
    assert all(fold_words(word) == word and " " not in word for words in (ANYWHERE, *WORDS.values()) for word in words)


def test_word_that_particles_make_is_never_a_suffix() -> None:
    assert not [(part, end) for part in SURNAME_PARTICLES for end in NAME_SUFFIXES if end.startswith(part)]


def test_every_state_has_its_own_code() -> None:
    assert len(set(STATES.values())) == 50 + 1 + 5 + 3  # states, capital, territories, military post
    assert all(len(code) == 2 for code in STATES.values())


def test_page_lists_what_the_tables_hold() -> None:
    written = keyed_list(PAGE_TEXT, "placeholders")

    assert ON_PAGE.street_words == {word: short for word, short in STREET_WORDS.items() if word != short}
    assert ON_PAGE.city_words == CITY_WORDS
    assert (ON_PAGE.sexes, ON_PAGE.states, frozenset(ON_PAGE.suffixes)) == (SEXES, STATES, NAME_SUFFIXES)
    assert set(ON_PAGE.particles["given"]) == set(GIVEN_PARTICLES)
    assert {*ON_PAGE.particles["surname"], *GIVEN_PARTICLES, "saint", "sainte"} == set(SURNAME_PARTICLES)
    assert {key: set(words) for key, words in written.items()} == {"any": ANYWHERE, **WORDS}
    assert ON_PAGE.printed == PRINTED_NOTHING
    assert set(ON_PAGE.shapes) == set(STANDARD_FIELDS)


def test_letter_newer_than_unicode_14_is_a_space() -> None:
    assert fold_words("a\U00031350b") == "a b"  # an ideograph of Unicode 15.0
    assert fold_words("a\U00013439b") == "a b"  # a format character of Unicode 15.0
    assert fold_words("a\ua7dab") == "a b"  # a Latin letter of Unicode 16.0


@pytest.mark.slow
def test_folding_of_every_code_point_is_as_it_always_was() -> None:
    digest = hashlib.sha256()
    for code in range(0x110000):
        digest.update(fold_words(chr(code)).encode("utf-8", "surrogatepass") + b"\n")

    assert digest.hexdigest() == VECTORS["folded_code_points"]
