"""Match keys: what of a value is a part, which keys the fields of a project make, and that none is of a family."""

from itertools import combinations

import pytest

from isthmus.contract.encodings import MAX_MATCH_KEYS
from isthmus.contract.known_answers import KnownAnswer, key_part
from isthmus.contract.match_keys import MatchKey, Part, PartForm, match_keys_for, sound_of
from isthmus.contract.standard_fields import STANDARD_FIELDS

ALL = tuple(STANDARD_FIELDS)
EVERY = (*match_keys_for(ALL), *match_keys_for([field for field in ALL if field != "dob"]))
"""All that there are, those of a date and those of a year of birth alone."""

WIDE = tuple(match_keys_for(ALL, wide=True))

WHOLE = Part(field="first_name")
STEM = Part(field="first_name", slices=((0, 3),))
YEAR_DAY = Part(field="dob", slices=((0, 4), (6, 8)), digits=8)
END = Part(field="first_name", form=PartForm.REVERSED, slices=((0, 3),))
SOUND = Part(field="first_name", form=PartForm.SOUND)
SWAPPED = Part(field="dob", form=PartForm.UNORDERED_DATE, digits=8)


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
        (END, "maria", "air"),
        (END, "jo", "oj"),
        (END, "иван", "нав"),
        (END, "", ""),
        (SOUND, "robert", "r163"),
        (SOUND, "", ""),
        (SWAPPED, "19910228", "19910228"),
        (SWAPPED, "19912802", "19910228"),
        (SWAPPED, "19911111", "19911111"),
        (SWAPPED, "1991", ""),
        (SWAPPED, "1991022x", ""),
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


@pytest.mark.parametrize("key", dict.fromkeys((*EVERY, *WIDE)), ids=lambda key: key.name)
def test_name_of_a_key_can_stand_in_a_known_answer(key: MatchKey) -> None:
    assert KnownAnswer(part=key_part(key.name), mac=bytes(16)).part == f"key:{key.name}"


@pytest.mark.parametrize("key", dict.fromkeys((*EVERY, *WIDE)), ids=lambda key: key.name)
def test_slices_rise_and_those_of_a_date_lie_within_its_digits(key: MatchKey) -> None:
    for part in key.parts:
        places = [place for piece in part.slices for place in piece]
        assert places == sorted(set(places))
        cut = bool(part.slices) or part.form is not PartForm.PLAIN
        assert part.digits == (8 if part.field == "dob" and cut else 0)
        assert not part.digits or max(places, default=0) <= part.digits


@pytest.mark.parametrize(
    ("name", "sound"),
    [
        ("rupert", "r163"),
        ("ashcraft", "a261"),
        ("tymczak", "t522"),
        ("pfister", "p236"),
        ("hwh", "h000"),
        ("li", "l000"),
        ("mary ann", "m650"),
        ("maryann", "m650"),
        ("ивановна", "ивановна"),
        ("ñandu", "ñandu"),
        ("john 3", "john 3"),
        ("ana мария", "ana мария"),
    ],
)
def test_sound_is_a_letter_and_three_digits_or_the_name_itself_where_it_is_not_of_a_to_z(name: str, sound: str) -> None:
    assert sound_of(name) == sound


def test_wide_keys_come_after_all_others_and_fit_into_a_submission() -> None:
    narrow = tuple(match_keys_for(ALL))

    assert WIDE[: len(narrow)] == narrow
    assert len(narrow) < len(WIDE) <= MAX_MATCH_KEYS


def test_names_and_contents_of_wide_keys_are_all_different() -> None:
    contents = {(frozenset(key.parts) if key.unordered else key.parts, key.unordered) for key in WIDE}

    assert len({key.name for key in WIDE}) == len(contents) == len(WIDE)


@pytest.mark.parametrize("missing", ALL)
def test_wide_keys_are_those_whose_fields_are_all_shared(missing: str) -> None:
    fields = [field for field in ALL if field not in {missing, "birth_year"}]
    expected = [key for key in WIDE if missing not in key.fields]

    assert list(match_keys_for(fields, wide=True)) == expected


def test_unordered_key_joins_its_first_two_parts_by_code_point_and_leaves_the_others() -> None:
    key = MatchKey(name="n", parts=(WHOLE, STEM, YEAR_DAY), unordered=True)

    assert key.joined(["b", "a", "0"]) == key.joined(["a", "b", "0"]) == ("a", "b", "0")
    assert key.joined(["\U00020bb7", "\uffee", "0"]) == ("\uffee", "\U00020bb7", "0")
    assert MatchKey(name="n", parts=(WHOLE, STEM)).joined(["b", "a"]) == ("b", "a")


@pytest.mark.parametrize("key", [key for key in WIDE if key.unordered], ids=lambda key: key.name)
def test_parts_in_either_order_are_one_form_of_first_and_last_name(key: MatchKey) -> None:
    one, other = key.parts[:2]

    assert (one.field, other.field) == ("first_name", "last_name")
    assert (one.form, one.slices, one.digits) == (other.form, other.slices, other.digits)
