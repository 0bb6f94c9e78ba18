"""What is known of how two rows differ, field by field, and the level of agreement of each field that follows.

Nodes make differences of their own rows in the clear, the coordinator reads those of two providers from padded answers
(docs/protocol.md section 13). Both put them into the same levels, so that what a node has learnt of its near misses
speaks the language of the coordinator's model.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import NAME_SET, NUMBER_SET
from isthmus.contract.levels import LEVELS

MISSING: Final = -1
"""For a difference or a level: a row lacks the field."""

Numbers = NDArray[np.int16]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Differences:
    """What is known of some pairs, by name of part: int16, shape (pairs,).

    Of a vector, how many bits differ; of a tag, 1 where the values are equal and 0 where not; of a band, the bands of
    both sides added up, which means something only where the values are equal. -1 where a row lacks the part.
    """

    by_part: Mapping[str, Numbers]

    def __len__(self) -> int:
        """How many pairs there are."""
        return len(next(iter(self.by_part.values()))) if self.by_part else 0

    def of(self, part: str) -> Numbers:
        """Give those of a part; everywhere missing if there is no such part."""
        return self.by_part.get(part, np.full(len(self), MISSING, np.int16))

    def equal(self, part: str) -> Flags:
        """Say where a tag's values are equal."""
        told: Flags = self.of(part) == 1
        return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Grades:
    """Shares of the bits of two values that are the same, from which they count as that alike.

    In (0, 1], none greater than the one before; raises `ValueError` if not.
    """

    alike: float
    half_alike: float
    somewhat_alike: float

    def __post_init__(self) -> None:
        """Check range and order."""
        if not 0 < self.somewhat_alike <= self.half_alike <= self.alike <= 1:
            raise ValueError("grades must lie in (0, 1], none greater than the one before")


GRADES: Final = Grades(alike=0.72, half_alike=0.5, somewhat_alike=0.3)
"""Those of `fields-1`, unless a project pins others."""


ROUNDING: Final = 1e-6
"""Shares that add up to 1 within it do."""


def check_starting(starting: Mapping[str, Sequence[float]]) -> None:
    """Raise `ValueError`, naming every field at fault, unless each has a share of each of its levels, 1 in all."""
    wrong = [
        field
        for field, shares in starting.items()
        if field not in LEVELS
        or len(shares) != len(LEVELS[field].names)
        or not all(0 <= share <= 1 for share in shares)
        or abs(sum(shares) - 1) > ROUNDING
    ]
    if wrong:
        raise ValueError(f"starting values must be one share for each level, 1 in all: {', '.join(sorted(wrong))}")


def field_levels(differences: Differences, fields: Sequence[str], *, grades: Grades = GRADES) -> NDArray[np.int8]:
    """Give the level of each field in each pair, int8, shape (fields, pairs): a place in its names, or -1."""
    return np.stack([_LEVEL_OF[field](differences, grades).astype(np.int8) for field in fields])


LevelOf = Callable[[Differences, Grades], Numbers]


def _graded(differences: Differences, part: str, inserted: int, *, grades: Sequence[float]) -> Numbers:
    """Count the grades that a vector's similarity misses: 0 for equal vectors, up to one more than the grades."""
    differing = differences.of(part)
    similarity = 1 - differing / (2 * inserted)
    missed = np.sum([similarity < grade for grade in grades], axis=0) + (differing > 0)
    return np.where(differing < 0, MISSING, missed).astype(np.int16)


def _name(field: str) -> LevelOf:
    other = {"first_name": "last_name", "last_name": "first_name"}[field]

    def level(differences: Differences, grades: Grades) -> Numbers:
        differing, band = differences.of(field), differences.of(f"{field}.band")
        grade = _graded(differences, field, NAME_SET, grades=(grades.alike, grades.half_alike, grades.somewhat_alike))
        # The first that is true decides.
        swapped = differences.equal(f"{field}={other}") & differences.equal(f"{other}={field}")
        word = np.logical_or.reduce([differences.equal(f"{field}.word{one}={two}") for one in (0, 1) for two in (0, 1)])
        return np.select(
            [
                differing < 0,
                (differing == 0) & (band >= 0) & (band <= 6),
                swapped,
                differences.equal(f"{field}.nickname"),
                word,
                grade == 1,
                grade == 2,
                differences.equal(f"{field}.initial"),
                grade == 3,
            ],
            [np.full(len(differing), MISSING), (band + 1) // 2, 9, 4, 5, 6, 7, 8, 10],
            11,
        ).astype(np.int16)

    return level


def _middle(differences: Differences, grades: Grades) -> Numbers:
    differing = differences.of("middle_name")
    grade = _graded(differences, "middle_name", NAME_SET, grades=(grades.half_alike,))
    crossed = differences.equal("first_name=middle_name") | differences.equal("middle_name=first_name")
    return np.select(
        [differing < 0, differing == 0, differences.equal("middle_name.initial"), grade == 1, crossed],
        [MISSING, 0, 1, 2, 3],
        4,
    ).astype(np.int16)


def _date(differences: Differences, _: Grades) -> Numbers:
    # Two bits of one-hot digits differ for each digit that differs.
    year, month, day = (differences.of(f"dob.{part}") // 2 for part in ("year", "month", "day"))
    digits = year + month + day
    equal_parts = np.sum([part == 0 for part in (year, month, day)], axis=0)
    return np.select(
        [
            year < 0,
            digits == 0,
            digits == 1,
            differences.equal("dob.swapped"),
            digits == 2,
            equal_parts == 2,
            year == 0,
        ],
        [MISSING, 0, 1, 2, 3, 4, 5],
        6,
    ).astype(np.int16)


def _text(field: str, inserted: int) -> LevelOf:
    return lambda differences, grades: _graded(differences, field, inserted, grades=(grades.alike, grades.half_alike))


def _digits(field: str, *, most: int) -> LevelOf:
    def level(differences: Differences, _: Grades) -> Numbers:
        differing = differences.of(field)
        return np.where(differing < 0, MISSING, np.minimum(differing // 2, most)).astype(np.int16)

    return level


def _equality(field: str) -> LevelOf:
    def level(differences: Differences, _: Grades) -> Numbers:
        told = differences.of(field)
        return np.where(told < 0, MISSING, 1 - told).astype(np.int16)

    return level


_LEVEL_OF: Final[Mapping[str, LevelOf]] = MappingProxyType({
    "first_name": _name("first_name"),
    "middle_name": _middle,
    "last_name": _name("last_name"),
    "dob": _date,
    "birth_year": _digits("birth_year", most=2),
    "sex": _equality("sex"),
    "street_number": _text("street_number", NUMBER_SET),
    "street_name": _text("street_name", NAME_SET),
    "city": _text("city", NAME_SET),
    "state": _equality("state"),
    "zip": _digits("zip", most=3),
    "phone": _digits("phone", most=3),
    "ssn": _digits("ssn", most=3),
})  # fmt: skip
