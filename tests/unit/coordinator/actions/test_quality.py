"""From links to a report: figures have the names of levels, and a report of made-up people tells the truth of them."""

import pytest
from compared import FIELDS, best_first, made_up

from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.levels import LEVELS
from isthmus.contract.quality import Interval, quality_from_bytes
from isthmus.coordinator.actions.quality import CLERICAL_BAND, PlantedPeople, pair_figures
from isthmus.coordinator.disclosure.quality import PairFigures, release_quality
from isthmus.coordinator.disclosure.release import DisclosureRules
from isthmus.coordinator.match.compare.sensitivity import LADDER, both_counts, ladder
from isthmus.coordinator.match.group import group_rows

PEOPLE = made_up(2, shared=400, rows=(450, 500))


@pytest.fixture(scope="module")
def figures() -> PairFigures:
    evidence = PEOPLE.evidence
    pairs = best_first(evidence.candidates, evidence.probability)
    sizes = evidence.candidates.rows
    steps = ladder(pairs, group=lambda some: group_rows(some, sizes=sizes), sizes=sizes)
    return pair_figures(
        evidence,
        parties=(PartyId("k12"), PartyId("college")),
        steps=tuple(zip(LADDER, both_counts(steps, datasets=2)[0, 1], strict=True)),
        overlap_shown=True,
        rows_shown=(True, True),
        alone=True,
        seed=1,
        people=PlantedPeople(planted=100, found=97),
    )


def test_figures_name_levels_and_count_every_candidate(figures: PairFigures) -> None:
    assert sum(one.pairs for one in figures.patterns) == len(PEOPLE.evidence.candidates)
    assert all(
        level in ("", *LEVELS[field].names)
        for one in figures.patterns
        for field, level in zip(FIELDS, one.levels, strict=True)
    )
    assert any("" in one.levels for one in figures.patterns)
    assert len(figures.levels) == sum(len(LEVELS[field].names) for field in FIELDS)
    assert figures.band[:2] == CLERICAL_BAND


def test_report_of_made_up_people_is_near_the_truth(figures: PairFigures) -> None:
    data = release_quality([figures], round_id=RoundId("r-1"), acceptance=0.1, rules=DisclosureRules()).to_bytes()

    (pair,) = quality_from_bytes(data).pairs

    assert isinstance(pair.precision, Interval)
    assert pair.precision.low <= PEOPLE.precision <= pair.precision.high
    assert pair.accepted == PEOPLE.evidence.links
    assert isinstance(pair.recall, Interval)
    assert pair.recall.value == 0.97
    weight = {(one.field, one.level): one.weight for one in pair.weights}
    assert weight["dob", "equal"] > 5
    assert weight["last_name", "unlike"] < 0


def test_nobody_planted_is_said(figures: PairFigures) -> None:
    without = pair_figures(
        PEOPLE.evidence,
        parties=(PartyId("k12"), PartyId("college")),
        steps=figures.steps,
        overlap_shown=True,
        rows_shown=(True, True),
        alone=True,
        seed=1,
    )

    assert (without.planted.planted, without.planted.found) == (0, 0)
    assert without.precision == figures.precision
