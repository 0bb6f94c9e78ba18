"""How good links are, without truth: estimates of precision and recall between two providers, with intervals.

The probabilities of pairs rank well and are too low, so their sum is no error rate. Instead:

*False links.* The model says how often two different people come to levels that reach acceptance; times all pairs of
rows, that is how many such pairs there are. They are counted by drawing from the kinds of matches and weighing each
draw by the odds against it (importance sampling), for what reaches acceptance looks like a match. Of these pairs those
become links whose rows are both free. Those of which a row is linked already are *rivals*, and can be seen: were there
as many as expected? The number of false links is taken to be off by the same factor, drawn halfway towards one by
`TRUST` rivals. Its interval is that of a Poisson number whose mean is known up to a gamma factor (Gelman et al., 2013,
section 2.6). Near misses, on which all hangs, come from pairs of own rows that nodes compare in the clear.

*Missing links.* Of matches that are candidates the model says how many do not reach acceptance. Those that are no
candidates nobody can see. Only planted people tell: made-up people whom both providers add, of whom the coordinator is
told when all answers are in, and who are taken out before release. Without them there is an estimate of *recall of
candidates*, which recall cannot exceed but by the error of the estimate, and none of recall.

Intervals hold by these assumptions. Where they fail is in docs/benchmarks.md, measured.
"""

from dataclasses import dataclass, replace
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.differences import MISSING
from isthmus.contract.kinds import Floats
from isthmus.contract.quality import CONFIDENCE, Estimate, Interval, NotEnoughData, TooLittle
from isthmus.coordinator.match.compare.draws import drawn_levels
from isthmus.coordinator.match.compare.missing import missing_candidates, most_missing
from isthmus.coordinator.match.compare.model import Candidates, Model, judge
from isthmus.coordinator.match.compare.odds import log_odds

Flags = NDArray[np.bool_]

FEWEST_ROWS: Final = 100
FEWEST_LINKS: Final = 30
FEWEST_RANDOM_PAIRS: Final = 100
FEWEST_PLANTED: Final = 30
"""With fewer of them nothing is said."""

DRAWS: Final = 20_000
"""Of levels and of numbers: an expected number of ten is off by one in a hundred."""

TRUST: Final = 6.0
"""So many rivals, as many as expected, the model is worth. Chosen on the first half of the sets of the benchmark."""

SHARPEST: Final = 2.0
"""Shape of the factor by which false links may be off, at most, however many rivals there are: a model is no census."""

