"""The tag file: finds repetitions across what was added, match key by match key, and leaves no file behind."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from isthmus.node.encode.repeated_tags import repeated_words
from isthmus.node.tag_file import open_tag_file


def _words(*keys: list[int]) -> NDArray[np.uint64]:
    return np.array(keys, np.uint64)


def test_words_that_several_rows_have_are_found_by_match_key(tmp_path: Path) -> None:
    with open_tag_file(tmp_path, prefix="tags-") as tags:
        tags.add(_words([1, 2, 3], [7, 0, 9]))
        tags.add(_words([4], [9]))
        tags.add(_words([5, 1], [0, 9]))

        assert [found.tolist() for found in tags.repeated()] == [[1], [9]]


def test_word_of_another_match_key_is_no_repetition(tmp_path: Path) -> None:
    with open_tag_file(tmp_path, prefix="tags-") as tags:
        tags.add(_words([1, 2], [2, 1]))
        tags.add(_words([3, 4], [4, 3]))

        assert [found.tolist() for found in tags.repeated()] == [[], []]


def test_repetitions_are_those_of_all_words_together_whatever_the_pieces(tmp_path: Path) -> None:
    words = np.random.default_rng(4).integers(0, 300, (3, 500), np.uint64)
    with open_tag_file(tmp_path, prefix="tags-") as tags:
        for piece in np.split(words, [1, 7, 7, 200, 499], axis=1):
            tags.add(np.ascontiguousarray(piece))

        found = tags.repeated()

    assert [each.tolist() for each in found] == [repeated_words([each]).tolist() for each in words]
    assert all(len(each) > 50 for each in found)


def test_rows_without_match_keys_have_no_repetitions(tmp_path: Path) -> None:
    with open_tag_file(tmp_path, prefix="tags-") as tags:
        tags.add(np.empty((0, 40), np.uint64))

        assert tags.repeated() == []


def test_nothing_added_has_no_repetitions(tmp_path: Path) -> None:
    with open_tag_file(tmp_path, prefix="tags-") as tags:
        assert tags.repeated() == []


def test_no_file_of_it_can_be_found(tmp_path: Path) -> None:
    with open_tag_file(tmp_path, prefix="tags-") as tags:
        tags.add(_words([1, 2], [3, 4]))

        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []
