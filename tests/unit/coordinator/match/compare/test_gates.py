"""Answers whose presence names a part that there is not."""

import numpy as np
import pytest

from isthmus.contract.comparison import comparison_1
from isthmus.coordinator.match.compare.gates import names_unknown_parts

COMPARISON = comparison_1(("first_name", "dob"))


def _answers(*presences: int) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    answers = np.full((len(presences), COMPARISON.answer_bytes), 255, np.uint8)
    answers[:, :4] = np.array(presences, "<u4").view(np.uint8).reshape(-1, 4)
    return answers


@pytest.mark.parametrize("presences", [[], [0], [2 ** len(COMPARISON.parts) - 1, 1]])
def test_answers_of_parts_that_are_compared_are_lawful(presences: list[int]) -> None:
    assert not names_unknown_parts(_answers(*presences), COMPARISON)


@pytest.mark.parametrize("presence", [2 ** len(COMPARISON.parts), 2**31, 2**32 - 1])
def test_one_answer_that_names_another_part_is_noticed(presence: int) -> None:
    assert names_unknown_parts(_answers(0, presence, 1), COMPARISON)
