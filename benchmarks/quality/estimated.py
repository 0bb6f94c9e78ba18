"""What a round would say of its own links without truth, beside the truth, for every two providers of a set.

The estimates are those of the product's quality report, at balanced acceptance. As planted people stand people whom
both files hold, drawn at random: they are damaged like everybody else, which is more than a project can know of its own
(`benchmarks/planted_recall.py` measures real ones).
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final

import numpy as np

from isthmus.contract.quality import Estimate, NotEnoughData
from isthmus.coordinator.match.compare.estimates import Evidence, Quality, estimate_quality
from isthmus.coordinator.match.compare.evidence import evidence_of, overlap_steps
from isthmus.coordinator.match.compare.people import People
from isthmus.coordinator.match.compare.sensitivity import LADDER, both_counts

sys.path.insert(0, str(Path(__file__).parents[2]))
# The benchmarks are no package.
from benchmarks.quality.people import DataSet
from benchmarks.quality.pipeline import ACCEPT, Linked
from benchmarks.quality.score import Ints, Side

PLANTED: Final = 100
WAY: Final = "balanced"

PRECISION: Final = "precision"
OF_CANDIDATES: Final = "recall of candidates"
RECALL: Final = "recall, by planted"
F1: Final = "F1, by planted"
OVERLAP: Final = "people in both"
ESTIMATED: Final = (PRECISION, OF_CANDIDATES, RECALL, F1)
QUANTITIES: Final = (*ESTIMATED, OVERLAP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One quantity: its true value, and what is said of it with an interval, or the reason why nothing is.

    Rates are in [0, 1]. Of `OVERLAP`, a count of people, the value is the count of linked entities, and the ends are
    the least and the most of all acceptances of the product's ladder: a range, of which no chance is promised.
    """

    true: float
    value: float = 0.0
    low: float = 0.0
    high: float = 0.0
    too_little: str = ""

    @property
    def told(self) -> bool:
        """Say whether there is an estimate."""
        return not self.too_little

    @property
    def inside(self) -> bool:
        """Say whether the truth is inside of the interval."""
        return self.told and self.low <= self.true <= self.high


@dataclass(frozen=True, slots=True, kw_only=True)
class PairEstimates:
    """Everything said of two providers, by their places: figures by quantity, links, and how many are false."""

    left: int
    right: int
    links: int
    false: int
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Truth:
    """True numbers of two providers.

    Links, those of them that are right, candidates that are right; people whom both hold, those of them who are linked,
    as entity codes, rising.
    """

    links: int
    right: int
    found: int
    shared: Ints
    linked: Ints

    def rate(self, quantity: str) -> float:
        """Give a quantity as it is; a share of nothing is 1."""
        precision = self.right / self.links if self.links else 1.0
        recall = self.linked.size / self.shared.size if self.shared.size else 1.0
        both = precision + recall
        return {
            PRECISION: precision,
            OF_CANDIDATES: self.right / self.found if self.found else 1.0,
            RECALL: recall,
            F1: 2 * precision * recall / both if both else 0.0,
            OVERLAP: float(self.shared.size),
        }[quantity]


def estimates_of(linked: Linked, people: DataSet, *, seed: int) -> tuple[PairEstimates, ...]:
    """Give what the product says of every two providers, beside the truth; the same seed gives the same numbers."""
    codes, counts, told = people.entity_codes(), overlap_counts(linked, people.sizes), []
    for one in linked.weighed:
        left, right = side = one.compared.left, one.compared.right
        evidence = evidence_of(one, people=linked.people, groups=linked.groups[WAY], acceptance=ACCEPT[WAY])
        truth = truth_of(
            evidence,
            _of_people(codes[left], linked.people[left]),
            _of_people(codes[right], linked.people[right]),
            shared=np.intersect1d(codes[left], codes[right]),
        )
        planted = Random(f"{people.name}/{seed}/{side}/planted")
        quality = estimate_quality(evidence, seed=seed, **_planted(truth, planted))
        told.append(
            PairEstimates(
                left=left,
                right=right,
                links=truth.links,
                false=truth.links - truth.right,
                figures=dict(_figures(quality, truth)) | {OVERLAP: _overlap(counts[side], truth)},
            )
        )
    return tuple(told)


def overlap_counts(linked: Linked, sizes: Sequence[int]) -> dict[Side, tuple[int, ...]]:
    """Give the linked people of every two providers at `WAY`'s acceptance, then at each step of the ladder."""
    acceptances = (ACCEPT[WAY], *LADDER)
    steps = overlap_steps(linked.weighed, inside=linked.inside, sizes=sizes, acceptances=acceptances)
    return both_counts(steps, datasets=len(sizes))


def truth_of(told: Evidence, left: Ints, right: Ints, *, shared: Ints) -> Truth:
    """Hold links against the truth.

    Args:
        told: what is known of the links.
        left, right: the entity code of each person of the two providers.
        shared: the entity codes of people whom both hold, rising.
    """
    entity = left[told.candidates.left_row]
    same = entity == right[told.candidates.right_row]
    return Truth(
        links=told.links,
        right=int(np.count_nonzero(same & told.accepted)),
        found=int(np.count_nonzero(same)),
        shared=shared,
        linked=np.unique(entity[same & told.accepted]),
    )


def _of_people(codes: Ints, people: People) -> Ints:
    """Give the entity of each person that was made of rows: that of the first of them."""
    return codes[np.unique(people.of_row, return_index=True)[1]]


def _planted(truth: Truth, chance: Random) -> dict[str, int]:
    """Give how many people stand as planted ones, and how many of them are linked."""
    drawn = chance.sample(truth.shared.tolist(), min(PLANTED, truth.shared.size))
    return {"planted": len(drawn), "found": int(np.isin(drawn, truth.linked).sum())}


def _figures(quality: Quality, truth: Truth) -> Iterator[tuple[str, Figure]]:
    estimates = (quality.precision, quality.recall_of_candidates, quality.recall, quality.f1)
    for quantity, estimate in zip(ESTIMATED, estimates, strict=True):
        yield quantity, _figure(estimate, truth.rate(quantity))


def _figure(estimate: Estimate, true: float) -> Figure:
    if isinstance(estimate, NotEnoughData):
        return Figure(true=true, too_little=estimate.reason.value)
    return Figure(true=true, value=estimate.value, low=estimate.low, high=estimate.high)


def _overlap(counts: Sequence[int], truth: Truth) -> Figure:
    return Figure(true=truth.rate(OVERLAP), value=float(counts[0]), low=float(min(counts)), high=float(max(counts)))
