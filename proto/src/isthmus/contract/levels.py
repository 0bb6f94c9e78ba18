"""The levels of agreement of every field: what the answers of two nodes about a pair of rows are boiled down to.

How a pair comes to its levels is in `isthmus.contract.differences`. docs/protocol.md section 13.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldLevels:
    """The levels of one field, from most to least alike, each with how often people's own records show it.

    `starting` are the shares that the model begins with, one for each level; they add up to 1.
    """

    field: str
    names: tuple[str, ...]
    starting: tuple[float, ...]


_NAME_LEVELS: Final = (
    "equal, most common",
    "equal, common",
    "equal, rare",
    "equal, rarest",
    "nickname",
    "shared word",
    "alike",
    "half alike",
    "initial",
    "swapped",
    "somewhat alike",
    "unlike",
)
_LAST_STARTING: Final = (0.2, 0.24, 0.2, 0.1, 0.0, 0.03, 0.08, 0.03, 0.01, 0.01, 0.02, 0.08)
_FIRST_STARTING: Final = (0.22, 0.26, 0.18, 0.08, 0.05, 0.0, 0.08, 0.03, 0.02, 0.01, 0.02, 0.05)
_DATE_LEVELS: Final = (
    "equal",
    "one digit",
    "day and month swapped",
    "two digits",
    "two of three parts",
    "same year",
    "unlike",
)
_TEXT_LEVELS: Final = ("equal", "alike", "half alike", "unlike")
_DIGIT_LEVELS: Final = ("equal", "one digit", "two digits", "unlike")

LEVELS: Final[Mapping[str, FieldLevels]] = MappingProxyType({
    levels.field: levels
    for levels in (
        FieldLevels(field="first_name", names=_NAME_LEVELS, starting=_FIRST_STARTING),
        FieldLevels(field="last_name", names=_NAME_LEVELS, starting=_LAST_STARTING),
        FieldLevels(
            field="middle_name",
            names=("equal", "initial", "half alike", "first name", "unlike"),
            starting=(0.7, 0.19, 0.03, 0.01, 0.07),
        ),
        FieldLevels(field="dob", names=_DATE_LEVELS, starting=(0.9, 0.04, 0.01, 0.02, 0.01, 0.01, 0.01)),
        FieldLevels(field="birth_year", names=("equal", "one digit", "unlike"), starting=(0.95, 0.03, 0.02)),
        FieldLevels(field="sex", names=("equal", "unlike"), starting=(0.97, 0.03)),
        FieldLevels(field="state", names=("equal", "unlike"), starting=(0.93, 0.07)),
        FieldLevels(field="street_number", names=_TEXT_LEVELS, starting=(0.7, 0.04, 0.04, 0.22)),
        FieldLevels(field="street_name", names=_TEXT_LEVELS, starting=(0.66, 0.08, 0.04, 0.22)),
        FieldLevels(field="city", names=_TEXT_LEVELS, starting=(0.75, 0.05, 0.02, 0.18)),
        FieldLevels(field="zip", names=_DIGIT_LEVELS, starting=(0.74, 0.04, 0.02, 0.2)),
        FieldLevels(field="phone", names=_DIGIT_LEVELS, starting=(0.75, 0.05, 0.03, 0.17)),
        FieldLevels(field="ssn", names=_DIGIT_LEVELS, starting=(0.9, 0.05, 0.02, 0.03)),
    )
})  # fmt: skip
"""By field. The numbers are first guesses for people in general, not fitted to any data."""
