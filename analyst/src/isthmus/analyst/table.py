"""A released table as an analyst holds it. A hidden count is `None` with a reason; it is never zero."""

import csv
import io
from typing import Final

import msgspec

from isthmus.contract.errors import MalformedDocument, UnsupportedVersion

FORMAT: Final = "isthmus/released-table/1"


class Cell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One cell: its key, one word a dimension; its count, or none and the reason why it is hidden."""

    key: tuple[str, ...]
    count: int | None
    reason: str | None


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A released table. `rules` say in sentences what was done to it; no count below `min_cell_count` is shown."""

    format: str
    title: str
    dimensions: tuple[str, ...]
    rows: tuple[Cell, ...]
    rules: tuple[str, ...]
    min_cell_count: int

    def to_csv(self) -> str:
        """Give the table as CSV: a hidden count is an empty field with its reason beside it."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*self.dimensions, "count", "hidden_because"])
        for cell in self.rows:
            writer.writerow([*cell.key, "" if cell.count is None else cell.count, cell.reason or ""])
        return text.getvalue()

    def to_text(self) -> str:
        """Give the table for a terminal, with the rules below it."""
        shown = [[*cell.key, "hidden" if cell.count is None else f"{cell.count:,}"] for cell in self.rows]
        header = [*self.dimensions, "count"]
        widths = [max(len(row[place]) for row in [header, *shown]) for place in range(len(header))]
        lines = [self.title, "", _line(header, widths), "  ".join("-" * width for width in widths)]
        lines += [_line(row, widths) for row in shown]
        return "\n".join([*lines, "", *self.rules])


def table_from_bytes(data: bytes) -> Table:
    """Read a released table's canonical bytes.

    Raises:
        UnsupportedVersion: the table is of a format that this program does not know.
        MalformedDocument: it is none.
    """
    try:
        table = msgspec.json.decode(data, type=Table)
    except msgspec.MsgspecError as exc:
        raise MalformedDocument(document="released table", problem="it is not of the released-table format") from exc
    if table.format != FORMAT:
        raise UnsupportedVersion(document="released table", version=table.format[:60])
    return table


def _line(row: list[str], widths: list[int]) -> str:
    *words, count = row
    padded = [word.ljust(width) for word, width in zip(words, widths, strict=False)]
    return "  ".join([*padded, count.rjust(widths[-1])])
