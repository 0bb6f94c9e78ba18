"""Corruptions: each does what its name says, leaves what it cannot damage, and depends on the seed alone."""

from random import Random

import pytest
from isthmus_people.corrupt import CORRUPTIONS, NICKNAMES, corrupt

SEEDS = range(30)


@pytest.mark.parametrize("name", sorted(CORRUPTIONS))
def test_corruption_leaves_a_missing_value_missing(name: str) -> None:
    assert all(CORRUPTIONS[name]("", Random(seed)) == "" for seed in SEEDS)


@pytest.mark.parametrize("name", sorted(CORRUPTIONS))
def test_corruption_is_the_same_for_the_same_seed(name: str) -> None:
    for value in ("Michael", "Pena-Villareal", "1985-03-07", "M", "98021"):
        assert CORRUPTIONS[name](value, Random(3)) == CORRUPTIONS[name](value, Random(3))


@pytest.mark.parametrize("name", ["keyboard_typo", "digit_slip"])
def test_substitution_changes_exactly_one_character(name: str) -> None:
    for seed in SEEDS:
        damaged = CORRUPTIONS[name]("481516", Random(seed))
        assert sum(old != new for old, new in zip("481516", damaged, strict=True)) == 1


def test_keyboard_typo_hits_a_neighbour_and_keeps_the_case() -> None:
    assert {CORRUPTIONS["keyboard_typo"]("A", Random(seed)) for seed in SEEDS} == {"S"}
    assert {CORRUPTIONS["keyboard_typo"]("g", Random(seed)) for seed in SEEDS} == {"f", "h"}


def test_transposition_keeps_the_characters_and_the_first_place() -> None:
    for seed in SEEDS:
        damaged = CORRUPTIONS["transposition"]("Martin", Random(seed))
        assert damaged != "Martin"
        assert sorted(damaged) == sorted("Martin")
        assert damaged[0] == "M"


def test_transposition_leaves_a_value_of_one_repeated_character() -> None:
    assert CORRUPTIONS["transposition"]("aaa", Random(1)) == "aaa"


@pytest.mark.parametrize(("name", "change"), [("dropped_letter", -1), ("doubled_letter", 1)])
def test_length_changes_by_one(name: str, change: int) -> None:
    assert all(len(CORRUPTIONS[name]("Garcia", Random(seed))) == 6 + change for seed in SEEDS)


def test_scanning_error_reads_rn_as_m_and_back() -> None:
    assert "Mathem" in {CORRUPTIONS["scanning_error"]("Mathern", Random(seed)) for seed in SEEDS}
    assert "rnix" in {CORRUPTIONS["scanning_error"]("mix", Random(seed)) for seed in SEEDS}


def test_phonetic_spelling_keeps_the_capital() -> None:
    assert CORRUPTIONS["phonetic_spelling"]("Phil", Random(1)) == "Fil"


def test_nickname_is_one_of_the_table_and_others_stay() -> None:
    seen = {CORRUPTIONS["nickname"]("Robert", Random(seed)) for seed in SEEDS}

    assert seen == {form.capitalize() for form in NICKNAMES["robert"]}
    assert CORRUPTIONS["nickname"]("Vianey", Random(1)) == "Vianey"


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("first_part", "Pena-Villareal", "Pena"),
        ("first_part", "Garcia Barron", "Garcia"),
        ("initial_only", "Elijah", "E"),
        ("swap_day_month", "1985-03-07", "1985-07-03"),
        ("swap_day_month", "1985-03-27", "1985-03-27"),
        ("other_sex", "F", "M"),
        ("other_sex", "MALE", "FEMALE"),
        ("other_sex", "X", "X"),
        ("blank", "anything", ""),
    ],
)
def test_corruption_gives_the_expected_value(name: str, value: str, wanted: str) -> None:
    assert CORRUPTIONS[name](value, Random(1)) == wanted


def test_suffix_is_added_after_the_name() -> None:
    assert {CORRUPTIONS["suffix"]("Cox", Random(seed)).split()[0] for seed in SEEDS} == {"Cox"}


def test_corrupt_applies_certain_rates_in_the_order_listed_and_keeps_other_fields() -> None:
    record = {"first_name": "Robert", "dob": "1985-03-07"}

    damaged = corrupt(record, {"first_name": {"nickname": 1.0, "initial_only": 1.0}, "zip": {"blank": 1.0}}, Random(1))

    assert damaged["first_name"] in {"R", "B"}
    assert damaged["dob"] == "1985-03-07"
    assert "zip" not in damaged
    assert record["first_name"] == "Robert"


def test_corrupt_happens_as_often_as_its_rate() -> None:
    rng = Random(1)

    blanks = sum(corrupt({"zip": "98021"}, {"zip": {"blank": 0.2}}, rng)["zip"] == "" for _ in range(5000))

    assert 0.17 < blanks / 5000 < 0.23


def test_corrupt_refuses_an_unknown_corruption() -> None:
    with pytest.raises(KeyError, match="no_such"):
        corrupt({"zip": "98021"}, {"zip": {"no_such": 1.0}}, Random(1))
