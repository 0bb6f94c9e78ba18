"""Explanations: bars that add up to the odds, patterns that add up to the candidates, a band that is declared."""

from collections import Counter
from math import log2

import numpy as np
import pytest
from compared import FIELDS, made_up

from isthmus.contract.differences import MISSING
from isthmus.contract.levels import LEVELS
from isthmus.coordinator.match.compare.estimates import Evidence
from isthmus.coordinator.match.compare.explain import (
    Waterfall,
    clerical_band,
    field_shares,
    pattern_counts,
    prior_bits,
    waterfalls,
)
from isthmus.coordinator.match.compare.odds import log_odds


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return made_up(3, shared=80, rows=(150, 150), damage=0.3, fields=4).evidence


def _all_waterfalls(evidence: Evidence) -> tuple[Waterfall, ...]:
    return waterfalls(evidence.candidates.levels, evidence.probability, evidence.model, rows=evidence.candidates.rows)


def test_bars_of_a_waterfall_add_up_to_the_posterior(evidence: Evidence) -> None:
    for fall in _all_waterfalls(evidence):
        assert fall.prior + sum(fall.fields) + fall.together + fall.competition == pytest.approx(fall.posterior)


def test_posterior_of_a_waterfall_is_the_probability_in_bits(evidence: Evidence) -> None:
    for fall, probability in zip(_all_waterfalls(evidence), evidence.probability.tolist(), strict=True):
        if 1e-9 < probability < 1 - 1e-9:
            assert fall.posterior == pytest.approx(log2(probability / (1 - probability)), abs=1e-3)


def test_competition_takes_away_and_never_adds(evidence: Evidence) -> None:
    competition = [fall.competition for fall in _all_waterfalls(evidence)]

    assert max(competition) <= 0
    assert min(competition) < -1


def test_missing_field_has_no_bar(evidence: Evidence) -> None:
    levels = np.full((len(FIELDS), 1), MISSING, np.int8)

    (fall,) = waterfalls(levels, np.array([1e-4]), evidence.model, rows=(150, 150))

    assert fall.fields == (0.0,) * len(FIELDS)


def test_equal_names_speak_for_one_person_and_unlike_ones_against(evidence: Evidence) -> None:
    shares = dict(zip(FIELDS, field_shares(evidence.model, FIELDS), strict=True))

    assert shares["last_name"].weight(0) > 3
    assert shares["last_name"].weight(len(LEVELS["last_name"].names) - 1) < -1
    assert shares["last_name"].weight(MISSING) == 0
    assert all(sum(one.match) == pytest.approx(1) == sum(one.random) for one in shares.values())


def test_prior_is_the_share_of_pairs_that_are_one_person(evidence: Evidence) -> None:
    assert 2 ** prior_bits(evidence.model, (150, 150)) == pytest.approx(evidence.model.shared / 150**2)


def test_patterns_count_every_candidate_once(evidence: Evidence) -> None:
    candidates = evidence.candidates
    plain = Counter(
        (tuple(levels), bool(link))
        for levels, link in zip(candidates.levels.T.tolist(), evidence.accepted.tolist(), strict=True)
    )

    patterns = pattern_counts(candidates, evidence.accepted, evidence.model)

    assert {(one.levels, one.accepted): one.pairs for one in patterns} == plain
    assert [one.pairs for one in patterns] == sorted(plain.values(), reverse=True)


def test_pattern_has_the_odds_of_its_pairs(evidence: Evidence) -> None:
    pattern = pattern_counts(evidence.candidates, evidence.accepted, evidence.model)[0]
    levels = np.array([pattern.levels], np.int8).T

    assert pattern.odds == pytest.approx(log_odds(levels, evidence.model, (150, 150))[0] / np.log(2))


def test_no_candidates_have_no_pattern(evidence: Evidence) -> None:
    none = made_up(1, shared=0, rows=(1, 1)).evidence

    assert len(none.candidates) == 0
    assert pattern_counts(none.candidates, none.accepted, none.model) == ()


def test_clerical_band_takes_its_lower_end_and_leaves_its_upper_one(evidence: Evidence) -> None:
    candidates = evidence.candidates
    probability = np.zeros(len(candidates))
    probability[:4] = [0.1, 0.5, 0.9, 0.0999]

    band = clerical_band(candidates, probability, low=0.1, high=0.9)

    assert band.pairs == 2
    assert band.rows == (
        len(set(candidates.left_row[:2].tolist())),
        len(set(candidates.right_row[:2].tolist())),
    )


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.5), (-0.1, 0.5), (0.5, 1.1)])
def test_band_without_width_is_refused(evidence: Evidence, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="clerical band"):
        clerical_band(evidence.candidates, evidence.probability, low=low, high=high)
