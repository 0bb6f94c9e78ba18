"""Which cells of a table must not be shown.

Primary: a count under the smallest that may be shown, zero too, unless the zero is structural. Complementary: further
cells, so that what is shown does not give the hidden ones away. The test is a proof, stronger than "no hidden count
follows by subtraction": for each hidden cell there are two tables of whole numbers, both agreeing with everything that
is shown, whose values of that cell lie `min_cell_count` or more apart, the greater being `min_cell_count` or more.
Every sum of hidden cells that follows from shown ones is then at least `min_cell_count` too.

The attacker of the proof knows the relations and that counts are not negative. He is not told why a cell is hidden:
"this one is small" would turn two hidden cells of a sum of 18 into nine and nine.
"""

from collections.abc import Collection, Iterator
from enum import StrEnum

from isthmus.coordinator.disclosure.bounds import Bounds, Tableau
from isthmus.coordinator.disclosure.errors import TableNotReleasable
from isthmus.coordinator.disclosure.table import Key, System, Table


class Reason(StrEnum):
    """Why a cell is hidden. Stays inside: a reader is only told that it is."""

    PRIMARY = "primary"
    COMPLEMENTARY = "complementary"


def suppress(table: Table, *, min_cell_count: int) -> dict[Key, Reason]:
    """Give the cells to hide, each with its reason; deterministic.

    Raises:
        TableNotReleasable: a hidden count would follow even with every cell hidden.
    """
    hidden = {cell.key: Reason.PRIMARY for cell in table.cells if cell.count < min_cell_count and not cell.structural}
    # A pass that hides nothing has proved every hidden cell of every system.
    while sum(_protect(table, system, hidden, min_cell_count) for system in table.systems):
        pass
    _show_again(table, hidden, min_cell_count)
    return hidden


def exposed_cells(table: Table, system: System, hidden: Collection[Key], *, min_cell_count: int) -> Iterator[Key]:
    """Give the hidden cells of a system whose proven bounds are too narrow."""
    for key, bounds in hidden_bounds(table, system, hidden):
        if not bounds.as_wide_as(min_cell_count):
            yield key


def hidden_bounds(table: Table, system: System, hidden: Collection[Key]) -> Iterator[tuple[Key, Bounds]]:
    """Give proven bounds of each hidden cell that the system names, given all that is shown, in the table's order."""
    counts, latent = table.counts(), {cell.key for cell in table.latent}
    named = {key for relation in system for key in (relation.total, *relation.parts)}
    unknown = [key for key in counts if key in named and (key in hidden or key in latent)]
    tableau = Tableau(list(_equations(system, unknown)), [counts[key] for key in unknown])
    for column, key in enumerate(unknown):
        if key in hidden:
            yield key, tableau.bounds(column)


def _equations(system: System, unknown: list[Key]) -> Iterator[list[int]]:
    for relation in system:
        row = [relation.parts.count(key) - (key == relation.total) for key in unknown]
        if any(row):
            yield row


def _protect(table: Table, system: System, hidden: dict[Key, Reason], min_cell_count: int) -> int:
    """Hide more cells of the system until none is exposed; give how many."""
    before = len(hidden)
    while exposed := next(exposed_cells(table, system, hidden, min_cell_count=min_cell_count), None):
        hidden[_helper(table, system, hidden, exposed)] = Reason.COMPLEMENTARY
    return len(hidden) - before


def _helper(table: Table, system: System, hidden: Collection[Key], exposed: Key) -> Key:
    """Give the smallest shown cell that widens the bounds of the exposed one, or the smallest where none does alone."""
    named = {key for relation in system for key in (relation.total, *relation.parts)}
    shown = [
        (cell.count, -place, cell.key)
        for place, cell in enumerate(table.cells)
        if cell.key in named and cell.key not in hidden and not cell.structural
    ]
    if not shown:
        raise TableNotReleasable(title=table.title)
    # Totals stand first in a table and, among equal counts, are given up last.
    keys = [key for _, _, key in sorted(shown)]
    narrow = dict(hidden_bounds(table, system, hidden))[exposed]
    widening = (key for key in keys if dict(hidden_bounds(table, system, {*hidden, key}))[exposed] != narrow)
    return next(widening, keys[0])


def _show_again(table: Table, hidden: dict[Key, Reason], min_cell_count: int) -> None:
    """Show each complementary cell, the last hidden first, that later choices made needless."""
    for key in [key for key, reason in reversed(hidden.items()) if reason is Reason.COMPLEMENTARY]:
        fewer = {other for other in hidden if other != key}
        touched = [s for s in table.systems if any(key in (r.total, *r.parts) for r in s)]
        if not any(any(exposed_cells(table, s, fewer, min_cell_count=min_cell_count)) for s in touched):
            del hidden[key]
