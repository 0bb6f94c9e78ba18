"""Frequency and pattern tests: they find what was put there, and nothing in random bits."""

import numpy as np
import pytest
from unit.node.audit.audit_parts import random_packed, tables_of

from isthmus.node.audit.bits import bit_figures, examine_table
from isthmus.node.audit.linear import gf2_rank
from isthmus.node.audit.vectors import signed

RANDOM = random_packed(400, seed=3)


def _with_bits(places: list[int], values: np.ndarray) -> np.ndarray:
    """The random rows with bits at some places set or cleared."""
    bits = np.unpackbits(RANDOM, axis=1)
    bits[:, places] = values
    return np.packbits(bits, axis=1)


def test_random_bits_show_nothing() -> None:
    found = bit_figures(RANDOM)

    assert found.fill_sigma < 5
    assert found.pair_sigma < 6
    assert found.pattern_bits == 0
    assert found.rank == 128


def test_a_bit_that_is_set_too_often_shows() -> None:
    assert bit_figures(_with_bits([9], np.ones((400, 1)))).fill_sigma > 15


def test_bits_that_occur_together_show_as_a_pattern() -> None:
    together = np.random.default_rng(1).integers(0, 2, (400, 1))
    found = bit_figures(_with_bits([3, 40, 77], together))

    assert found.pair_sigma == pytest.approx(20, abs=0.1)
    assert found.pattern_bits == 3


def test_bits_that_exclude_each_other_are_dependent_and_no_pattern() -> None:
    bits = np.random.default_rng(1).integers(0, 2, (400, 1))
    found = bit_figures(_with_bits([3, 40], np.hstack([bits, 1 - bits])))

    assert found.pair_sigma == pytest.approx(20, abs=0.1)
    assert found.pattern_bits == 0


def test_rank_of_rows_that_depend_on_each_other_is_that_of_the_rest() -> None:
    rows = random_packed(10, seed=5)

    assert gf2_rank(rows) == 10
    assert gf2_rank(np.vstack([rows, rows[:1] ^ rows[1:2] ^ rows[7:8], rows[3:4]])) == 10
    assert gf2_rank(np.zeros((4, 16), np.uint8)) == 0


def test_fewer_than_two_rows_have_no_figures() -> None:
    assert bit_figures(RANDOM[:1]).fill_sigma == bit_figures(RANDOM[:1]).pair_sigma == 0


def test_frequencies_count_repeated_rows_and_those_whose_number_is_unique() -> None:
    # One vector three times, two vectors twice, one once; a row that is not there does not count.
    found = examine_table("t0", tables_of([1, 1, 1, 2, 2, 3, 3, 4, 0])["t0"], rng=np.random.default_rng(1))

    assert found.rows == 8
    assert found.repeated_percent == pytest.approx(100 * 7 / 8)
    assert found.aligned_percent == pytest.approx(100 * 3 / 8)


def test_a_table_without_rows_has_no_frequencies() -> None:
    empty = signed(np.zeros((3, 16), np.uint8), np.zeros(3, bool))
    found = examine_table("t0", empty, rng=np.random.default_rng(1))

    assert (found.rows, found.repeated_percent, found.aligned_percent) == (0, 0, 0)
