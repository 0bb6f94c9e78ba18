"""What a data-quality report holds: counts and shares, never a value.

A report is over its kind of count: `Report[int]` is exact and for the owner of the data, `Report[Count]` may have
hidden counts. Only `outgoing` makes a `SharedReport`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, NewType, TypeAlias, TypeVar

MIN_CELL_COUNT: Final = 10
"""The smallest count of rows that is shown in what may leave."""

OLDEST: Final = 115
"""Years before the report's beyond which a year of birth is odd: hardly anybody lives longer."""


class Hidden(StrEnum):
    """Why a count is not shown, in the words that stand in its place."""

    FEW = f"<{MIN_CELL_COUNT}"
    NEARLY_ALL = f"all but <{MIN_CELL_COUNT}"
    WITHHELD = "withheld"


Count: TypeAlias = int | Hidden
C_co = TypeVar("C_co", bound=Count, covariant=True)


class Characters(StrEnum):
    """Kinds of characters that a value may hold."""

    LETTERS = "plain letters"
    ACCENTED = "accented letters"
    OTHER_SCRIPTS = "other scripts"
    DIGITS = "digits"
    JOINERS = "apostrophe or hyphen"
    SPACES = "spaces"
    SIGNS = "other signs"
    LOST = "lost characters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """A bar of a histogram: values from `low` to `high`, both inclusive; None is an open end.

    `share` is of all values of the histogram, in [0, 1]. `count` is None in what may leave.
    """

    low: int | None
    high: int | None
    share: float
    count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldReport(Generic[C_co]):
    """What was counted of one field. `sound`, `damaged`, `placeholder` and `blank` part the rows.

    `distinct` counts normal forms, and `most_common` is the share of the commonest among the rows that hold one, None
    where it is not known or not shown. `lengths` and `characters` are of values as the source holds them; `characters`
    counts rows whose value has at least one such character. `years` has bars for dates and years only;
    `odd_years` counts those after the report's year, or more than `OLDEST` years before.
    """

    field: str
    sound: C_co
    damaged: C_co
    placeholder: C_co
    blank: C_co
    distinct: C_co
    most_common: float | None
    lengths: tuple[Bin, ...]
    years: tuple[Bin, ...]
    odd_years: C_co
    characters: Mapping[Characters, C_co]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats(Generic[C_co]):
    """Rows that equal another row in all of `fields`: `rows` of them, of which `surplus` are not the first."""

    fields: tuple[str, ...]
    rows: C_co
    surplus: C_co


@dataclass(frozen=True, slots=True, kw_only=True)
class Route(Generic[C_co]):
    """Two groups of fields by which a row can be linked, and the rows that hold both."""

    groups: tuple[str, str]
    rows: C_co


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap(Generic[C_co]):
    """The rows that lack a field: the share of them that still can be linked, and by which groups most of those can.

    `linkable` is None where it is not shown or no row lacks the field.
    """

    field: str
    missing: C_co
    linkable: float | None
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Linkage(Generic[C_co]):
    """The expected effect on linkage, if a project used every field of the data set.

    `unlinkable` rows hold no two groups that enter a table of `hardened-1` together; `names_only` of them hold both
    names. `too_little` rows would leave as empty CLKs under `interop-1`.
    """

    unlinkable: C_co
    names_only: C_co
    too_little: C_co
    routes: tuple[Route[C_co], ...]
    gaps: tuple[Gap[C_co], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Generic[C_co]):
    """A data set as counted in `year`. `estimated`: it was so large that distinct values were sampled."""

    dataset: str
    year: int
    rows: int
    shared: bool
    estimated: bool
    fields: tuple[FieldReport[C_co], ...]
    repeats: tuple[Repeats[C_co], ...]
    linkage: Linkage[C_co]


SharedReport = NewType("SharedReport", Report[Count])
"""A report that may leave the node."""
