"""Estimates of quality: near the truth where the model is right, silent where data are few; planted people count."""

from dataclasses import replace

import numpy as np
import pytest
from compared import FIELDS, apart, made_up, one_kind

from isthmus.contract.differences import MISSING
from isthmus.contract.quality import Estimate, Interval, NotEnoughData, TooLittle
from isthmus.coordinator.match.compare.draws import drawn_levels
from isthmus.coordinator.match.compare.estimates import (
    combined_f1,
    combined_recall,
    estimate_quality,
    expect,
    planted_recall,
    too_little,
)
from isthmus.coordinator.match.compare.model import fit
from isthmus.coordinator.match.compare.odds import log_odds


def _interval(estimate: Estimate) -> Interval:
    assert isinstance(estimate, Interval)
    return estimate


@pytest.mark.slow
def test_truth_is_mostly_inside_of_the_intervals_where_the_model_is_right() -> None:
    inside = {"precision": 0, "recall": 0}
    for seed in range(20):
        # With fewer fields, matches pass for households: decision 0025 has the numbers.
        people = made_up(seed, shared=120, rows=(300, 400), damage=0.3)
        quality = estimate_quality(people.evidence, seed=1)
        precision, recall = _interval(quality.precision), _interval(quality.recall_of_candidates)
        inside["precision"] += precision.low <= people.precision <= precision.high
        inside["recall"] += recall.low <= people.recall_of_candidates <= recall.high

    # Nine of ten are promised; of 20 such, 15 or fewer would come once in 23 times.
    assert min(inside.values()) >= 16, inside


def test_estimated_precision_falls_where_more_links_are_false() -> None:
    easy, hard = (
        estimate_quality(made_up(3, shared=120, rows=(300, 400), damage=damage, fields=fields).evidence, seed=1)
        for damage, fields in ((0.0, 5), (0.5, 3))
    )

    assert _interval(hard.precision).value < _interval(easy.precision).value
    assert _interval(hard.precision).low < _interval(easy.precision).low


@pytest.mark.parametrize("seed", [0, 3])
def test_pairs_of_two_people_are_as_many_as_expected(seed: int) -> None:
    # So low an acceptance that many pairs of two people reach it, whether they are links or not.
    people = made_up(seed, shared=150, rows=(600, 600), damage=0.5, fields=2)
    evidence = replace(people.evidence, acceptance=0.01)
    odds = log_odds(evidence.candidates.levels, evidence.model, evidence.candidates.rows)
    reaching = int(np.count_nonzero(~people.same & (odds >= np.log(0.01 / 0.99))))

    expected = expect(evidence, seed=1)

    assert reaching > 50
    assert expected.false + expected.rivals == pytest.approx(reaching, rel=0.3)


def test_rivals_are_counted_as_a_plain_program_counts_them() -> None:
    evidence = made_up(5, shared=150, rows=(400, 400), damage=0.3, fields=3).evidence
    candidates = evidence.candidates
    odds = log_odds(candidates.levels, evidence.model, candidates.rows).tolist()
    links = set(np.flatnonzero(evidence.accepted).tolist())
    lefts = {int(candidates.left_row[pair]) for pair in links}
    rights = {int(candidates.right_row[pair]) for pair in links}
    plain = sum(
        pair not in links
        and odds[pair] >= np.log(0.1 / 0.9)
        and (int(candidates.left_row[pair]) in lefts or int(candidates.right_row[pair]) in rights)
        for pair in range(len(candidates))
    )

    assert plain > 0
    assert expect(evidence, seed=1).rivals_seen == plain


def test_same_seed_gives_the_same_estimates_and_another_seed_nearly_these() -> None:
    evidence = made_up(1, shared=120, rows=(300, 400), damage=0.4, fields=3).evidence

    one, again, other = (estimate_quality(evidence, seed=seed) for seed in (1, 1, 2))

    assert one == again
    assert one != other
    assert _interval(one.precision).value == pytest.approx(_interval(other.precision).value, abs=0.01)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rows": (99, 400)}, TooLittle.FEW_ROWS),
        ({"random_pairs": 99}, TooLittle.FEW_RANDOM_PAIRS),
        ({"links": 29}, TooLittle.FEW_LINKS),
    ],
)
def test_too_few_data_are_named_and_not_guessed_from(changes: dict[str, object], reason: TooLittle) -> None:
    evidence = made_up(1, shared=90, rows=(100, 400)).evidence
    assert too_little(evidence) is None
    if "rows" in changes:
        evidence = replace(evidence, candidates=replace(evidence.candidates, rows=(99, 400)))
    elif "links" in changes:
        few = np.cumsum(evidence.accepted) <= 29
        evidence = replace(evidence, accepted=evidence.accepted & few)
    else:
        evidence = replace(evidence, random_pairs=99)

    quality = estimate_quality(evidence, seed=1, planted=100, found=90)

    assert quality.precision == quality.recall_of_candidates == quality.f1 == NotEnoughData(reason=reason)
    # Planted people are no guess.
    assert _interval(quality.recall).value == 0.9


