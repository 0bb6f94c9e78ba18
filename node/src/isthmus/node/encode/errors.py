"""Errors of encoding.

    BadInput
    ├── InvalidValues       entries do not fit their feature's format
    ├── ColumnsMismatch     the columns are not the schema's
    └── ReferenceMissing    the reference encoder is not installed

None crosses a wire. An entry is named by feature and row, never by content.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from isthmus.contract.errors import BAD_INPUT, BadInput, ErrorSpec

MAX_LISTED: Final = 100
"""The most bad entries that one error lists; the rest is counted."""


class UnfitValue(ValueError):
    """One value does not fit its feature. Its text is the reason, which holds nothing of the value."""

    def __init__(self, *, reason: str) -> None:
        """Store the reason."""
        super().__init__(reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadEntry:
    """Where a value does not fit, and why. `row` counts the records from 1."""

    feature: str
    row: int
    reason: str

    def __str__(self) -> str:
        """Give the place and the reason in words."""
        return f"{self.feature} row {self.row} ({self.reason})"


@dataclass(eq=False, kw_only=True)
class InvalidValues(BadInput):
    """Entries do not fit the format that the linkage schema gives for their feature."""

    code: ClassVar[str] = "invalid-values"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INVALID_ARGUMENT",
        http=400,
        exit_code=BAD_INPUT,
        sentence="{total} entries do not fit the linkage schema: {listed}",
        remedy="correct these entries, or let the source turn them into the missing value of the schema",
    )
    total: int
    listed: str


@dataclass(eq=False, kw_only=True)
class ColumnsMismatch(BadInput):
    """The columns differ from the schema's features in number, or from each other in length."""

    code: ClassVar[str] = "columns-mismatch"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INVALID_ARGUMENT",
        http=400,
        exit_code=BAD_INPUT,
        sentence="the columns do not fit the linkage schema: {problem}",
        remedy="give one column of equal length for each feature, ignored ones too, in the schema's order",
    )
    problem: str


@dataclass(eq=False, kw_only=True)
class ReferenceMissing(BadInput):
    """The reference encoder was asked for and is not installed."""

    code: ClassVar[str] = "reference-missing"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=400,
        exit_code=BAD_INPUT,
        sentence="the reference encoder clkhash is not installed",
        remedy="install isthmus-node[reference], or encode without it",
    )


def invalid_values(entries: Sequence[BadEntry]) -> InvalidValues:
    """Give the error that lists the first `MAX_LISTED` of the entries by feature and row and counts all."""
    listed = [str(entry) for entry in entries[:MAX_LISTED]]
    more = [f"and {len(entries) - MAX_LISTED} more"] if len(entries) > MAX_LISTED else []
    return InvalidValues(total=len(entries), listed=", ".join(listed + more))
