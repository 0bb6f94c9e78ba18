"""Levels of agreement: each of them from differences that were made by hand, and the first that is true decides."""

import numpy as np
import pytest

from isthmus.contract.comparison import NAME_SET, NUMBER_SET
from isthmus.contract.differences import GRADES, MISSING, Differences, Grades, check_starting, field_levels
from isthmus.contract.levels import LEVELS
from isthmus.contract.standard_fields import STANDARD_FIELDS


def _level(field: str, **parts: int) -> str:
    """Give the name of the level of one pair; in names of parts `__` is a dot and `_is_` an equals sign."""
    named = {name.replace("__", ".").replace("_is_", "="): [told] for name, told in parts.items()}
    found = field_levels(Differences(by_part={name: np.array(told, np.int16) for name, told in named.items()}), [field])
    assert found.shape == (1, 1)
    assert found.dtype == np.int8
    place = int(found[0, 0])
    return "missing" if place == MISSING else LEVELS[field].names[place]


def _unlike(inserted: int, similarity: float) -> int:
    """Give how many bits differ in two vectors of that similarity."""
    return round((1 - similarity) * 2 * inserted)


@pytest.mark.parametrize("field", STANDARD_FIELDS)
def test_starting_shares_are_one_for_each_level_and_add_up(field: str) -> None:
    levels = LEVELS[field]

    assert len(levels.starting) == len(levels.names)
    assert sum(levels.starting) == pytest.approx(1)


@pytest.mark.parametrize(
    ("band", "level"),
    [
        (0, "equal, most common"),
        (1, "equal, common"),
        (2, "equal, common"),
        (3, "equal, rare"),
        (4, "equal, rare"),
        (5, "equal, rarest"),
        (6, "equal, rarest"),
    ],
)
@pytest.mark.parametrize("field", ["first_name", "last_name"])
def test_equal_name_is_of_the_level_of_its_bands(field: str, band: int, level: str) -> None:
    parts = {field: 0, f"{field}__band": band, "first_name_is_last_name": 1, "last_name_is_first_name": 1}

    assert _level(field, **parts) == level


@pytest.mark.parametrize("band", [MISSING, 7, 255])
def test_name_whose_band_tells_of_other_values_is_not_equal_but_alike(band: int) -> None:
    assert _level("last_name", last_name=0, last_name__band=band) == "unlike"


# From the level that is taken first to the last: what shows it.
NAME_STEPS = {
    "swapped": {"first_name_is_last_name": 1, "last_name_is_first_name": 1},
    "nickname": {"first_name__nickname": 1},
    "alike": {"first_name": _unlike(NAME_SET, 0.75)},
    "half alike": {"first_name": _unlike(NAME_SET, 0.6)},
    "initial": {"first_name__initial": 1},
    "somewhat alike": {"first_name": _unlike(NAME_SET, 0.35)},
    "unlike": {"first_name": _unlike(NAME_SET, 0.1)},
}


@pytest.mark.parametrize("level", NAME_STEPS)
def test_first_name_is_of_each_level(level: str) -> None:
    parts = {"first_name": _unlike(NAME_SET, 0.35 if level == "initial" else 0.1)} | NAME_STEPS[level]

    assert _level("first_name", **parts) == level


@pytest.mark.parametrize("place", range(len(NAME_STEPS) - 1))
def test_first_level_of_a_name_that_is_true_decides(place: int) -> None:
    later = list(NAME_STEPS.values())[place:]
    together: dict[str, int] = {}
    for parts in reversed(later):
        together |= parts

    assert _level("first_name", **{"first_name": 100} | together) == list(NAME_STEPS)[place]


def test_swapped_names_need_both_crossed_tags() -> None:
    assert _level("last_name", last_name=100, first_name_is_last_name=1, last_name_is_first_name=0) == "unlike"


@pytest.mark.parametrize("tag", ["word0_is_0", "word0_is_1", "word1_is_0", "word1_is_1"])
def test_last_names_that_share_any_word_do(tag: str) -> None:
    assert _level("last_name", last_name=40, **{f"last_name__{tag}": 1}) == "shared word"


@pytest.mark.parametrize(
    ("level", "parts"),
    [
        ("equal", {"middle_name": 0, "middle_name__initial": 1}),
        ("initial", {"middle_name": 10, "middle_name__initial": 1, "first_name_is_middle_name": 1}),
        ("half alike", {"middle_name": NAME_SET, "first_name_is_middle_name": 1}),
        ("first name", {"middle_name": NAME_SET + 1, "middle_name_is_first_name": 1}),
        ("first name", {"middle_name": NAME_SET + 1, "first_name_is_middle_name": 1}),
        ("unlike", {"middle_name": NAME_SET + 1, "middle_name__initial": 0}),
    ],
)
def test_middle_name_is_of_each_level(level: str, parts: dict[str, int]) -> None:
    assert _level("middle_name", **parts) == level


