"""Tags that several rows have: which they are, and that they leave as random bytes while all others stay."""

import random
from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.contract.encodings import tag_words
from isthmus.node.encode.repeated_tags import hide_repeated, repeated_words

A, B, C = (bytes([number]) * 16 for number in (1, 2, 3))
NONE = bytes(16)


def _words(*numbers: int) -> NDArray[np.uint64]:
    return np.array(numbers, np.uint64)


def _tags(*rows: Iterable[bytes]) -> NDArray[np.uint8]:
    """Give tags of some rows, one a match key, as an array that may be written to."""
    return np.array([[list(tag) for tag in row] for row in rows], np.uint8)


def _hide(tags: NDArray[np.uint8], *, seed: int = 1) -> list[int]:
    repeated = [repeated_words([words]) for words in tag_words(tags)]
    return hide_repeated(tags, repeated, random_bytes=random.Random(seed).randbytes)


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ([], []),
        ([_words()], []),
        ([_words(3, 1, 2)], []),
        ([_words(3, 1, 3)], [3]),
        ([_words(9, 4), _words(4), _words(9, 9)], [4, 9]),
        ([_words(0, 0, 7)], []),
        ([_words(2**64 - 1), _words(2**64 - 1)], [2**64 - 1]),
    ],
)
def test_words_that_occur_again_are_given_once_rising_but_for_zero(
    blocks: list[NDArray[np.uint64]], expected: list[int]
) -> None:
    found = repeated_words(blocks)

    assert found.dtype == np.uint64
    assert found.tolist() == expected


def test_repeated_tags_become_random_ones_that_are_all_different() -> None:
    tags = _tags([A], [B], [A], [A])

    assert _hide(tags) == [3]
    left = [tag.tobytes() for tag in tags[:, 0]]
    assert len(set(left)) == 4
    assert A not in left
    assert left[1] == B


def test_tags_of_one_row_each_and_missing_ones_stay() -> None:
    tags = _tags([A, NONE], [B, NONE], [NONE, C])
    before = tags.copy()

    assert _hide(tags) == [0, 0]
    assert np.array_equal(tags, before)


def test_one_tag_under_two_match_keys_is_no_repetition() -> None:
    tags = _tags([A, B], [B, A])
    before = tags.copy()

    assert _hide(tags) == [0, 0]
    assert np.array_equal(tags, before)


def test_each_match_key_hides_its_own() -> None:
    tags = _tags([A, B], [A, C], [B, C])

    assert _hide(tags) == [2, 2]
    assert tags[2, 0].tobytes() == B
    assert tags[0, 1].tobytes() == B


def test_tags_with_the_same_first_half_are_both_hidden() -> None:
    tags = _tags([A], [A[:8] + B[:8]])

    assert _hide(tags) == [2]
    assert not any(tag.tobytes().startswith(A[:8]) for tag in tags[:, 0])


def test_repetition_that_lies_in_another_block_is_hidden_too() -> None:
    blocks = _tags([A], [B]), _tags([A], [C])
    repeated = [repeated_words(tag_words(block)[0] for block in blocks)]
    draw = random.Random(1).randbytes

    assert [hide_repeated(block, repeated, random_bytes=draw) for block in blocks] == [[1], [1]]
    assert len({tag.tobytes() for block in blocks for tag in block[:, 0]} - {A}) == 4


def test_rows_that_are_part_of_a_wider_array_are_changed_in_place() -> None:
    rows = np.hstack([np.full((2, 5), 9, np.uint8), _tags([A, B], [A, C]).reshape(2, 32)])
    tags = rows[:, 5:].reshape(2, 2, 16)

    assert _hide(tags) == [2, 0]
    assert (rows[:, :5] == 9).all()
    assert rows[0, 5:21].tobytes() != A
    assert [row[21:].tobytes() for row in rows] == [B, C]


def test_other_randomness_hides_behind_other_bytes() -> None:
    one, other = _tags([A], [A]), _tags([A], [A])
    _hide(one, seed=1)
    _hide(other, seed=2)

    assert not (one == other).all(axis=2).any()
