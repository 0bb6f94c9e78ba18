"""The ladder: overlap counts at each acceptance are those of grouping at it."""

import numpy as np
import pytest
from compared import best_first, made_up

from isthmus.coordinator.match.compare.sensitivity import LADDER, both_counts, ladder
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.group import Groups, group_rows


def _grouped(pairs: CandidatePairs) -> Groups:
    return group_rows(pairs, sizes=(3, 3, 2))


def _three_providers() -> CandidatePairs:
    """Person 0 is everywhere, at .9 and less; person 1 in the first two, at .4."""
    return CandidatePairs(
        similarity=np.array([0.9, 0.8, 0.6, 0.4]),
        left_dataset=np.array([0, 0, 1, 0], np.uint32),
        right_dataset=np.array([1, 2, 2, 1], np.uint32),
        left_row=np.array([0, 0, 0, 1], np.uint32),
        right_row=np.array([0, 0, 0, 1], np.uint32),
    )


def test_each_step_counts_the_entities_of_its_acceptance() -> None:
    steps = ladder(_three_providers(), group=_grouped, sizes=(3, 3, 2), acceptances=(0.3, 0.6, 0.85))

    linked = [{pattern: count for pattern, count in step.patterns.items() if len(pattern) > 1} for step in steps]
    assert linked == [
        {frozenset({0, 1, 2}): 1, frozenset({0, 1}): 1},
        {frozenset({0, 1, 2}): 1},
        {frozenset({0, 1}): 1},
    ]


def test_both_counts_people_of_larger_sets_too() -> None:
    steps = ladder(_three_providers(), group=_grouped, sizes=(3, 3, 2), acceptances=(0.3, 0.85))

    assert both_counts(steps, datasets=3) == {(0, 1): (2, 1), (0, 2): (1, 0), (1, 2): (1, 0)}


def test_pair_of_the_acceptance_itself_is_a_link() -> None:
    (step,) = ladder(_three_providers(), group=_grouped, sizes=(3, 3, 2), acceptances=(0.9,))

    assert step.both(0, 1) == 1


@pytest.mark.parametrize("seed", range(3))
def test_overlap_of_two_providers_never_grows_with_acceptance_and_is_that_of_the_links(seed: int) -> None:
    evidence = made_up(seed, shared=100, rows=(150, 200), damage=0.4, fields=3).evidence
    pairs = best_first(evidence.candidates, evidence.probability)

    steps = ladder(pairs, group=lambda some: group_rows(some, sizes=(150, 200)), sizes=(150, 200))

    both = both_counts(steps, datasets=2)[0, 1]
    assert list(both) == sorted(both, reverse=True)
    assert dict(zip(LADDER, both, strict=True))[0.1] == evidence.links
    assert both[0] > both[-1]
    assert all(sum(step.patterns.values()) == 150 + 200 - step.both(0, 1) for step in steps)