@pytest.mark.parametrize(
    ("level", "year", "month", "day", "swapped"),
    [
        ("equal", 0, 0, 0, 1),
        ("one digit", 0, 2, 0, 1),
        ("day and month swapped", 0, 2, 2, 1),
        ("day and month swapped", 0, 4, 4, 1),
        ("two digits", 4, 0, 0, 0),
        ("two digits", 0, 2, 2, 0),
        ("two of three parts", 6, 0, 0, 0),
        ("same year", 0, 4, 2, 0),
        ("unlike", 2, 4, 2, 0),
    ],
)
def test_date_is_of_each_level(level: str, year: int, month: int, day: int, swapped: int) -> None:
    found = _level("dob", dob__year=year, dob__month=month, dob__day=day, dob__swapped=swapped)

    assert found == level


@pytest.mark.parametrize("field", ["street_number", "street_name", "city"])
@pytest.mark.parametrize(("similarity", "level"), [(1, "equal"), (0.75, "alike"), (0.5, "half alike"), (0.4, "unlike")])
def test_text_is_of_the_level_of_its_similarity(field: str, similarity: float, level: str) -> None:
    inserted = NUMBER_SET if field == "street_number" else NAME_SET

    assert _level(field, **{field: _unlike(inserted, similarity)}) == level


@pytest.mark.parametrize("field", ["zip", "phone", "ssn", "birth_year"])
def test_digits_are_of_the_level_of_how_many_differ(field: str) -> None:
    most = len(LEVELS[field].names) - 1

    found = [_level(field, **{field: 2 * differing}) for differing in range(6)]

    assert found == [LEVELS[field].names[min(differing, most)] for differing in range(6)]


@pytest.mark.parametrize("field", ["sex", "state"])
def test_equality_is_equal_or_unlike(field: str) -> None:
    assert [_level(field, **{field: told}) for told in (1, 0)] == ["equal", "unlike"]


@pytest.mark.parametrize("field", STANDARD_FIELDS)
def test_field_that_a_row_lacks_is_missing_whatever_else_is_told(field: str) -> None:
    parts = (f"{field}__year", f"{field}__month", f"{field}__day") if field == "dob" else (field,)

    found = _level(field, **dict.fromkeys(parts, MISSING), first_name__nickname=1, dob__swapped=1, other=0)

    assert found == "missing"


def test_levels_are_of_the_fields_asked_for_in_their_order() -> None:
    differences = Differences(by_part={"sex": np.array([1, 0], np.int16), "zip": np.array([-1, 4], np.int16)})

    assert field_levels(differences, ["zip", "sex"]).tolist() == [[MISSING, 2], [0, 1]]


def test_part_that_nobody_told_of_is_missing_in_every_pair() -> None:
    differences = Differences(by_part={"sex": np.array([1, 0], np.int16)})

    assert differences.of("dob.swapped").tolist() == [MISSING, MISSING]
    assert not differences.equal("dob.swapped").any()
    assert len(differences) == 2
    assert len(Differences(by_part={})) == 0


@pytest.mark.parametrize("grades", [(0.72, 0.3, 0.5), (0.5, 0.72, 0.3), (1.1, 0.5, 0.3), (0.72, 0.5, 0.0)])
def test_grades_out_of_range_or_order_are_refused(grades: tuple[float, float, float]) -> None:
    alike, half_alike, somewhat_alike = grades

    with pytest.raises(ValueError, match="none greater"):
        Grades(alike=alike, half_alike=half_alike, somewhat_alike=somewhat_alike)


@pytest.mark.parametrize(
    ("grades", "level"),
    [
        (GRADES, "half alike"),
        (Grades(alike=0.6, half_alike=0.5, somewhat_alike=0.3), "alike"),
        (Grades(alike=0.9, half_alike=0.8, somewhat_alike=0.6), "somewhat alike"),
        (Grades(alike=0.9, half_alike=0.8, somewhat_alike=0.7), "unlike"),
    ],
)
def test_grades_can_be_others(grades: Grades, level: str) -> None:
    # 28 of the 80 bits of two names differ: they are .65 alike.
    differences = Differences(by_part={"last_name": np.array([28], np.int16)})

    found = field_levels(differences, ["last_name"], grades=grades)

    assert LEVELS["last_name"].names[found[0, 0]] == level


def test_starting_shares_that_are_declared_are_right() -> None:
    check_starting({field: levels.starting for field, levels in LEVELS.items()})


def test_starting_shares_at_fault_are_all_named() -> None:
    wrong = {
        "sex": (0.9, 0.2),
        "zip": (1.0,),
        "dob": (2.0, -1.0, 0, 0, 0, 0, 0),
        "shoe_size": (1.0,),
        "state": (0.9, 0.1),
    }

    with pytest.raises(ValueError, match=r"dob, sex, shoe_size, zip$"):
        check_starting(wrong)
