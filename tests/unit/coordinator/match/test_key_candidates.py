"""Candidate pairs by match keys: rows of two files that have one tag, and no others."""

from collections.abc import Sequence

import numpy as np
import pytest
from unit.coordinator.match.match_parts import ANA, ANA_ELSEWHERE, BEN, EVE, EVE_MOVED, FIELDS, RAJ, send

from isthmus.contract.hardened import hardened_1
from isthmus.coordinator.match.encodings import Tags, split_rows
from isthmus.coordinator.match.key_candidates import equal_tags, key_candidates
from isthmus.coordinator.match.table_candidates import RowPairs

PROFILE = hardened_1(FIELDS)


def tags(*rows: Sequence[tuple[int, int]]) -> Tags:
    """Tags of rows, each given by its two halves; (0, 0) is none."""
    return np.array(rows, np.uint64).reshape(len(rows), -1, 2).view(np.uint8)


def listed(pairs: RowPairs) -> list[tuple[int, int, int, int]]:
    """The pairs as tuples: left and right dataset, left and right row."""
    columns = (pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    return list(zip(*(column.tolist() for column in columns), strict=True))


def test_rows_with_one_tag_are_a_pair_whichever_key_it_is_of() -> None:
    left = tags([(1, 1), (2, 2)], [(3, 3), (4, 4)], [(5, 5), (6, 6)])
    right = tags([(7, 7), (6, 6)], [(1, 1), (8, 8)])

    assert listed(key_candidates([left, right])) == [(0, 1, 0, 1), (0, 1, 2, 0)]


def test_pair_of_several_keys_comes_once() -> None:
    both = tags([(1, 1), (2, 2), (3, 3)])

    assert listed(key_candidates([both, both])) == [(0, 1, 0, 0)]


def test_tags_of_two_keys_are_not_compared() -> None:
    assert listed(key_candidates([tags([(1, 1), (2, 2)]), tags([(2, 2), (1, 1)])])) == []


def test_rows_of_one_dataset_are_no_pair() -> None:
    assert listed(key_candidates([tags([(1, 1)], [(1, 1)]), tags([(2, 2)])])) == []


def test_missing_tags_are_not_equal() -> None:
    none = tags([(0, 0)])

    assert listed(key_candidates([none, none])) == []
    assert equal_tags(none, none).tolist() == [[False]]


def test_tags_whose_first_halves_alone_are_equal_are_no_pair() -> None:
    assert listed(key_candidates([tags([(1, 1)]), tags([(1, 2)])])) == []
    assert equal_tags(tags([(1, 1)]), tags([(1, 2)])).tolist() == [[False]]


def test_tag_that_two_rows_have_pairs_nothing() -> None:
    twice, once = tags([(1, 1)], [(2, 2)], [(1, 1)]), tags([(2, 2)], [(1, 1)])

    assert listed(key_candidates([twice, once])) == [(0, 1, 1, 0)]
    assert listed(key_candidates([once, twice])) == [(0, 1, 0, 1)]


def test_key_pairs_a_row_with_one_of_every_other_dataset() -> None:
    one = tags([(9, 9)], [(1, 1)])

    found = listed(key_candidates([one, one[::-1], one]))

    assert found == [(0, 1, 0, 1), (0, 1, 1, 0), (0, 2, 0, 0), (0, 2, 1, 1), (1, 2, 0, 1), (1, 2, 1, 0)]


def test_real_tags_pair_the_people_who_share_a_key_and_no_others() -> None:
    submissions = [send([RAJ, ANA, EVE], PROFILE), send([BEN, ANA_ELSEWHERE, EVE_MOVED], PROFILE)]

    assert listed(key_candidates([one.tags for one in submissions])) == [(0, 1, 1, 1), (0, 1, 2, 2)]


def test_nothing_comes_of_no_datasets_no_rows_and_no_keys() -> None:
    one = tags([(1, 1)])

    assert len(key_candidates([])) == len(key_candidates([one])) == len(key_candidates([one, one[:0]])) == 0
    assert len(key_candidates([np.zeros((3, 0, 16), np.uint8)] * 2)) == 0


def test_shared_tags_are_told_key_by_key() -> None:
    left = tags([(1, 1), (0, 0)], [(2, 2), (3, 3)], [(4, 4), (5, 5)])
    right = tags([(1, 1), (0, 0)], [(2, 2), (3, 4)], [(0, 0), (5, 5)])

    assert equal_tags(left, right).tolist() == [[True, True, False], [False, False, True]]


@pytest.mark.parametrize(
    "odd", [np.zeros((1, 2, 16), np.uint8), np.zeros((1, 1, 8), np.uint8), np.zeros((1, 16), np.uint8)],
    ids=["keys", "length", "axes"],
)  # fmt: skip
def test_submissions_of_other_shapes_are_refused(odd: Tags) -> None:
    with pytest.raises(ValueError, match="as many keys"):
        key_candidates([tags([(1, 1)]), odd])


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_encodings_are_parted_into_clks_and_tags(rows: int) -> None:
    encoded = np.arange(rows * 64, dtype=np.uint8).reshape(rows, 64)

    found = split_rows(encoded, tables=2, clk_bits=128)

    assert len(found) == rows
    assert found.clks.shape == (rows, 2, 16)
    assert found.tags.shape == (rows, 2, 16)
    whole = np.concatenate([found.clks, found.tags], axis=1).reshape(rows, 64)
    assert whole.tobytes() == encoded.tobytes()


@pytest.mark.parametrize("rows", [0, 2])
def test_rows_of_a_profile_without_match_keys_have_no_tags(rows: int) -> None:
    assert split_rows(np.ones((rows, 16), np.uint8), tables=1, clk_bits=128).tags.shape == (rows, 0, 16)
