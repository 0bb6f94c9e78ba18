"""Evidence of links: which candidates are links, between whom, and what struck-out rows and repeats change."""

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.differences import MISSING
from isthmus.contract.levels import LEVELS
from isthmus.coordinator.match.compare.evidence import evidence_of, of_kept_rows, overlap_steps
from isthmus.coordinator.match.compare.link import Compared, Weighed, merge_links, weigh
from isthmus.coordinator.match.compare.people import find_people, group_linked
from isthmus.coordinator.match.compare.reading import Read
from isthmus.coordinator.match.engine import CandidatePairs, Found, merge_found

FIELDS = ("first_name", "last_name", "dob", "zip")
EQUAL = [2, 2, 0, 0]
UNLIKE = [len(LEVELS[field].names) - 1 for field in FIELDS]
SILENT = [MISSING] * len(FIELDS)
ROWS = 70
PAIRS = [*((row, row, EQUAL) for row in range(60)), (60, 61, UNLIKE), (62, 63, SILENT)]
ALONE = merge_found([])


def _read(levels: NDArray[np.int8]) -> Read:
    counts = tuple(np.zeros(len(LEVELS[field].names), np.int64) for field in FIELDS)
    for of_field in counts:
        of_field[-1] = 1000
    return Read(fields=FIELDS, levels=levels, random_counts=counts, random_pairs=1000)


def _weighed(pairs: list[tuple[int, int, list[int]]], *, inside: CandidatePairs = ALONE) -> Weighed:
    compared = Compared(
        left=0,
        right=1,
        left_row=np.array([left for left, _, _ in pairs], np.uint32),
        right_row=np.array([right for _, right, _ in pairs], np.uint32),
        read=_read(np.array([levels for _, _, levels in pairs], np.int8).reshape(-1, len(FIELDS)).T),
        near=(),
    )
    return weigh(compared, people=find_people(inside, sizes=(ROWS, ROWS)))


def _same(left: int, right: int) -> CandidatePairs:
    """Give the pair of two rows of the right provider, which repeats people; its score is low."""
    one = Found(
        left_dataset=1,
        right_dataset=1,
        similarity=np.array([0.4]),
        left_row=np.array([left], np.uint32),
        right_row=np.array([right], np.uint32),
    )
    return merge_found([one], repeating=frozenset({1}))


def test_links_are_candidates_whose_rows_are_in_one_entity_and_silent_ones_are_none() -> None:
    weighed = _weighed(PAIRS)
    groups = group_linked(merge_links([weighed], accept=0.5, inside=ALONE), sizes=(ROWS, ROWS))

    found = evidence_of(weighed, people=find_people(ALONE, sizes=(ROWS, ROWS)), groups=groups, acceptance=0.5)

    assert len(found.candidates) == 61
    assert found.accepted.tolist() == [True] * 60 + [False]
    assert (found.links, found.acceptance, found.random_pairs) == (60, 0.5, 1000)
    np.testing.assert_array_equal(found.probability, weighed.probability[:61])


def test_rows_that_repeat_a_person_are_one_candidate_with_the_best_of_their_pairs() -> None:
    inside = _same(5, 66)
    weighed = _weighed([*PAIRS, (5, 66, UNLIKE)], inside=inside)
    groups = group_linked(merge_links([weighed], accept=0.5, inside=inside), sizes=(ROWS, ROWS))

    found = evidence_of(weighed, people=find_people(inside, sizes=(ROWS, ROWS)), groups=groups, acceptance=0.5)

    assert found.candidates.rows == (ROWS, ROWS - 1)
    assert (len(found.candidates), found.links) == (61, 60)
    assert found.candidates.levels[:, found.candidates.left_row == 5].T.tolist() == [EQUAL]


def test_rows_that_are_struck_out_leave_and_the_others_close_ranks() -> None:
    weighed, kept = _weighed(PAIRS), [np.ones(ROWS, np.bool_), np.ones(ROWS, np.bool_)]
    kept[0][[3, 60]] = False
    kept[1][7] = False

    left = of_kept_rows(weighed, kept)

    pairs = list(zip(left.compared.left_row.tolist(), left.compared.right_row.tolist(), strict=True))
    assert len(pairs) == left.probability.size == left.compared.read.levels.shape[1] == 59
    assert pairs[2:4] == [(2, 2), (3, 4)], "row 4 of the left is now row 3"
    assert pairs[-2:] == [(58, 58), (60, 62)]
    assert left.model is weighed.model


def test_overlap_falls_with_acceptance_and_pairs_inside_a_provider_count_at_every_step() -> None:
    inside = _same(5, 66)
    weighed = _weighed([*PAIRS[:60], (64, 66, EQUAL)], inside=inside)
    lowest, beyond = float(weighed.probability[:60].min()), float(np.nextafter(weighed.probability.max(), 2))

    low, high = overlap_steps([weighed], inside=inside, sizes=(ROWS, ROWS), acceptances=(lowest, beyond))

    assert low.both(0, 1) == 60
    assert high.both(0, 1) == 0
    assert high.patterns[frozenset({1})] == ROWS - 1, "rows 5 and 66 are one person whatever is accepted"
