"""Links one set by every way and says how good each is, and at which stage ours loses what it does not link."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parents[2]))
# The benchmarks are no package.
from benchmarks.quality import baselines
from benchmarks.quality.estimated import PairEstimates, estimates_of
from benchmarks.quality.fairness import GroupCounts, Key, count_groups
from benchmarks.quality.people import DataSet
from benchmarks.quality.pipeline import MAX_PAIRS, Linked, candidate_pairs, link, link_by_rule
from benchmarks.quality.score import Pairs, Score, group_numbers, pairs_of, score_groups, size, within, without
from isthmus.coordinator.match.compare.people import group_linked
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.group import Groups
from isthmus.coordinator.match.tables import at_least

FIXED_CLK: Final = (0.7, 0.8, 0.9)
FIXED_SPLINK: Final = (0.5, 0.9)
CLK_THRESHOLDS: Final = tuple(step / 100 for step in range(60, 100))
SPLINK_THRESHOLDS: Final = (
    *(0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99),
    *(1 - 10.0**-digits for digits in range(3, 13)),
)
"""The best by truth is looked for among these."""

OURS: Final = "ours balanced"
OURS_STRICT: Final = "ours strict"
THRESHOLD_RULE: Final = "threshold rule"
SPLINK_BEST: Final = "Splink best"
CLK_BEST: Final = "CLK best"
EXACT: Final = "exact key"
OWN_WAYS: Final = (OURS, OURS_STRICT)
OWN_SECONDS: Final = ("linking", "estimates")

Tell = Callable[[str], None]
"""Is told what is being done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How good one way is on one set; rates are in [0, 1].

    `entity_f1` is of whole entities. `false_merges` are entities of two people or more, `overlap_error` is what overlap
    counts are off by together, as a share of the people shared. `threshold` is the one chosen by truth, if one was.
    """

    precision: float
    recall: float
    f1: float
    entity_f1: float
    false_merges: int
    overlap_error: float
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """What became of the true pairs, at balanced acceptance.

    Lost because they are no candidates, got no slot, were refused by the model, or went otherwise in grouping; `won`
    are linked though the model refused or never saw them, through rows of a third provider.
    """

    true: int
    candidates: int
    budget: int
    model: int
    grouping: int
    won: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """What the baselines make of a set: quality by way, Splink's links by group of people, and seconds."""

    ways: Mapping[str, Quality]
    splink_groups: Mapping[Key, GroupCounts]
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Everything measured of one set of one seed; what was measured before there were estimates has none."""

    name: str
    half: str
    seed: int
    rows: tuple[int, ...]
    ways: Mapping[str, Quality]
    losses: Losses
    groups: Mapping[Key, GroupCounts]
    splink_groups: Mapping[Key, GroupCounts]
    seconds: Mapping[str, float]
    estimates: tuple[PairEstimates, ...] = ()


def measure(
    people: DataSet,
    *,
    half: str,
    seed: int,
    profile: str,
    others: Callable[[DataSet, Tell], Baselines],
    tell: Tell,
) -> Measured:
    """Link the set by the product, and by what `others` are; `tell` is told what is being done."""
    true, seconds = pairs_of(people.entity_codes()), dict[str, float]()
    with timed("linking", seconds, tell):
        linked = link(people, profile=profile, seed=seed)
    with timed("estimates", seconds, tell):
        estimates = estimates_of(linked, people, seed=seed)
    beside = others(people, tell)
    found = pairs_of(group_numbers(linked.groups["balanced"], people.sizes))
    return Measured(
        name=people.name,
        half=half,
        seed=seed,
        rows=tuple(people.sizes),
        ways={**dict(_ours(linked, people)), **beside.ways},
        losses=losses(linked, true=true, found=found),
        groups=count_groups(people, true=true, found=found),
        splink_groups=beside.splink_groups,
        seconds={**seconds, **beside.seconds},
        estimates=estimates,
    )


def measure_baselines(people: DataSet, tell: Tell, *, profile: str, folder: Path, with_splink: bool) -> Baselines:
    """Link the set by every baseline."""
    seconds: dict[str, float] = {}
    with timed("threshold rule", seconds, tell):
        rule = link_by_rule(people, profile=profile)
        ways = {THRESHOLD_RULE: _quality(score_groups(rule, people.entity_codes()))}
    with timed("exact key and CLK", seconds, tell):
        ways |= _exact_and_clk(people)
    if not with_splink:
        return Baselines(ways=ways, splink_groups={}, seconds=seconds)
    with timed("Splink", seconds, tell):
        of_splink, groups = _splink(people, folder)
    return Baselines(ways=ways | of_splink, splink_groups=groups, seconds=seconds)


def baselines_of(one: Measured) -> Baselines:
    """Give the baselines of what was measured before: they do not change while the product does."""
    ways = {way: quality for way, quality in one.ways.items() if way not in OWN_WAYS}
    seconds = {what: took for what, took in one.seconds.items() if what not in OWN_SECONDS}
    return Baselines(ways=ways, splink_groups=one.splink_groups, seconds=seconds)


@contextmanager
def timed(what: str, seconds: dict[str, float], tell: Tell) -> Iterator[None]:
    """Tell what is being done, and note how long it took."""
    tell(what)
    began = time.perf_counter()
    yield
    seconds[what] = time.perf_counter() - began


def losses(linked: Linked, *, true: Pairs, found: Pairs) -> Losses:
    """Say at which stage true pairs are lost."""
    candidates = within(true, candidate_pairs(linked.candidates, len(_providers(true))))
    asked = within(candidates, linked.asked())
    accepted = within(asked, linked.accepted("balanced"))
    kept = within(true, found)
    return Losses(
        true=size(true),
        candidates=size(without(true, candidates)),
        budget=size(without(candidates, asked)),
        model=size(without(asked, accepted)),
        grouping=size(without(accepted, kept)),
        won=size(without(kept, accepted)),
    )


def _providers(pairs: Pairs) -> set[int]:
    return {place for side in pairs for place in side}


def _ours(linked: Linked, people: DataSet) -> Iterator[tuple[str, Quality]]:
    codes = people.entity_codes()
    yield OURS, _quality(score_groups(linked.groups["balanced"], codes))
    yield OURS_STRICT, _quality(score_groups(linked.groups["strict"], codes))


def _exact_and_clk(people: DataSet) -> dict[str, Quality]:
    exact = group_linked(baselines.exact_key(people), sizes=people.sizes)
    clk = _Scored(pairs=baselines.one_clk(people, max_pairs=MAX_PAIRS), people=people)
    scored = _quality(score_groups(exact, people.entity_codes()))
    return {EXACT: scored} | clk.ways("CLK", fixed=FIXED_CLK, tried=CLK_THRESHOLDS)


def _splink(people: DataSet, folder: Path) -> tuple[dict[str, Quality], Mapping[Key, GroupCounts]]:
    """Give Splink's quality, and what it finds by group at the best threshold."""
    plain = _Scored(pairs=baselines.splink(people, folder), people=people)
    ways = plain.ways("Splink", fixed=FIXED_SPLINK, tried=SPLINK_THRESHOLDS)
    best = plain.groups(ways[SPLINK_BEST].threshold or 0.0)
    true = pairs_of(people.entity_codes())
    return ways, count_groups(people, true=true, found=pairs_of(group_numbers(best, people.sizes)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scored:
    """Scored pairs of a set."""

    pairs: CandidatePairs
    people: DataSet

    def groups(self, threshold: float) -> Groups:
        """Give the groups of the pairs that reach the threshold."""
        return group_linked(at_least(self.pairs, threshold=threshold), sizes=self.people.sizes)

    def ways(self, name: str, *, fixed: Sequence[float], tried: Sequence[float]) -> dict[str, Quality]:
        """Give the quality at fixed thresholds, and at the best of those tried, which the truth chooses."""
        codes = self.people.entity_codes()

        def at(threshold: float, chosen: float | None = None) -> Quality:
            return _quality(score_groups(self.groups(threshold), codes), threshold=chosen)

        best = max((at(threshold, threshold) for threshold in tried), key=lambda one: one.f1)
        return {f"{name} {threshold}": at(threshold) for threshold in fixed} | {f"{name} best": best}


def _quality(score: Score, *, threshold: float | None = None) -> Quality:
    return Quality(
        precision=score.pairs.precision,
        recall=score.pairs.recall,
        f1=score.pairs.f1,
        entity_f1=score.entities.f1,
        false_merges=score.false_merges,
        overlap_error=score.overlap_error,
        threshold=threshold,
    )
