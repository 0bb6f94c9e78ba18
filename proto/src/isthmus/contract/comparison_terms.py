"""What a project grants of field comparison: how many pairs, when a pair links, and what the model begins with.

All of it is part of the signed terms, so that nobody chooses by looking at results. docs/protocol.md section 13.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Final

import msgspec

from isthmus.contract.comparison import COMPARISON_1
from isthmus.contract.levels import LEVELS

FEWEST_SLOTS, MOST_SLOTS = 2, 64
MOST_PLANTED: Final = 1000
WHOLE: Final = 1000
"""Starting shares are counted in parts of a thousand."""

GRADES: Final = (72, 50, 30)
"""Percent of the bits of two values that are the same, from which they are alike, half alike and somewhat alike."""


class Accept(StrEnum):
    """From which probability a pair may link: `balanced` from 0.1, `strict` from 0.5."""

    BALANCED = "balanced"
    STRICT = "strict"

    @property
    def probability(self) -> float:
        """Give the least probability, inclusive."""
        return {Accept.BALANCED: 0.1, Accept.STRICT: 0.5}[self]


class ComparisonTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The terms. Absent from a project, no field is compared.

    `slots` is in how many pairs each row of the larger of two data sets is compared with rows of the other: the budget
    that nodes enforce. `grades` are falling percentages, `starting` holds, for fields whose levels are to begin
    otherwise than by default, one number for each level, in parts of a thousand that add up to it. `planted` is how
    many made-up people every provider adds to its rows, to measure recall.
    """

    name: str = COMPARISON_1
    accept: Accept = Accept.BALANCED
    slots: int = 8
    grades: tuple[int, int, int] = GRADES
    starting: dict[str, tuple[int, ...]] = {}
    planted: int = 0

    def problems(self, fields: Sequence[str]) -> Iterator[str]:
        """Say what is wrong with them where providers bring these fields; nothing where all is well."""
        if self.name != COMPARISON_1:
            yield f"comparison.name is not a way of comparing that this version offers ({COMPARISON_1})"
        if not FEWEST_SLOTS <= self.slots <= MOST_SLOTS:
            yield f"comparison.slots is not between {FEWEST_SLOTS} and {MOST_SLOTS}"
        if not 100 > self.grades[0] > self.grades[1] > self.grades[2] > 0:
            yield "comparison.grades are not three falling percentages, each above 0 and below 100"
        if not 0 <= self.planted <= MOST_PLANTED:
            yield f"comparison.planted is not between 0 and {MOST_PLANTED}"
        for field, parts in self.starting.items():
            if field not in fields:
                yield f"comparison.starting names {field[:60]}, which no provider brings"
            elif len(parts) != len(LEVELS[field].names):
                yield f"comparison.starting.{field} needs {len(LEVELS[field].names)} numbers, one for each level"
            elif min(parts) < 0 or sum(parts) != WHOLE:
                yield f"comparison.starting.{field} does not add up to {WHOLE}"

    @property
    def similarity_grades(self) -> tuple[float, float, float]:
        """Give the grades as shares of 1."""
        high, middle, low = (grade / 100 for grade in self.grades)
        return high, middle, low

    def starting_shares(self) -> Mapping[str, tuple[float, ...]]:
        """Give by field, for every field, the share of each level to begin with."""
        pinned = {field: tuple(part / WHOLE for part in parts) for field, parts in self.starting.items()}
        return {field: levels.starting for field, levels in LEVELS.items()} | pinned
