"""Matches that are candidates and no links: filled in by what links look like, and no more than candidates are left."""

from dataclasses import replace

import numpy as np
import pytest
from compared import FIELDS, MadeUp, made_up

from isthmus.contract.differences import MISSING
from isthmus.coordinator.match.compare.estimates import Evidence
from isthmus.coordinator.match.compare.missing import free, missing_candidates, most_missing, unseen_matches

LEAST = float(np.log(0.1 / 0.9))


def _missing(evidence: Evidence, *, seed: int = 1) -> float:
    return missing_candidates(evidence.candidates, evidence.model, evidence.accepted, least=LEAST, seed=seed)


def _by_model(evidence: Evidence) -> float:
    return float(evidence.probability[~evidence.accepted].sum())


def _truly_missing(people: MadeUp) -> int:
    return int(np.count_nonzero(people.same & ~people.evidence.accepted))


@pytest.mark.slow
def test_matches_that_are_no_links_are_about_as_many_as_links_let_expect() -> None:
    cases = [made_up(seed, shared=120, rows=(300, 400), damage=0.3) for seed in range(3)]

    expected = sum(_missing(people.evidence) for people in cases)

    assert expected == pytest.approx(sum(map(_truly_missing, cases)), rel=0.4)
    # The model takes most of them for strangers of one household.
    assert expected > 2 * sum(_by_model(people.evidence) for people in cases)


def test_more_damage_lets_expect_more_missing_links() -> None:
    little, much = (_missing(made_up(2, shared=120, rows=(300, 400), damage=one).evidence) for one in (0.0, 0.4))

    assert little < 8 < much


def test_unseen_matches_have_fields_as_links_have_and_do_not_reach_acceptance() -> None:
    evidence = made_up(1, shared=120, rows=(300, 400), damage=0.3, fields=3).evidence

    unseen = unseen_matches(evidence.candidates, evidence.model, evidence.accepted, least=LEAST, seed=1)

    assert unseen.levels.shape[1] > 0
    # The last two fields are missing in all rows.
    assert (unseen.levels[3:] == MISSING).all()
    assert 0 < unseen.each < evidence.links


def test_no_more_are_missing_than_candidates_are_left() -> None:
    evidence = made_up(3, shared=120, rows=(300, 400), damage=0.4).evidence
    assert _missing(evidence) > 3
    left = np.flatnonzero(free(evidence.candidates, evidence.accepted))
    kept = np.setdiff1d(np.arange(len(evidence.candidates)), left[3:])
    few = replace(
        evidence.candidates,
        levels=evidence.candidates.levels[:, kept],
        left_row=evidence.candidates.left_row[kept],
        right_row=evidence.candidates.right_row[kept],
    )

    missing = missing_candidates(few, evidence.model, evidence.accepted[kept], least=LEAST, seed=1)

    assert missing <= 3


def test_candidates_of_linked_rows_are_not_free_and_a_row_counts_once() -> None:
    candidates = made_up(1, shared=30, rows=(60, 60)).evidence.candidates
    some = replace(
        candidates,
        levels=candidates.levels[:, :5],
        left_row=np.array([0, 0, 1, 2, 2], np.uint32),
        right_row=np.array([0, 1, 1, 2, 3], np.uint32),
    )
    accepted = np.array([True, False, False, False, False])

    assert free(some, accepted).tolist() == [False, False, True, True, True]
    assert most_missing(some, accepted) == 2


def test_same_seed_gives_the_same_number() -> None:
    evidence = made_up(4, shared=120, rows=(300, 400), damage=0.3).evidence

    assert _missing(evidence) == _missing(evidence)


def test_links_of_one_look_alone_leave_nothing_out_of_bounds() -> None:
    # Every link agrees in everything: hardly anything is unseen, and nothing is divided by nothing.
    evidence = made_up(1, shared=120, rows=(300, 400)).evidence
    alike = replace(evidence.candidates, levels=evidence.candidates.levels.copy())
    alike.levels[:, evidence.accepted] = 0

    missing = missing_candidates(alike, evidence.model, evidence.accepted, least=LEAST, seed=1)

    assert 0 <= missing < 5
    assert len(FIELDS) == len(alike.levels)
