"""Planted people at the coordinator: the pairs that they are in, and how many of them are found again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from isthmus.contract.levels import LEVELS
from isthmus.coordinator.match.compare.model import Candidates, Model, fit, judge
from isthmus.coordinator.match.compare.planted import NOBODY, Planted, PlantedFound, find_planted

ROWS = st.lists(st.integers(0, 30), unique=True, max_size=12)
PAIRS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60)
FIELDS = ("first_name", "last_name", "dob", "zip")
EQUAL = [2, 2, 0, 0]
UNLIKE = [len(LEVELS[field].names) - 1 for field in FIELDS]
OTHER_DATE = [2, 2, UNLIKE[2], 0]


def _planted(left: list[int], right: list[int]) -> Planted:
    return Planted(left_row=np.array(left, np.uint32), right_row=np.array(right, np.uint32))


def _columns(pairs: list[tuple[int, int]]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    columns = np.array(pairs, np.uint32).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]


def _candidates(*pairs: tuple[int, int, list[int]]) -> Candidates:
    left, right = _columns([(one, other) for one, other, _ in pairs])
    levels = np.array([levels for _, _, levels in pairs], np.int8).reshape(-1, len(FIELDS)).T
    return Candidates(fields=FIELDS, levels=levels, left_row=left, right_row=right, rows=(100, 100))


def _model() -> Model:
    """Give the model of sixty real people whose rows are equal, and random pairs that are unlike."""
    random = tuple(np.full(len(LEVELS[field].names), 0.001) for field in FIELDS)
    for shares in random:
        shares[-1] += 1 - shares.sum()
    return fit(_candidates(*((row, row, EQUAL) for row in range(60))), random=random, near=())[0]


MODEL = _model()


@given(ROWS, ROWS, PAIRS)
def test_pairs_of_planted_rows_and_of_both_rows_of_one_person_are_known(
    left: list[int], right: list[int], pairs: list[tuple[int, int]]
) -> None:
    people = min(len(left), len(right))
    planted = _planted(left[:people], right[:people])
    own = dict(zip(zip(left, right, strict=False), range(people), strict=False))

    assert planted.own(*_columns(pairs)).tolist() == [own.get(pair, NOBODY) for pair in pairs]
    concerned = [one in left[:people] or other in right[:people] for one, other in pairs]
    assert planted.concerns(*_columns(pairs)).tolist() == concerned


@pytest.mark.parametrize(("left", "right"), [([1, 2], [1]), ([1, 1], [1, 2]), ([1, 2], [3, 3])])
def test_rows_that_cannot_be_those_of_people_are_refused(left: list[int], right: list[int]) -> None:
    with pytest.raises(ValueError, match="planted person"):
        _planted(left, right)


def test_judging_those_whom_the_model_was_found_in_gives_its_own_probabilities() -> None:
    candidates = _candidates(*((row, row, EQUAL) for row in range(60)), (3, 70, UNLIKE), (5, 71, OTHER_DATE))
    model, probability = fit(candidates, random=MODEL.random, near=())

    assert np.array_equal(judge(candidates, model), probability)


def test_people_whose_rows_are_alike_are_found_and_others_missed() -> None:
    planted = _planted([100, 101, 102, 103], [110, 111, 112, 113])
    candidates = _candidates((100, 110, EQUAL), (101, 111, UNLIKE), (102, 112, EQUAL), (7, 7, EQUAL))

    found = find_planted(planted, candidates, MODEL, accept=0.5)

    assert found == PlantedFound(people=4, asked=3, found=2)


def test_pairs_of_real_rows_play_no_part() -> None:
    planted = _planted([100], [110])
    alone = find_planted(planted, _candidates((100, 110, EQUAL)), MODEL, accept=0.5)

    assert find_planted(planted, _candidates((100, 110, EQUAL), (1, 1, EQUAL)), MODEL, accept=0.5) == alone


def test_person_whose_row_is_likelier_another_ones_is_not_found() -> None:
    planted = _planted([100, 101], [110, 111])
    rivals = _candidates((100, 110, OTHER_DATE), (100, 5, EQUAL), (101, 111, EQUAL), (101, 6, OTHER_DATE))

    assert find_planted(planted, rivals, MODEL, accept=0.0001) == PlantedFound(people=2, asked=2, found=1)


def test_probability_equal_to_the_acceptance_is_enough() -> None:
    planted, candidates = _planted([100], [110]), _candidates((100, 110, OTHER_DATE))
    exactly = float(judge(candidates, MODEL).round(12)[0])

    assert 0 < exactly < 1
    assert find_planted(planted, candidates, MODEL, accept=exactly).found == 1
    assert find_planted(planted, candidates, MODEL, accept=np.nextafter(exactly, 1)).found == 0


def test_without_planted_people_or_without_candidates_nobody_is_found() -> None:
    nobody = find_planted(_planted([], []), _candidates((0, 0, EQUAL)), MODEL, accept=0.1)
    none_asked = find_planted(_planted([100], [110]), _candidates(), MODEL, accept=0.1)

    assert nobody == PlantedFound(people=0, asked=0, found=0)
    assert none_asked == PlantedFound(people=1, asked=0, found=0)


def test_model_that_found_nobody_shared_finds_no_planted_person() -> None:
    empty, _ = fit(_candidates(), random=MODEL.random, near=())

    assert find_planted(_planted([100], [110]), _candidates((100, 110, EQUAL)), empty, accept=0.1).found == 0
