"""What an attacker can work out about hidden counts: exact bounds, by the simplex method in whole numbers.

The hidden counts x of a table satisfy A x = b and x >= 0, where A and b follow from the relations and the published
counts. The simplex method gives the least and greatest value of each x_k over that set. All arithmetic is in whole
numbers: the tableau is kept multiplied by its determinant, so every division is exact (Edmonds 1967; Bareiss 1968), and
Bland's rule (1977) keeps it from going round in circles.

A bound only counts here when a table of whole numbers attains it, so a `Bounds` is a proof and not an estimate: there
is one table with the lower and one with the upper value, both agreeing with everything that is published.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.object_]
"""Python integers, so that no product overflows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Values of one hidden count that are all possible at their ends; `upper` None means that there is no end."""

    lower: int
    upper: int | None

    def as_wide_as(self, width: int) -> bool:
        """Whether the upper end is `width` or more, and at least `width` above the lower end."""
        return self.upper is None or (self.upper >= width and self.upper - self.lower >= width)


class Tableau:
    """The simplex tableau of A x = A t, x >= 0, where t are the true counts: whole numbers, all at least zero.

    Each question leaves it at another corner of the same set of solutions.
    """

    def __init__(self, equations: Sequence[Sequence[int]], truth: Sequence[int]) -> None:
        """Find a first corner: one helper for each equation stands in the basis and is driven out."""
        self._truth = truth
        self._columns = len(truth)
        rows = [_positive([*row, _dot(row, truth)]) for row in equations]
        self._table: Matrix = np.array(rows, dtype=np.object_).reshape(len(rows), self._columns + 1)
        # Helpers need no columns: once out, none comes back.
        self._basis = [self._columns + i for i in range(len(rows))]
        self._scale = 1
        for helper in list(self._basis):
            self._drive_out(helper)

    def bounds(self, column: int) -> Bounds:
        """Give proven bounds of one hidden count."""
        self._minimise(column)
        lower = self._attained(column)
        return Bounds(lower=lower, upper=self._attained(column) if self._maximise(column) else None)

    def _drive_out(self, helper: int) -> None:
        self._minimise(helper)
        if helper in self._basis:
            row = self._basis.index(helper)
            # It is zero now. A row without any other entry is an equation that the others imply.
            columns = np.flatnonzero(self._table[row, :-1])
            if columns.size:
                self._pivot(row, int(columns[0]))

    def _minimise(self, column: int) -> None:
        """Make the value of a column least. That is zero or more, so there always is a least value."""
        while column in self._basis:
            row = self._table[self._basis.index(column), :-1]
            better = [int(j) for j in np.flatnonzero(row > 0) if j != column]
            if not better:
                return
            self._enter(better[0])

    def _maximise(self, column: int) -> bool:
        """Make the value of a column greatest; False when it may grow without end."""
        if column not in self._basis and not self._enter(column):
            return False
        # From here on the column stays in the basis: whatever enters makes it grow.
        row = self._basis.index(column)
        while (better := np.flatnonzero(self._table[row, :-1] < 0)).size:
            if not self._enter(int(better[0])):
                return False
        return True

    def _enter(self, column: int) -> bool:
        """Bring a column into the basis; False when its value may grow without end."""
        rows = [i for i, entry in enumerate(self._table[:, column]) if entry > 0]
        if not rows:
            return False
        self._pivot(min(rows, key=lambda row: self._limit(row, column)), column)
        return True

    def _limit(self, row: int, column: int) -> tuple[Fraction, int]:
        return Fraction(self._table[row, -1], self._table[row, column]), self._basis[row]

    def _pivot(self, row: int, column: int) -> None:
        if self._table[row, column] < 0:
            self._table[row] = -self._table[row]
        pivot, line = self._table[row, column], self._table[row].copy()
        self._table = (self._table * pivot - np.outer(self._table[:, column], line)) // self._scale
        self._table[row] = line
        self._basis[row], self._scale = column, pivot

    def _attained(self, column: int) -> int:
        """Give the value of a column at the last whole-number solution on the way from the truth to this corner."""
        way = [-self._scale * value for value in self._truth]
        for row, basic in enumerate(self._basis):
            if basic < self._columns:
                way[basic] += self._table[row, -1]
        step = gcd(*way) or 1
        return int(self._truth[column] + (step // self._scale) * (way[column] // step))


def _positive(row: list[int]) -> list[int]:
    return [-entry for entry in row] if row[-1] < 0 else row


def _dot(row: Sequence[int], values: Sequence[int]) -> int:
    return sum(entry * value for entry, value in zip(row, values, strict=True))
