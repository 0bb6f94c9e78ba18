"""Making the quality report of a round in which fields were compared, from what is known of it once it is grouped.

The same answers give the same report: chance is drawn from a seed that follows from the manifest. docs/protocol.md
section 9.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.ids import PartyId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.quality import MOST_PROVIDERS
from isthmus.coordinator.actions.quality import PlantedPeople, pair_figures
from isthmus.coordinator.disclosure.quality import PairFigures, ReleasedQuality, release_quality
from isthmus.coordinator.disclosure.release import DisclosureRules, ReleasedTable
from isthmus.coordinator.match.compare.evidence import evidence_of, overlap_steps
from isthmus.coordinator.match.compare.link import Weighed
from isthmus.coordinator.match.compare.people import find_people
from isthmus.coordinator.match.compare.planted import PlantedFound
from isthmus.coordinator.match.compare.sensitivity import LADDER, both_counts
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.group import Groups, pairs_inside

_SEED_BYTES: Final = 8

FoundByPair = Mapping[tuple[PartyId, PartyId], PlantedFound]
"""Of two providers, in the project's order, how many planted people were found."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grouped:
    """What a round's links became: the accepted `pairs`, the entities, and the table of them that is released.

    `weighed` are all candidates of every two providers; everything is of rows that are not struck out, `sizes` of them,
    and nothing but `planted` of planted people.
    """

    manifest: RoundManifest
    weighed: Sequence[Weighed]
    planted: FoundByPair
    pairs: CandidatePairs
    sizes: Sequence[int]
    groups: Groups
    table: ReleasedTable


def make_quality(grouped: Grouped) -> ReleasedQuality | None:
    """Give the report on a round's links; none where no fields were compared, or of too many providers."""
    project = grouped.manifest.project
    if project.comparison is None or len(grouped.sizes) > MOST_PROVIDERS:
        return None
    return release_quality(
        _figures(grouped, project.comparison),
        round_id=grouped.manifest.round_id,
        acceptance=project.comparison.accept.probability,
        rules=DisclosureRules(min_cell_count=project.min_cell_count),
    )


def _figures(grouped: Grouped, terms: ComparisonTerms) -> list[PairFigures]:
    """Give the figures of every two providers, in the project's order."""
    accept, inside = terms.accept.probability, pairs_inside(grouped.pairs)
    people = find_people(inside, sizes=grouped.sizes)
    acceptances = sorted({*LADDER, accept})
    steps = overlap_steps(grouped.weighed, inside=inside, sizes=grouped.sizes, acceptances=acceptances)
    by_places = {(one.compared.left, one.compared.right): one for one in grouped.weighed}
    both, parties = both_counts(steps, datasets=len(people)), grouped.manifest.project.provider_ids()
    return [
        pair_figures(
            evidence_of(one, people=people, groups=grouped.groups, acceptance=accept),
            parties=(parties[left], parties[right]),
            steps=tuple(zip(acceptances, both[left, right], strict=True)),
            overlap_shown=_overlap_shown(grouped.table, parties[left], parties[right]),
            rows_shown=(_rows_shown(grouped.table, parties[left]), _rows_shown(grouped.table, parties[right])),
            # Rows that repeat people are linked through one another, as those of three providers are.
            alone=len(people) == 2 and not inside.repeating,
            seed=_seed(grouped.manifest),
            people=_planted(grouped.planted.get((parties[left], parties[right]))),
        )
        for (left, right), one in sorted(by_places.items())
    ]


def _planted(found: PlantedFound | None) -> PlantedPeople:
    return PlantedPeople(planted=found.people, found=found.found) if found else PlantedPeople()


def _overlap_shown(table: ReleasedTable, left: PartyId, right: PartyId) -> bool:
    """Say whether the table shows how many people both have; of two providers, both is the same as exactly both."""
    both = f"{left} + {right}"
    keys = {("in the data of both", both)}
    if not any(row.key[0] == "in the data of both" for row in table.rows):
        keys = {("in the data of exactly", both)}
    return any(row.key in keys and row.count is not None for row in table.rows)


def _rows_shown(table: ReleasedTable, party: PartyId) -> bool:
    keys = {("all rows of", party), ("all people of", party)}
    return any(row.key in keys and row.count is not None for row in table.rows)


def _seed(manifest: RoundManifest) -> int:
    return int.from_bytes(manifest.digest()[:_SEED_BYTES], "big")
