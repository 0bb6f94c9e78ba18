"""From what matching knows of two providers' links to the figures that disclosure control takes: names for numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from isthmus.contract.ids import PartyId
from isthmus.contract.levels import LEVELS
from isthmus.contract.quality import Planted
from isthmus.coordinator.disclosure.quality import LevelFigures, PairFigures, PatternFigures
from isthmus.coordinator.match.compare.estimates import Evidence, estimate_quality
from isthmus.coordinator.match.compare.explain import clerical_band, field_shares, pattern_counts, prior_bits

CLERICAL_BAND: Final = (0.1, 0.9)
"""Declared for every round: pairs that a clerk would look at, if anybody could."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedPeople:
    """How many people both providers added, and how many of them were linked with themselves."""

    planted: int = 0
    found: int = 0


def pair_figures(
    evidence: Evidence,
    *,
    parties: tuple[PartyId, PartyId],
    steps: Sequence[tuple[float, int]],
    overlap_shown: bool,
    rows_shown: tuple[bool, bool],
    alone: bool,
    seed: int,
    people: PlantedPeople | None = None,
) -> PairFigures:
    """Give all figures of two providers.

    Args:
        evidence: of their links.
        parties: both, left first.
        steps: acceptances and how many people both have at each, from `sensitivity.both_counts`.
        overlap_shown: whether the released overlap table shows how many people both have.
        rows_shown: whether it shows how many rows each has.
        alone: whether the project has no third provider.
        seed: of the draws that estimates need.
        people: who were planted, if anybody was.
    """
    planted = people or PlantedPeople()
    candidates, model = evidence.candidates, evidence.model
    quality = estimate_quality(evidence, seed=seed, planted=planted.planted, found=planted.found)
    low, high = CLERICAL_BAND
    return PairFigures(
        left=parties[0],
        right=parties[1],
        overlap_shown=overlap_shown,
        rows_shown=rows_shown,
        alone=alone,
        rows=candidates.rows,
        fields=candidates.fields,
        candidate_pairs=len(candidates),
        links=evidence.links,
        precision=quality.precision,
        recall_of_candidates=quality.recall_of_candidates,
        recall=quality.recall,
        f1=quality.f1,
        planted=Planted(planted=planted.planted, found=planted.found, recall=quality.planted_recall),
        prior=prior_bits(model, candidates.rows),
        random_pairs=evidence.random_pairs,
        levels=tuple(_levels(evidence)),
        patterns=tuple(_patterns(evidence)),
        steps=tuple(steps),
        band=(low, high, clerical_band(candidates, evidence.probability, low=low, high=high).pairs),
    )


def _levels(evidence: Evidence) -> list[LevelFigures]:
    return [
        LevelFigures(field=shares.field, level=name, match=match, random=random)
        for shares in field_shares(evidence.model, evidence.candidates.fields)
        for name, match, random in zip(LEVELS[shares.field].names, shares.match, shares.random, strict=True)
    ]


def _patterns(evidence: Evidence) -> list[PatternFigures]:
    fields = evidence.candidates.fields
    return [
        PatternFigures(
            levels=tuple(
                LEVELS[field].names[level] if level >= 0 else ""
                for field, level in zip(fields, one.levels, strict=True)
            ),
            accepted=one.accepted,
            pairs=one.pairs,
            odds=one.odds,
        )
        for one in pattern_counts(evidence.candidates, evidence.accepted, evidence.model)
    ]