def test_nobody_shared_is_not_enough_data() -> None:
    evidence = made_up(1, shared=0, rows=(200, 200)).evidence

    assert isinstance(estimate_quality(evidence, seed=1).precision, NotEnoughData)


def test_one_false_link_is_never_ruled_out() -> None:
    evidence = made_up(1, shared=120, rows=(130, 130)).evidence

    quality = estimate_quality(evidence, seed=1)

    assert _interval(quality.precision).low <= 1 - 1 / evidence.links


def test_recall_is_unknown_without_planted_people() -> None:
    quality = estimate_quality(made_up(1, shared=120, rows=(300, 400)).evidence, seed=1)

    assert quality.recall == quality.f1 == NotEnoughData(reason=TooLittle.FEW_PLANTED)
    assert isinstance(quality.recall_of_candidates, Interval)


@pytest.mark.parametrize(
    ("found", "planted", "low", "high"),
    # From the formula of Wilson (1927) with z = 1.645, worked by hand for 0 and all, and by bisection for the other.
    [(0, 100, 0.0, 0.0263), (100, 100, 0.9737, 1.0), (80, 100, 0.7266, 0.8575)],
)
def test_planted_recall_has_the_interval_of_wilson(found: int, planted: int, low: float, high: float) -> None:
    estimate = _interval(planted_recall(found=found, planted=planted))

    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=2e-4)
    assert estimate.value == found / planted


def test_ends_of_wilson_are_where_the_share_is_z_deviations_away() -> None:
    estimate = _interval(planted_recall(found=70, planted=90))

    for end in (estimate.low, estimate.high):
        deviation = (end * (1 - end) / 90) ** 0.5
        assert abs(70 / 90 - end) / deviation == pytest.approx(1.6448536)


def test_precision_of_nothing_and_recall_of_nothing_have_an_f1_of_nothing() -> None:
    nothing = Interval(value=0.0, low=0.0, high=0.0)

    assert combined_f1(nothing, nothing) == nothing
    unknown = NotEnoughData(reason=TooLittle.FEW_LINKS)
    assert combined_f1(unknown, nothing) == combined_f1(nothing, unknown) == unknown


@pytest.mark.parametrize("planted", [0, 29])
def test_few_planted_people_say_nothing(planted: int) -> None:
    assert planted_recall(found=planted, planted=planted) == NotEnoughData(reason=TooLittle.FEW_PLANTED)


@pytest.mark.parametrize(("found", "planted"), [(-1, 50), (51, 50)])
def test_more_found_than_planted_is_refused(found: int, planted: int) -> None:
    with pytest.raises(ValueError, match="planted"):
        planted_recall(found=found, planted=planted)


def test_recall_is_that_of_planted_people_and_no_higher_than_of_candidates() -> None:
    planted = Interval(value=0.9, low=0.8, high=0.97)

    assert combined_recall(Interval(value=0.95, low=0.9, high=0.96), planted) == Interval(value=0.9, low=0.8, high=0.96)
    # Contradiction: planted people rest on no model.
    assert combined_recall(Interval(value=0.85, low=0.8, high=0.87), planted) == planted


def test_f1_goes_from_both_low_ends_to_both_high_ones() -> None:
    f1 = _interval(combined_f1(Interval(value=0.9, low=0.8, high=1.0), Interval(value=0.6, low=0.0, high=0.7)))

    assert (f1.value, f1.low, f1.high) == pytest.approx((0.72, 0.0, 1.4 / 1.7))


def test_drawn_levels_come_in_the_shares_of_their_kind_and_are_missing_as_in_the_pairs() -> None:
    rng = np.random.default_rng(1)
    present = rng.random((len(FIELDS), 500)) < 0.7

    levels = drawn_levels(one_kind(apart()), present, rng, 40_000)

    for row, shares, there in zip(levels, apart(), present, strict=True):
        counts = np.bincount(row[row != MISSING], minlength=len(shares))
        assert counts / counts.sum() == pytest.approx(shares, abs=0.01)
        assert np.mean(row != MISSING) == pytest.approx(there.mean(), abs=0.02)


def test_odds_are_those_of_the_probabilities_where_nothing_competes() -> None:
    candidates = made_up(1, shared=50, rows=(100, 100)).evidence.candidates
    # Every pair has rows to itself.
    count = np.arange(len(candidates), dtype=np.uint32)
    alone = replace(candidates, left_row=count, right_row=count, rows=(len(candidates), len(candidates)))
    family = one_kind(tuple(shares[::-1] for shares in apart()))
    model, probability = fit(alone, random=apart(), near=[replace(kind, share=0.01) for kind in family])

    odds = log_odds(alone.levels, model, alone.rows)

    assert (1 / (1 + np.exp(-odds))).tolist() == pytest.approx(probability.tolist(), rel=1e-9, abs=1e-20)
