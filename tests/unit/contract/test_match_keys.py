"""Match keys: what of a value is a part, which keys the fields of a project make, and that none is of a family."""

from itertools import combinations

import pytest

from isthmus.contract.known_answers import KnownAnswer, key_part
from isthmus.contract.match_keys import MatchKey, Part, match_keys_for
from isthmus.contract.standard_fields import STANDARD_FIELDS

ALL = tuple(STANDARD_FIELDS)
EVERY = (*match_keys_for(ALL), *match_keys_for([field for field in ALL if field != "dob"]))
"""All that there are, those of a date and those of a year of birth alone."""

WHOLE = Part(field="first_name")
STEM = Part(field="first_name", slices=((0, 3),))
YEAR_DAY = Part(field="dob", slices=((0, 4), (6, 8)), digits=8)


@pytest.mark.parametrize(
    ("part", "value", "expected"),
    [
        (WHOLE, "maria", "maria"),
        (WHOLE, "", ""),
        (STEM, "maria", "mar"),
        (STEM, "jo", "jo"),
        (STEM, "", ""),
        (STEM, "μαρια", "μαρ"),
        (STEM, "𠮷田太郎", "𠮷田太"),
        (YEAR_DAY, "19910228", "199128"),
        (YEAR_DAY, "", ""),
        (YEAR_DAY, "1991", ""),
        (YEAR_DAY, "199102281", ""),
        (YEAR_DAY, "1991022x", ""),
        (YEAR_DAY, "1991-2-8", ""),
        (YEAR_DAY, "١٩٩١٠٢٢٨", ""),
        (YEAR_DAY, "1991022²", ""),
        (Part(field="dob", digits=8), "19910228", "19910228"),
        (Part(field="dob", digits=8), "199102", ""),
    ],
)
def test_part_is_what_the_slices_give_of_a_value_of_so_many_digits(part: Part, value: str, expected: str) -> None:
    assert part.of(value) == expected


def test_key_names_its_fields_in_order_of_the_parts() -> None:
    assert MatchKey(name="n", parts=(YEAR_DAY, STEM)).fields == ("dob", "first_name")


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        (("last_name", "dob"), ["last-birth", "last_initial-birth"]),
        (("first_name", "birth_year", "last_name"), ["names-birth_year"]),
        (("first_name", "last_name", "phone"), ["initial-phone"]),
        (("last_name", "phone"), []),
        (("dob", "ssn", "zip"), ["birth-zip", "year-ssn", "ssn-zip"]),
        ((), []),
    ],
    ids=str,
)
def test_keys_are_those_whose_fields_are_all_shared(fields: tuple[str, ...], names: list[str]) -> None:
    assert [key.name for key in match_keys_for(fields)] == names


def test_year_of_birth_counts_only_where_no_date_is_shared() -> None:
    with_date = {field for key in match_keys_for(ALL) for field in key.fields}

    assert "birth_year" not in with_date
    assert "dob" in with_date


def test_order_of_the_fields_changes_nothing() -> None:
    assert list(match_keys_for(ALL)) == list(match_keys_for(tuple(reversed(ALL))))


def test_more_fields_never_take_a_key_away_but_a_date_that_of_the_year() -> None:
    for pair in combinations(ALL, 2):
        fewer = {key.name for key in match_keys_for([field for field in ALL if field not in pair])}
        assert fewer - {key.name for key in match_keys_for(ALL)} <= ({"names-birth_year"} if "dob" in pair else set())


def test_names_and_contents_of_keys_are_all_different() -> None:
    assert len({key.name for key in EVERY}) == len({key.parts for key in EVERY}) == len(set(EVERY))


@pytest.mark.parametrize("key", dict.fromkeys(EVERY), ids=lambda key: key.name)
def test_key_tells_the_people_of_a_household_apart(key: MatchKey) -> None:
    assert {"first_name", "dob", "ssn"} & set(key.fields)
    assert not set(key.fields) <= {"first_name", "last_name"}


@pytest.mark.parametrize("key", dict.fromkeys(EVERY), ids=lambda key: key.name)
def test_name_of_a_key_can_stand_in_a_known_answer(key: MatchKey) -> None:
    assert KnownAnswer(part=key_part(key.name), mac=bytes(16)).part == f"key:{key.name}"


@pytest.mark.parametrize("key", dict.fromkeys(EVERY), ids=lambda key: key.name)
def test_slices_rise_and_those_of_a_date_lie_within_its_digits(key: MatchKey) -> None:
    for part in key.parts:
        places = [place for piece in part.slices for place in piece]
        assert places == sorted(set(places))
        assert part.digits == (8 if part.field == "dob" and part.slices else 0)
        assert not part.digits or places[-1] <= part.digits
