"""A sealed round of two providers, and an engine with a fault."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness import Coordinator, Enrolled, Rows, random_rows

from isthmus.contract.ids import RoundId
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Progress

PEOPLE_OF_BOTH = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A sealed round of two providers: 12 rows and 10 rows, of which the first 7 are the same people."""

    id: RoundId
    providers: Sequence[Enrolled]
    left: Rows
    right: Rows


def sealed(hub: Coordinator, **changes: object) -> Round:
    providers = hub.parties("riverside", "college")
    left = random_rows(12, seed=1)
    right = random_rows(10, seed=2).with_people_of(left, PEOPLE_OF_BOTH)
    round_id = hub.collecting(providers, **changes)
    for provider, rows in zip(providers, (left, right), strict=True):
        hub.submit(provider, round_id, rows)
    return Round(id=round_id, providers=providers, left=left, right=right)


class FailingEngine:
    """An engine with a fault that names a row, which nobody may get to see."""

    max_pairs = 1

    def candidate_pairs(
        self, datasets: Sequence[Dataset], *, threshold: float, progress: Progress, **how: Any
    ) -> CandidatePairs:
        raise RuntimeError("row 4711 is odd")
