"""Copies of planted people: other ones at every provider, with the errors that are published, as often as said."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.contract.ids import PartyId
from isthmus.contract.secret import Secret
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.node.compare.nicknames import nickname_set
from isthmus.node.planted.copies import COPY_BYTES, FIELD_ERRORS, copy_of, planted_copies
from isthmus.node.planted.draws import Draws
from isthmus.node.planted.people import Person, planted_people

KEY = Secret(b"k" * 32)
RIVERSIDE, COLLEGE = PartyId("riverside"), PartyId("college")
PROVIDERS = tuple(PartyId(f"provider-{number}") for number in range(8))
PEOPLE = list(planted_people(KEY, count=1000))


@pytest.fixture(scope="module")
def pairs() -> list[tuple[Person, Person]]:
    """Everybody with each of eight copies."""
    return [
        pair for party in PROVIDERS for pair in zip(PEOPLE, planted_copies(KEY, party=party, count=1000), strict=True)
    ]


def _share(pairs: list[tuple[Person, Person]], of: Callable[[Person, Person], bool]) -> float:
    return sum(of(*pair) for pair in pairs) / len(pairs)


def test_same_provider_makes_the_same_copies_however_many_are_asked_for() -> None:
    once, again = (list(planted_copies(KEY, party=RIVERSIDE, count=count)) for count in (1000, 30))

    assert once[:30] == again


def test_two_providers_make_other_copies_of_one_person() -> None:
    ours, theirs = (list(planted_copies(KEY, party=party, count=1000)) for party in (RIVERSIDE, COLLEGE))
    equal = sum(one == other for one, other in zip(ours, theirs, strict=True))
    most = sum(
        sum(one[field] == other[field] for field in STANDARD_FIELDS) >= 6
        for one, other in zip(ours, theirs, strict=True)
    )

    assert equal < 150
    assert most > 980


def test_errors_of_two_providers_have_nothing_to_do_with_each_other() -> None:
    ours, theirs = (list(planted_copies(KEY, party=party, count=1000)) for party in (RIVERSIDE, COLLEGE))
    lacking = [[copy["phone"] == "" for copy in copies] for copies in (ours, theirs)]
    both = sum(one and other for one, other in zip(*lacking, strict=True))

    assert 0.02 < both / 1000 < 0.06  # a fifth of a fifth


def test_copies_have_every_field_in_standard_order() -> None:
    for copy in planted_copies(KEY, party=RIVERSIDE, count=3):
        assert list(copy) == list(STANDARD_FIELDS)
    assert list(FIELD_ERRORS) == list(STANDARD_FIELDS)


@pytest.mark.parametrize(
    ("field", "expected"),
    [("first_name", 2), ("last_name", 2), ("dob", 10), ("sex", 15), ("phone", 200), ("ssn", 80)],
)
def test_fields_are_missing_as_often_as_published(
    pairs: list[tuple[Person, Person]], field: str, expected: int
) -> None:
    share = _share(pairs, lambda _, copy: copy[field] == "")

    assert share == pytest.approx(expected / 1000, abs=0.003 + 0.05 * expected / 1000)


def test_addresses_are_missing_together_as_often_as_published(pairs: list[tuple[Person, Person]]) -> None:
    address = ("street_number", "street_name", "city", "state", "zip")

    assert _share(pairs, lambda _, copy: not any(copy[field] for field in address)) == pytest.approx(0.02, abs=0.005)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (lambda person, copy: copy["ssn"] not in {"", person["ssn"]}, 0.92 * 0.01),
        (lambda person, copy: copy["sex"] not in {"", person["sex"]}, 0.985 * 0.003),
        # 100 other numbers and 15 misread ones of a thousand.
        (lambda person, copy: copy["phone"] not in {"", person["phone"]}, 0.8 * (1 - 0.9 * 0.985)),
        (lambda person, copy: copy["phone"][:3] not in {"", person["phone"][:3]}, 0.8 * 0.015 * 0.3),
        # Half of those who moved have another town, mostly; 15 of a thousand towns are mistyped.
        (lambda person, copy: copy["city"] not in {"", person["city"]}, 0.965 * 0.054),
        (lambda person, copy: len(copy["middle_name"]) == 1, 0.6 * 0.85 * 0.3),
        (lambda person, copy: copy["dob"] == _swapped(person["dob"]) != person["dob"], 0.99 * 0.005),
        (lambda person, copy: copy["first_name"] == person["last_name"] != person["first_name"], 0.005),
    ],
    ids=["ssn", "sex", "phone", "area code", "city", "initial", "swapped date", "swapped names"],
)
def test_errors_are_as_frequent_as_published(
    pairs: list[tuple[Person, Person]], what: Callable[[Person, Person], bool], expected: float
) -> None:
    assert _share(pairs, what) == pytest.approx(expected, abs=0.003 + 0.1 * expected)


def _swapped(date: str) -> str:
    return date[:4] + date[6:] + date[4:6]


def test_women_change_their_last_names_more_often_than_men(pairs: list[tuple[Person, Person]]) -> None:
    def other(person: Person, copy: Person) -> bool:
        return not set(copy["last_name"].split()) & {*person["last_name"].split(), person["first_name"]}

    women, men = ([pair for pair in pairs if pair[0]["sex"] == sex] for sex in "fm")

    # Typing errors are among them: 25 of a thousand.
    assert _share(women, other) == pytest.approx(0.053, abs=0.01)
    assert _share(men, other) == pytest.approx(0.03, abs=0.01)


def test_nicknames_are_of_the_same_set(pairs: list[tuple[Person, Person]]) -> None:
    having = [pair for pair in pairs if nickname_set(pair[0]["first_name"]) != pair[0]["first_name"]]
    having += [pair for pair in pairs if pair[0]["first_name"] in {"william", "robert", "elizabeth", "jose"}]

    share = _share(
        having,
        lambda person, copy: (
            copy["first_name"] != person["first_name"]
            and nickname_set(copy["first_name"]) == nickname_set(person["first_name"])
        ),
    )

    assert share == pytest.approx(0.05, abs=0.015)


@given(st.integers(0, 2**32), st.integers(0, 3))
def test_no_copy_reads_past_its_piece_of_the_stream(seed: int, rarely: int) -> None:
    words = random.Random(seed).choices([0, *[2**31] * rarely, 2**32 - 1], k=COPY_BYTES // 4)

    assert list(copy_of(PEOPLE[0], Draws(words))) == list(STANDARD_FIELDS)  # raises where there are too few


def test_copy_to_which_everything_happens_reads_less_than_half_of_its_piece() -> None:
    copy = copy_of(PEOPLE[0], Draws([0] * (COPY_BYTES // 8)))

    assert set(copy.values()) == {""}


def _words(*drawn: tuple[int, int]) -> Draws:
    """Give draws of which each is a number below another."""
    return Draws([(number << 32) // below + 1 for number, below in drawn])


@pytest.mark.parametrize(
    ("drawn", "typed"),
    [
        ([(0, 4), (0, 6), (3, 25)], "sak ln"),  # o and four on
        ([(0, 4), (3, 6), (0, 25)], "oakbln"),  # a space counts as a
        ([(0, 4), (4, 6), (24, 25)], "oak kn"),  # round the alphabet
        ([(1, 4), (3, 6)], "oakln"),
        ([(1, 4), (0, 6)], "ak ln"),
        ([(2, 4), (6, 7), (25, 26)], "oak lnz"),
        ([(3, 4), (2, 5)], "oa kln"),
        ([(3, 4), (0, 5)], "aok ln"),
    ],
)
def test_typing_errors_are_those_of_the_page(drawn: list[tuple[int, int]], typed: str) -> None:
    assert FIELD_ERRORS["street_name"].damaged("oak ln", _words(*drawn)) == typed


@pytest.mark.parametrize(
    ("value", "drawn", "read"),
    [
        ("1990", [(0, 2), (3, 4), (0, 9)], "1991"),
        ("1990", [(0, 2), (1, 4), (0, 9)], "1090"),
        ("1990", [(1, 2), (2, 3)], "1909"),
        ("7", [(0, 1), (8, 9)], "6"),
    ],
)
def test_digit_errors_are_those_of_the_page(value: str, drawn: list[tuple[int, int]], read: str) -> None:
    assert FIELD_ERRORS["birth_year"].damaged(value, _words(*drawn)) == read


def test_typing_errors_leave_no_space_at_an_end() -> None:
    assert FIELD_ERRORS["city"].damaged("a b", _words((1, 4), (0, 3))) == "b"
