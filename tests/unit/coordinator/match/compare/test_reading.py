"""Answers read piece by piece say what they say as a whole."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from isthmus.contract.comparison import PRESENCE_BYTES, comparison_1
from isthmus.contract.differences import GRADES, MISSING, Grades, field_levels
from isthmus.contract.kinds import random_shares
from isthmus.coordinator.match.compare.differences import read_differences
from isthmus.coordinator.match.compare.reading import Piece, Read, read_answers

COMPARISON = comparison_1(["first_name", "sex", "zip"])
PAIRS = 60


def _answers(seed: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.bool_]]:
    """Give answers whose bytes are any, many of them the same on both sides."""
    rng = np.random.default_rng(seed)
    left = rng.integers(0, 256, (PAIRS, COMPARISON.answer_bytes), np.uint8)
    right = np.where(rng.random(left.shape) < 0.7, left, rng.integers(0, 256, left.shape, np.uint8))
    for side in (left, right):
        # Most rows have every part, some lack some, and some were struck out.
        side[:, :PRESENCE_BYTES] = np.where(rng.random((PAIRS, 1)) < 0.7, 255, side[:, :PRESENCE_BYTES])
        side[rng.random(PAIRS) < 0.1, :PRESENCE_BYTES] = 0
    return left, right, rng.random(PAIRS) < 0.5


def _read(pieces: list[Piece], *, grades: Grades = GRADES) -> Read:
    return read_answers(iter(pieces), COMPARISON, grades=grades)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.sets(st.integers(0, PAIRS)))
def test_pieces_say_what_all_answers_say_at_once(seed: int, cuts: set[int]) -> None:
    left, right, candidate = _answers(seed)
    bounds = [0, *sorted(cuts), PAIRS]
    pieces = [(left[a:b], right[a:b], candidate[a:b]) for a, b in pairwise(bounds)]

    read = _read(pieces)

    levels = field_levels(read_differences(left, right, COMPARISON), COMPARISON.fields)
    expected = random_shares(levels[:, ~candidate], COMPARISON.fields)
    assert read.fields == COMPARISON.fields
    assert read.levels.tolist() == levels[:, candidate].tolist()
    assert np.concatenate(read.random_shares()).tolist() == pytest.approx(np.concatenate(expected).tolist())
    assert read.random_pairs == sum(any(level != MISSING for level in pair) for pair in levels[:, ~candidate].T)


def test_pairs_of_struck_out_rows_count_for_nothing() -> None:
    left, right, _ = _answers(1)
    left[:, :PRESENCE_BYTES] = 0

    read = _read([(left, right, np.zeros(PAIRS, np.bool_))])

    assert read.random_pairs == 0
    assert [counts.sum() for counts in read.random_counts] == [0, 0, 0]
    assert read.levels.shape == (3, 0)


def test_no_pieces_say_nothing() -> None:
    read = _read([])

    assert read.levels.shape == (3, 0)
    assert [shares.sum() for shares in read.random_shares()] == pytest.approx([1, 1, 1])


def test_grades_are_those_that_are_given() -> None:
    # 18 of the 120 bits of two first names differ: they are .85 alike.
    left = np.zeros((1, COMPARISON.answer_bytes), np.uint8)
    left[:, :PRESENCE_BYTES] = 255
    right = left.copy()
    right[0, PRESENCE_BYTES : PRESENCE_BYTES + 3] = [255, 255, 3]
    # The tags of initial and nickname differ.
    right[0, -9:] = 1
    piece = (left, right, np.array([True]))

    alike, half_alike = (_read([piece], grades=grades).levels[0, 0] for grades in (GRADES, replace(GRADES, alike=0.9)))

    assert (alike, half_alike) == (6, 7)


def test_flags_of_another_length_are_refused() -> None:
    left, right, candidate = _answers(2)

    with pytest.raises(ValueError, match="of every pair"):
        _read([(left, right, candidate[1:])])
