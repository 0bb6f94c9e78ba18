"""How overlap counts depend on acceptance: the groups are made again for each step of a ladder."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType
from typing import Final

from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.group import Groups
from isthmus.coordinator.match.overlap import membership_patterns
from isthmus.coordinator.match.tables import at_least

LADDER: Final = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """True overlap counts if pairs are links from `acceptance` on: of entities, by the exact set of datasets."""

    acceptance: float
    patterns: Mapping[frozenset[int], int]

    def both(self, left: int, right: int) -> int:
        """Give how many entities both datasets hold, and perhaps others too."""
        return sum(count for pattern, count in self.patterns.items() if pattern >= {left, right})


def ladder(
    pairs: CandidatePairs,
    *,
    group: Callable[[CandidatePairs], Groups],
    sizes: Sequence[int],
    acceptances: Sequence[float] = LADDER,
) -> tuple[Step, ...]:
    """Give the overlap at each acceptance, in the order given.

    Args:
        pairs: all candidates of all datasets, best first, with the probability of each as its similarity.
        group: makes entities of the pairs that are links.
        sizes: how many rows the datasets have.
        acceptances: least probabilities of a link.
    """
    return tuple(
        Step(
            acceptance=acceptance,
            patterns=MappingProxyType(membership_patterns(group(at_least(pairs, threshold=acceptance)), sizes=sizes)),
        )
        for acceptance in acceptances
    )


def both_counts(steps: Sequence[Step], *, datasets: int) -> dict[tuple[int, int], tuple[int, ...]]:
    """Give for every two datasets how many entities both hold, one number a step."""
    return {
        (left, right): tuple(step.both(left, right) for step in steps)
        for left, right in combinations(range(datasets), 2)
    }
