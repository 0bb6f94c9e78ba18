"""Names and addresses of every locale of mimesis, whole and garbled, through `norm-1` and both encodings.

What Hypothesis draws elsewhere is any string; this is what registers hold: 48 locales in Latin, Greek, Cyrillic,
Arabic, Han, Kana and Hangul letters. mimesis makes them up from lists and a seed; no real person is among them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import numpy as np
import pytest
from isthmus_vectors.verify_norm1 import PAGE, Norm1
from mimesis import Address, Locale, Person

from isthmus.contract.hardened import hardened_1
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.profile import interop_1
from isthmus.contract.secret import Secret
from isthmus.node.encode.hardened import RoundKeys, TableRows, encode_hardened
from isthmus.node.encode.interop import encode_interop
from isthmus.node.encode.match_keys import MatchKeyEncoder
from isthmus.node.encode.reference import encode_reference
from isthmus.node.normalise import NormalisedColumn, normalise_column

ON_PAGE: Final = Norm1(PAGE.read_text(encoding="utf-8"))
OUTCOMES: Final = ("blank", "placeholder", "damaged")
PEOPLE: Final = 10
FIELDS: Final = ("first_name", "middle_name", "last_name", "street_name", "city", "phone")
WORDED: Final = FIELDS[:-1]
KEYS: Final = RoundKeys(encode=Secret(b"e" * 32), diffusion=Secret(b"d" * 32), match=Secret(b"m" * 32))

Columns = dict[str, list[str]]
every_locale = pytest.mark.parametrize("locale", Locale, ids=lambda locale: str(locale.value))


@cache
def _made(locale: Locale) -> Columns:
    """People of a locale, the same each time; a full name stands for a middle one, for names of many parts."""
    person, address = Person(locale, seed=5), Address(locale, seed=5)
    makers: dict[str, Callable[[], str]] = {
        "first_name": person.first_name,
        "middle_name": person.full_name,
        "last_name": person.last_name,
        "street_name": address.street_name,
        "city": address.city,
        "phone": person.phone_number,
    }
    return {field: [make() for _ in range(PEOPLE)] for field, make in makers.items()}


def _misread(value: str) -> Iterator[str]:
    """A value as programs garble it: UTF-8 read as something else, once and twice, cut in the middle, or lost."""
    raw, middle = value.encode("utf-8"), len(value) // 2
    for code_page in ("cp1252", "latin-1", "cp437"):
        yield raw.decode(code_page, "replace")
    yield raw.decode("cp1252", "replace").encode("utf-8").decode("cp1252", "replace")
    yield raw.decode("ascii", "surrogateescape")
    yield value.encode("ascii", "replace").decode("ascii")
    yield from (raw[:-1].decode("utf-8", "replace"), raw[:-1].decode("cp1252", "replace"), value[:middle])
    yield from (raw[len(raw) // 2 :].decode("utf-8", "replace"), value[:middle] + "\x1f" + value[middle:])


def _every_way(values: list[str]) -> list[str]:
    return [way for value in values for way in (value, value.upper(), *_misread(value))]


def _in_one_piece(value: str) -> str:
    """The value without the accents of Latin, Greek and Cyrillic letters."""
    return unicodedata.normalize("NFC", re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", value)))


def _punctuated(value: str) -> str:
    """The value with other hyphens, apostrophes and spaces, and signs about it."""
    return f"\ufeff\u00ab{value}.\u00bb".translate({0x2D: 0x2011, 0x27: 0x2019, 0x20: 0xA0})


TYPED: Final[tuple[Callable[[str], str], ...]] = (
    str.upper,
    str.lower,
    _in_one_piece,
    lambda value: unicodedata.normalize("NFD", value),
    _punctuated,
)
"""Ways in which another register may hold the same value."""


def _normal(columns: Columns) -> list[list[str]]:
    return [normalise_column(field, values).values for field, values in columns.items()]


def _people_of_the_world(rows: int) -> Columns:
    """The first `rows` people of each locale."""
    return {field: [value for locale in Locale for value in _made(locale)[field][:rows]] for field in FIELDS}


def _counted(column: NormalisedColumn) -> dict[str, int]:
    blank = column.missing - column.placeholders
    return dict(zip(OUTCOMES, (blank, column.placeholders, column.damaged), strict=True))


@every_locale
def test_name_of_the_world_is_normalised_as_the_page_says_whole_and_garbled(locale: Locale) -> None:
    for field in FIELDS:
        values = _every_way(_made(locale)[field])
        ours, theirs = normalise_column(field, values), [ON_PAGE.normalise(field, "YMD", value) for value in values]

        assert ours.values == [form for form, _ in theirs]
        assert _counted(ours) == {each: sum(said == each for _, said in theirs) for each in OUTCOMES}


@every_locale
def test_normal_form_of_a_name_of_the_world_is_its_own_and_holds_no_separator(locale: Locale) -> None:
    for field in WORDED:
        once = normalise_column(field, _every_way(_made(locale)[field])).values

        assert normalise_column(field, once).values == once
        assert not any("\x1f" in form for form in once)


@every_locale
def test_no_name_of_the_world_is_taken_for_a_placeholder(locale: Locale) -> None:
    for field in FIELDS:
        assert normalise_column(field, _made(locale)[field]).missing == 0


def _sound(field: str, values: list[str]) -> list[str]:
    columns = {value: normalise_column(field, [value]) for value in values}
    return [value for value, column in columns.items() if not column.missing and not column.damaged]


@every_locale
def test_name_with_letters_beyond_ascii_is_not_sound_once_it_is_misread(locale: Locale) -> None:
    for field in WORDED:
        beyond = [value.encode("utf-8") for value in _made(locale)[field] if not value.isascii()]

        assert _sound(field, [value.decode("cp1252", "replace") for value in beyond]) == []
        assert all("\x85" in value for value in _sound(field, [value.decode("latin-1") for value in beyond]))


def test_misread_a_with_ring_is_seen_in_windows_1252_and_not_in_latin_1_where_it_holds_white_space() -> None:
    raw = "\u00c5hlund".encode()
    windows, latin = (normalise_column("last_name", [raw.decode(page)]) for page in ("cp1252", "latin-1"))

    assert (windows.values, windows.damaged) == (["ahlund"], 1)
    assert (latin.values, latin.damaged) == (["a hlund"], 0)


def test_slovak_street_that_could_be_misread_is_counted_as_damaged_and_keeps_its_form() -> None:
    street = normalise_column("street_name", ["\u00da\u017einy"])

    assert (street.values, street.damaged) == (["uziny"], 1)


def test_damaged_names_are_those_that_the_list_of_mimesis_itself_holds_misread() -> None:
    danish = Person(Locale.DA, seed=5)
    names = {danish.last_name() for _ in range(2000)}

    damaged = {name for name in names if normalise_column("last_name", [name]).damaged}

    assert {"S\u00c3\u00b8rensen", "Kj\u00c3\u00a6r"} <= damaged
    repaired = [name.encode("cp1252").decode("utf-8") for name in damaged]
    assert normalise_column("last_name", repaired).damaged == 0
    assert not damaged & set(repaired)


def test_interop_encodes_names_of_the_world_as_clkhash_does() -> None:
    whole = {field: _people_of_the_world(1)[field] for field in ("first_name", "last_name", "city")}
    garbled = {field: [[*_misread(value)][row % 11] for row, value in enumerate(whole[field])][::2] for field in whole}
    schema = parse_linkage_schema(interop_1(tuple(whole)).linkage_schema)
    columns = [[*ours, *theirs] for ours, theirs in zip(_normal(whole), _normal(garbled), strict=True)]

    ours = encode_interop(columns, schema=schema, secret=b"s")

    assert np.array_equal(ours, encode_reference(columns, schema=schema, secret=b"s"))
    assert len(np.unique(ours[: len(Locale)], axis=0)) == len(Locale)


def _hardened(columns: Columns) -> tuple[dict[str, TableRows], bytes]:
    profile, normal = hardened_1(FIELDS), _normal(columns)
    tables = {found.table: found for found in encode_hardened(normal, profile=profile, keys=KEYS)}
    return tables, MatchKeyEncoder(profile, KEYS).encode(normal).tobytes()


@pytest.fixture(scope="module")
def hardened() -> tuple[dict[str, TableRows], bytes]:
    """People of every locale as they are, encoded."""
    return _hardened(_people_of_the_world(3))


@pytest.mark.parametrize("typed", TYPED, ids=["upper", "lower", "no accents", "decomposed", "punctuated"])
def test_hardened_gives_equal_clks_and_tags_however_a_name_is_typed(
    typed: Callable[[str], str], hardened: tuple[dict[str, TableRows], bytes]
) -> None:
    plain = _people_of_the_world(3)
    other = {field: [typed(value) for value in values] for field, values in plain.items()}
    (tables, tags), (other_tables, other_tags) = hardened, _hardened(other)

    assert other != plain
    assert other_tags == tags
    assert other_tables.keys() == tables.keys()
    for name, found in tables.items():
        assert np.array_equal(other_tables[name].rows, found.rows)
        assert np.array_equal(other_tables[name].clks, found.clks)


def test_hardened_tells_people_of_every_locale_apart(hardened: tuple[dict[str, TableRows], bytes]) -> None:
    tables, _ = hardened

    assert len(np.unique(tables["all"].clks, axis=0)) == 3 * len(Locale)
