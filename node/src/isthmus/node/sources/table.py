"""A source seen as a table: a header, and rows in batches. From it come records in pieces, or a sample of every column.

Excel, Parquet and databases open as a `Table`; what is asked of ids, columns and values is asked here once for all.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final

from isthmus.contract.errors import BadInput
from isthmus.contract.standard_fields import STANDARD_FIELDS, FieldKind
from isthmus.node.records import Piece, RecordStream, SourceDescription
from isthmus.node.sources.errors import SourceEmpty, ValueUnsupported, raise_problems
from isthmus.node.sources.header import header_problems
from isthmus.node.sources.rows_seen import SeenIds
from isthmus.node.sources.values import column_text

BATCH_ROWS: Final = 10_000
"""Rows that are held as the source's own values at a time; what is kept of them is text."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Some rows of a table: the number of each, and of each wanted column one value a row, as the source holds it."""

    numbers: Sequence[int]
    columns: Sequence[Sequence[object]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """An open source: `kind` and `name` as people see them, the header, and its rows.

    `expected_rows` is how many there may be, 0 where the source does not tell. `batches` gives the columns at some
    places of the header, a batch after the other, once, none of them empty or over `PIECE_ROWS`. Rows that it leaves
    out are blank. Where `header_is_doubtful`, the header may be a record, and no message shows it.
    """

    kind: str
    name: str
    header: tuple[str, ...]
    header_is_doubtful: bool
    findings: tuple[str, ...]
    expected_rows: int
    batches: Callable[[Sequence[int]], Iterator[Batch]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sample:
    """The first rows of a source: for each column of the header the text of its values, in order."""

    kind: str
    header: tuple[str, ...]
    header_is_doubtful: bool
    findings: tuple[str, ...]
    columns: tuple[list[str], ...]


@dataclass(slots=True, kw_only=True)
class _Column:
    """What is remembered of one column: how many numbers stood in it, and kinds without text in order of appearance."""

    name: str
    standard_field: str | None
    numbers: int = 0
    refused: dict[str, None] = field(default_factory=dict)

    def texts(self, values: Sequence[object]) -> list[str]:
        """Give the text of some more values."""
        text = column_text(values)
        self.numbers += text.numbers
        self.refused |= dict.fromkeys(text.refused)
        return text.texts

    @property
    def zeros_may_be_lost(self) -> bool:
        """Whether leading zeros matter in this column, the ids' included, and numbers stood in it."""
        digits = self.standard_field is None or STANDARD_FIELDS.get(self.standard_field) is FieldKind.DIGITS
        return digits and self.numbers > 0


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What one pass over a table has seen so far."""

    columns: list[_Column]
    ids: SeenIds = field(default_factory=SeenIds)
    records: int = 0
    blank: int = 0
    last: int | None = None

    def take(self, batch: Batch) -> list[list[str]]:
        """Note a batch and give the text of its columns."""
        before = batch.numbers[0] - 1 if self.last is None else self.last
        self.last = batch.numbers[-1]
        self.records += len(batch.numbers)
        self.blank += self.last - before - len(batch.numbers)
        texts = [column.texts(values) for column, values in zip(self.columns, batch.columns, strict=True)]
        self.ids.add(texts[0], batch.numbers)
        return texts

    @property
    def faulty(self) -> bool:
        """Whether a fault is known already."""
        return self.ids.any_blank or any(column.refused for column in self.columns)

    def problems(self) -> list[BadInput]:
        """Tell all that is wrong with the rows."""
        refused = {column.name: ", ".join(column.refused) for column in self.columns if column.refused}
        without_text = [ValueUnsupported(columns=tuple(refused), kinds=tuple(refused.values()))] if refused else []
        return [*without_text, *self.ids.problems()]


def stream_table(opening: AbstractContextManager[Table], *, columns: Mapping[str, str], id_column: str) -> RecordStream:
    """The records of a table, in pieces of one batch; it is opened when the first is asked for.

    Args:
        opening: opens the source, with errors of its own.
        columns: standard field to the source's column name, compared exactly after spaces around it are stripped.
        id_column: the column that holds the source's own id of each record.

    The stream raises:
        ColumnMissing, HeaderDuplicate: before the first piece.
        SourceEmpty, BlankIds, DuplicateIds, ValueUnsupported: after the last; `SourceProblems` where there are several.
    """
    return RecordStream(_pieces(opening, columns, id_column))


def _pieces(
    opening: AbstractContextManager[Table], columns: Mapping[str, str], id_column: str
) -> Generator[Piece, None, SourceDescription]:
    asked = [id_column, *columns.values()]
    seen = _Seen(
        columns=[_Column(name=name, standard_field=one) for name, one in zip(asked, [None, *columns], strict=True)]
    )
    with opening as table:
        raise_problems(header_problems(table.header, asked, doubtful=table.header_is_doubtful))
        for batch in table.batches([table.header.index(name) for name in asked]):
            ids, *values = seen.take(batch)
            if not seen.faulty:
                by_field = dict(zip(columns, values, strict=True))
                yield Piece(record_ids=ids, columns=by_field, expected_rows=table.expected_rows)
    if not seen.records:
        raise SourceEmpty(source=table.name, problem="it has a header and no rows")
    raise_problems(seen.problems())
    return _describe(table, seen)


def _describe(table: Table, seen: _Seen) -> SourceDescription:
    findings = [
        *table.findings,
        f"header of {len(table.header)} columns, {seen.records} records",
        *([f"{seen.blank} blank rows were passed over"] if seen.blank else []),
    ]
    findings += [
        f'column "{column.name}" holds {column.numbers} numbers; leading zeros that they had, as a code may, are lost'
        for column in seen.columns
        if column.zeros_may_be_lost
    ]
    return SourceDescription(kind=table.kind, rows=seen.records, findings=tuple(findings))


def sample_table(table: Table, *, rows: int) -> Sample:
    """The first rows of an open table, all columns; a value without text form is empty."""
    texts: tuple[list[str], ...] = tuple([] for _ in table.header)
    left = rows
    for batch in table.batches(range(len(table.header))):
        for column, values in zip(texts, batch.columns, strict=True):
            column.extend(column_text(values[:left]).texts)
        left -= len(batch.numbers)
        if left <= 0:
            break
    return Sample(
        kind=table.kind,
        header=table.header,
        header_is_doubtful=table.header_is_doubtful,
        findings=table.findings,
        columns=texts,
    )
