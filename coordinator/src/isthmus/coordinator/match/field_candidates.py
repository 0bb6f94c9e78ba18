"""Candidate pairs for field comparison, under every profile.

Of tables they are those of linking, whatever their score: the wide match keys of `hardened-2` find the others. Of a
plain CLK rows keep more of their best, from a similarity on at which strangers begin to be among them. Which pairs
these are, how many, and why: docs/decisions/0027-candidates-for-field-comparison.md.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from isthmus.contract.hardened import HardenedProfile
from isthmus.contract.ids import PartyId
from isthmus.contract.profiles import AnyProfile, default_threshold
from isthmus.coordinator.match.crowding import check_best, most_candidates
from isthmus.coordinator.match.encodings import Dataset, TabledRows
from isthmus.coordinator.match.engine import CandidatePairs, Progress, SimilarityEngine
from isthmus.coordinator.match.runs import Runs
from isthmus.coordinator.match.table_rules import BEST_OF_ROW, FLOOR, LinkRules, link_rules
from isthmus.coordinator.match.tables import link_tables

BEST_FOR_FIELDS: Final = 4
"""How many rows of each other provider a row keeps, of its one plain CLK."""

CLK_FLOOR: Final = 0.5
"""Dice similarity that it needs as a plain CLK; a lower one finds nothing more and takes longer."""

_ROWS: Final = PartyId("rows-of-a-round")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far candidates are looked for: that many best of a row, in each table, from this Dice similarity on."""

    best_of_row: int
    floor: float


def field_candidates(
    submissions: Sequence[TabledRows],
    *,
    profile: AnyProfile,
    engine: SimilarityEngine,
    max_pairs: int,
    progress: Progress,
    runs: Runs | None = None,
) -> CandidatePairs:
    """Give the candidates of every two providers, best first: by the score of tables and tags, or by Dice.

    No score is too low. Rows of one data set are candidates of each other only where it repeats people.

    Args:
        submissions: one for each provider, encoded by the profile; of `interop-1` the one CLK is the one table.
        profile: that of the round.
        engine: compares the rows of each table.
        max_pairs: how many pairs may be held; with many rows, fewer of each row are kept so that they fit.
        progress: told the pairs compared of those of all tables together.
        runs: where what is found is kept until all is done; see `SimilarityEngine.candidate_pairs`.

    Raises:
        ValueError: the submissions do not fit the profile or each other.
        TooManyBestPairs: there are more than `max_pairs` even so.
    """
    repeating = frozenset(place for place, one in enumerate(submissions) if one.repeats)
    reach = reach_for(profile, [len(one) for one in submissions], repeating=repeating, max_pairs=max_pairs)
    return candidates_within(
        reach, submissions, profile=profile, engine=engine, max_pairs=max_pairs, progress=progress, runs=runs
    )


def candidates_within(
    reach: Reach,
    submissions: Sequence[TabledRows],
    *,
    profile: AnyProfile,
    engine: SimilarityEngine,
    max_pairs: int,
    progress: Progress,
    runs: Runs | None = None,
) -> CandidatePairs:
    """Give the candidates of a reach, as `field_candidates` does of the one that it chooses."""
    if isinstance(profile, HardenedProfile):
        rules = field_rules(profile, reach)
        return link_tables(submissions, rules=rules, engine=engine, max_pairs=max_pairs, progress=progress, runs=runs)
    if any(one.clks.shape[1:] != (1, profile.clk_bits // 8) or one.tags.shape[1] for one in submissions):
        raise ValueError("a submission must hold one CLK a row, of the length that the profile names, and no tags")
    datasets = [
        Dataset(party=_ROWS, clks=one.clks[:, 0], repeats=one.repeats, buckets=one.buckets) for one in submissions
    ]
    pairs = engine.candidate_pairs(
        datasets, threshold=reach.floor, progress=progress, best_of_row=reach.best_of_row, runs=runs
    )
    sizes = [dataset.rows for dataset in datasets]
    enough = _most(profile, sizes, reach.best_of_row, pairs.repeating)
    check_best(len(pairs), limit=max_pairs, enough=enough)
    return pairs


def field_rules(profile: HardenedProfile, reach: Reach) -> LinkRules:
    """Give the rules of linking with this reach: what is a candidate changes, the score of a pair does not."""
    rules = link_rules(profile)
    tables = tuple(replace(table, floor=reach.floor) for table in rules.tables)
    return replace(rules, tables=tables, best_of_row=reach.best_of_row)


def reach_for(profile: AnyProfile, sizes: Sequence[int], *, repeating: Collection[int], max_pairs: int) -> Reach:
    """Give how far candidates are looked for.

    Tables are asked for what linking asks for. From a lower floor on they find strangers, and what a coordinator knows
    of how a row differs from many strangers tells who it is (decision 0026). Plain CLKs, which tell that anyway, are
    asked for the most of each row that surely fits, or for what linking asks for where not even one does.
    """
    if isinstance(profile, HardenedProfile):
        return Reach(best_of_row=BEST_OF_ROW, floor=FLOOR)
    for best_of_row in range(BEST_FOR_FIELDS, 0, -1):
        if _most(profile, sizes, best_of_row, repeating) <= max_pairs:
            return Reach(best_of_row=best_of_row, floor=CLK_FLOOR)
    return Reach(best_of_row=1, floor=float(default_threshold(profile.name, profile.fields)))


def _most(profile: AnyProfile, sizes: Sequence[int], best_of_row: int, repeating: Collection[int]) -> int:
    keys = len(profile.match_keys) if isinstance(profile, HardenedProfile) else 0
    tables = len(profile.table_names)
    return most_candidates(sizes, best_of_row=best_of_row, tables=tables, match_keys=keys, repeating=repeating)
