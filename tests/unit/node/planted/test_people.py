"""Planted people: the same at every node, in normal form, nobody's numbers, and unknown without the key."""

from collections import Counter

import pytest

from isthmus.contract.secret import Secret
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.compare.nicknames import NICKNAME_SETS
from isthmus.node.normalise import normalise_column
from isthmus.node.planted.draws import Draws
from isthmus.node.planted.lists import ORIGINS, STREET_KINDS, STREETS, TOWNS
from isthmus.node.planted.people import planted_people

KEY, OTHER = Secret(b"k" * 32), Secret(b"o" * 32)
PEOPLE = list(planted_people(KEY, count=1000))


def test_same_key_gives_the_same_people_however_many_are_asked_for() -> None:
    assert list(planted_people(KEY, count=30)) == PEOPLE[:30]


def test_another_rounds_key_gives_other_people() -> None:
    dates = {(person["dob"], person["last_name"]) for person in PEOPLE}

    assert sum((one["dob"], one["last_name"]) in dates for one in planted_people(OTHER, count=1000)) < 20


@pytest.mark.parametrize("field", STANDARD_FIELDS)
def test_values_are_their_own_normal_form_and_sound(field: str) -> None:
    values = [person[field] for person in PEOPLE]

    column = normalise_column(field, values)

    assert column.values == values
    assert (column.placeholders, column.damaged) == (0, 0)


def test_every_list_is_in_normal_form() -> None:
    first = [name for origin in ORIGINS for names in origin.first_names.values() for name in names]
    last = [name for origin in ORIGINS for name in origin.last_names]
    streets = [f"{street} {kind}" for street in STREETS for kind in STREET_KINDS]
    lists = {
        "first_name": first,
        "middle_name": first,
        "last_name": last,
        "street_name": streets,
        "city": [town.city for town in TOWNS],
        "state": [town.state for town in TOWNS],
    }

    for field, values in lists.items():
        column = normalise_column(field, values)
        assert (column.values, column.missing, column.damaged) == (values, 0, 0)


def test_lists_have_no_entry_twice_and_origins_are_all_people() -> None:
    for entries in (STREETS, STREET_KINDS, [town.city for town in TOWNS], [town.zip_prefix for town in TOWNS]):
        assert len(set(entries)) == len(entries)
    for origin in ORIGINS:
        for names in (*origin.first_names.values(), origin.last_names):
            assert len(set(names)) == len(names)
    assert sum(origin.parts for origin in ORIGINS) == 1000


def test_social_security_numbers_are_nobodys() -> None:
    # Numbers that begin with 9 are none; those of taxpayers have 50 or more in the middle.
    assert all(person["ssn"][0] == "9" and 1 <= int(person["ssn"][3:5]) <= 49 for person in PEOPLE)


def test_people_are_as_different_as_their_lists_promise() -> None:
    origins = {name: origin.name for origin in ORIGINS for name in origin.last_names}
    seen = Counter(origins[person["last_name"].split()[0]] for person in PEOPLE)

    assert len({person["dob"] for person in PEOPLE}) > 950
    assert {person["sex"] for person in PEOPLE} == {"f", "m"}
    assert seen.keys() == {origin.name for origin in ORIGINS}
    assert any(" " in person["last_name"] for person in PEOPLE)
    assert 550 < sum(person["middle_name"] != "" for person in PEOPLE) < 650


def test_some_have_nicknames() -> None:
    known = {name for names in NICKNAME_SETS for name in names}

    assert sum(person["first_name"] in known for person in PEOPLE) > 400


def test_first_entries_are_common_ones() -> None:
    words = [word << 24 for word in range(256)]
    drawn = Counter(Draws([inner, outer]).common("abcd") for inner in words for outer in words)

    # (1 + 1/2 + 1/3 + 1/4) / 4 of all, and so on.
    assert [round(drawn[letter] / sum(drawn.values()), 2) for letter in "abcd"] == [0.52, 0.27, 0.15, 0.06]


def test_draws_are_whole_numbers_below_the_count() -> None:
    assert [Draws([word]).below(10) for word in (0, 2**31, 2**32 - 1)] == [0, 5, 9]
    assert [Draws([word]).happens(500) for word in (2**31 - 1, 2**31 + 2**22)] == [True, False]
