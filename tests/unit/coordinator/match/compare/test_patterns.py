"""Patterns stand for all pairs that have them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.contract.levels import LEVELS
from isthmus.coordinator.match.compare.patterns import patterns_of

SIZES = {field: len(levels.names) for field, levels in LEVELS.items()}


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from(sorted(SIZES)), unique=True, min_size=1), st.integers(0, 40), st.integers(0, 1000))
def test_patterns_come_once_and_give_back_the_levels_of_every_pair(fields: list[str], pairs: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # The first and the last level are as far as the numbers go.
    levels = np.array([rng.choice([-1, 0, SIZES[field] - 1], pairs) for field in fields], np.int8)

    patterns = patterns_of(levels, fields)

    assert patterns.levels[:, patterns.of_pair].tolist() == levels.tolist()
    assert len(set(map(tuple, patterns.levels.T.tolist()))) == patterns.levels.shape[1]


def test_weights_of_pairs_are_added_up_by_pattern() -> None:
    patterns = patterns_of(np.array([[0, 1, 0, -1]], np.int8), ("sex",))

    assert patterns.levels.tolist() == [[-1, 0, 1]]
    assert patterns.summed(np.array([0.5, 0.25, 1.0, 2.0])).tolist() == [2.0, 1.5, 0.25]