_Z: Final = 1.6448536269514722
"""Of a normal variable, 90 % are within so many standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """What is known of the links between two providers, without planted people.

    `probability` (float64) and `accepted` (bool, which candidates are links after grouping) have shape (pairs,);
    `acceptance` is the least probability of a link; `random_pairs` is how many the model's shares of random pairs come
    from.
    """

    candidates: Candidates
    model: Model
    probability: Floats
    accepted: Flags
    acceptance: float
    random_pairs: int

    @property
    def links(self) -> int:
        """How many candidates are links."""
        return int(np.count_nonzero(self.accepted))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Numbers of pairs that the model expects.

    `false` are pairs of two people that become links; `rivals` such that would, were none of their rows linked already,
    of which `rivals_seen` are there. `missing` are three numbers of candidates that are one person and no links: by the
    model; by the model if no candidates are people of one household; and by what links look like. `free` is how many
    there can be if all links are right.
    """

    false: float
    rivals: float
    rivals_seen: int
    missing: tuple[float, float, float]
    free: int

    @property
    def factor(self) -> float:
        """By how much there are more false links than the model expects, going by the rivals."""
        return (TRUST + self.rivals_seen) / (TRUST + self.rivals)

    @property
    def missing_links(self) -> float:
        """Candidates that are missing links: halfway between what the model says and what links say."""
        by_model, _, by_links = self.missing
        return (by_model + by_links) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Estimates for two providers; `false_links` and `missing_links` of candidates are numbers expected."""

    precision: Estimate
    recall_of_candidates: Estimate
    planted_recall: Estimate
    recall: Estimate
    f1: Estimate
    false_links: float | None = None
    missing_links: float | None = None


def estimate_quality(evidence: Evidence, *, seed: int, planted: int = 0, found: int = 0) -> Quality:
    """Estimate what can be estimated; the same evidence and seed give the same numbers.

    Args:
        evidence: of the two providers, without planted people.
        seed: of the draws.
        planted, found: people whom both providers added, and how many of them are linked with themselves.
    """
    by_planted = planted_recall(found=found, planted=planted)
    little = too_little(evidence)
    if little is not None:
        return Quality(
            precision=little, recall_of_candidates=little, planted_recall=by_planted, recall=by_planted, f1=little
        )
    expected = expect(evidence, seed=seed)
    false, missing = _drawn_numbers(expected, evidence.links, np.random.default_rng([seed, 1]))
    false_links = min(expected.factor * expected.false, float(evidence.links))
    one = 1 / evidence.links
    precision = _interval(1 - false * one, 1 - false_links * one, one=one)
    of_candidates = _interval(
        _ratio(evidence.links - false, missing), _share(evidence.links - false_links, expected.missing_links), one=one
    )
    recall = combined_recall(of_candidates, by_planted)
    return Quality(
        precision=precision,
        recall_of_candidates=of_candidates,
        planted_recall=by_planted,
        recall=recall,
        f1=combined_f1(precision, recall),
        false_links=false_links,
        missing_links=expected.missing_links,
    )


def too_little(evidence: Evidence) -> NotEnoughData | None:
    """Say what there is too little of to estimate anything, if there is."""
    if min(evidence.candidates.rows) < FEWEST_ROWS:
        return NotEnoughData(reason=TooLittle.FEW_ROWS)
    if evidence.links < FEWEST_LINKS:
        return NotEnoughData(reason=TooLittle.FEW_LINKS)
    if evidence.random_pairs < FEWEST_RANDOM_PAIRS:
        return NotEnoughData(reason=TooLittle.FEW_RANDOM_PAIRS)
    return None


def expect(evidence: Evidence, *, seed: int) -> Expected:
    """Give what the model expects, and how many rivals there are."""
    left, right = evidence.candidates.rows
    threshold = np.log(evidence.acceptance) - np.log1p(-evidence.acceptance)
    present = evidence.candidates.levels != MISSING
    drawn = drawn_levels(evidence.model.match, present, np.random.default_rng([seed, 0]), DRAWS)
    odds = log_odds(drawn, evidence.model, (left, right))
    reaching = odds >= threshold
    # Whatever is drawn as a match comes as often of two people, over all pairs of rows, as the odds say.
    different = evidence.model.shared * float(np.exp(-odds[reaching]).sum()) / DRAWS
    free = (1 - evidence.links / left) * (1 - evidence.links / right)
    below = evidence.model.shared * (1 - float(reaching.mean()))
    return Expected(
        false=different * free,
        rivals=different * (1 - free),
        rivals_seen=_rivals(evidence, threshold),
        missing=_missing(evidence, below=below, threshold=threshold, seed=seed),
        free=most_missing(evidence.candidates, evidence.accepted),
    )


def _missing(evidence: Evidence, *, below: float, threshold: float, seed: int) -> tuple[float, float, float]:
    """Give the three numbers of missing links; `below` is how many matches the model takes to be below acceptance."""
    candidates, accepted = evidence.candidates, evidence.accepted
    by_model = max(below, float(evidence.probability[~accepted].sum()))
    without = max(below, _without_household(evidence))
    by_links = missing_candidates(candidates, evidence.model, accepted, least=threshold, seed=seed)
    most = float(most_missing(candidates, accepted))
    return min(by_model, most), min(without, most), by_links


def _without_household(evidence: Evidence) -> float:
    """Give how many candidates that are no links would be one person, had no row a household in the other file."""
    alone = replace(evidence.model, near=evidence.model.near[:-1])
    return float(judge(evidence.candidates, alone)[~evidence.accepted].sum())


def _rivals(evidence: Evidence, threshold: float) -> int:
    """Count the pairs that would be links, had not one of their rows been linked by a better pair."""
    candidates, accepted = evidence.candidates, evidence.accepted
    odds = log_odds(candidates.levels, evidence.model, candidates.rows)
    linked_left = np.isin(candidates.left_row, candidates.left_row[accepted])
    linked_right = np.isin(candidates.right_row, candidates.right_row[accepted])
    return int(np.count_nonzero(~accepted & (odds >= threshold) & (linked_left | linked_right)))


def _drawn_numbers(expected: Expected, links: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw numbers of false links and of missing ones, float64, shape (DRAWS,)."""
    shape = min(TRUST + expected.rivals_seen, SHARPEST)
    false = rng.poisson(rng.gamma(shape, expected.factor * expected.false / shape, DRAWS))
    # Nobody knows which of the three is right. Each false link may keep the rows of two matches.
    missing = rng.poisson(rng.exponential(np.resize(expected.missing, DRAWS)))
    missing = np.minimum(missing, expected.free + 2 * false)
    return np.minimum(false, links).astype(np.float64), missing.astype(np.float64)


def _ratio(true: Floats, missing: Floats) -> Floats:
    return np.divide(true, true + missing, out=np.zeros_like(true), where=true > 0)


def _share(true: float, missing: float) -> float:
    return true / (true + missing) if true > 0 else 0.0


def _interval(drawn: Floats, value: float, *, one: float) -> Interval:
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    # An expectation of a fraction of a link is between the whole numbers that are drawn. A single link that is false or
    # missing is never ruled out.
    return Interval(value=value, low=max(0.0, min(float(low), value, 1 - one)), high=max(float(high), value))


def planted_recall(*, found: int, planted: int) -> Estimate:
    """Give the share of planted people that were found, with the interval of Wilson (1927).

    Raises:
        ValueError: more are found than there are.
    """
    if not 0 <= found <= planted:
        raise ValueError("of the planted people none to all can be found")
    if planted < FEWEST_PLANTED:
        return NotEnoughData(reason=TooLittle.FEW_PLANTED)
    share, weight = found / planted, _Z * _Z / planted
    middle = (share + weight / 2) / (1 + weight)
    half = sqrt(share * (1 - share) * weight + weight * weight / 4) / (1 + weight)
    return Interval(value=share, low=max(0.0, min(middle - half, share)), high=min(1.0, max(middle + half, share)))


def combined_recall(of_candidates: Estimate, planted: Estimate) -> Estimate:
    """Give recall as planted people show it, and no higher than recall of candidates where both can be true."""
    if isinstance(of_candidates, NotEnoughData) or isinstance(planted, NotEnoughData):
        return planted
    high = min(planted.high, of_candidates.high)
    # Where the two contradict each other, planted people are believed: they rest on no model.
    return planted if high < planted.value else Interval(value=planted.value, low=planted.low, high=high)


def combined_f1(precision: Estimate, recall: Estimate) -> Estimate:
    """Give F1, which grows with both, between its values at both low and both high ends: wider than need be."""
    if isinstance(precision, NotEnoughData):
        return precision
    if isinstance(recall, NotEnoughData):
        return recall
    value, low, high = (
        _harmonic(*ends)
        for ends in ((precision.value, recall.value), (precision.low, recall.low), (precision.high, recall.high))
    )
    return Interval(value=value, low=low, high=high)


def _harmonic(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one + other > 0 else 0.0
