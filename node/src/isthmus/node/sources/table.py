"""A source seen as a table: a header, and rows in batches. From it come records, or a sample of every column.

Excel, Parquet and databases open as a `Table`; what is asked of ids, columns and values is asked here once for all.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from isthmus.contract.errors import BadInput
from isthmus.contract.standard_fields import STANDARD_FIELDS, FieldKind
from isthmus.node.records import Records, SourceDescription
from isthmus.node.sources.errors import (
    ROWS_SHOWN,
    BlankIds,
    DuplicateIds,
    SourceEmpty,
    ValueUnsupported,
    raise_problems,
)
from isthmus.node.sources.header import header_problems
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

    `batches` gives the columns at some places of the header, a batch after the other, once. Rows that it leaves out are
    blank. Where `header_is_doubtful`, the header may be a record, and no message shows it.
    """

    kind: str
    name: str
    header: tuple[str, ...]
    header_is_doubtful: bool
    findings: tuple[str, ...]
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
class _Kept:
    """What is kept of one column: texts, how many were numbers, and the kinds without text in order of appearance."""

    name: str
    standard_field: str | None
    texts: list[str] = field(default_factory=list)
    numbers: int = 0
    refused: dict[str, None] = field(default_factory=dict)

    def add(self, values: Sequence[object]) -> None:
        """Keep the text of some more values."""
        text = column_text(values)
        self.texts += text.texts
        self.numbers += text.numbers
        self.refused |= dict.fromkeys(text.refused)


def id_problems(ids: Sequence[str], numbers: Sequence[int]) -> list[BadInput]:
    """Tell the rows whose id is blank, and those whose id an earlier row has."""
    seen: set[str] = set()
    blank: list[int] = []
    repeated: list[int] = []
    for record_id, number in zip(ids, numbers, strict=True):
        if not record_id:
            blank.append(number)
        elif record_id in seen:
            repeated.append(number)
        seen.add(record_id)
    problems: list[BadInput] = []
    if blank:
        problems.append(BlankIds(rows=tuple(blank[:ROWS_SHOWN]), total=len(blank)))
    if repeated:
        problems.append(DuplicateIds(rows=tuple(repeated[:ROWS_SHOWN]), total=len(repeated)))
    return problems


def _value_problems(kept: Sequence[_Kept]) -> list[BadInput]:
    refused = {column.name: ", ".join(column.refused) for column in kept if column.refused}
    return [ValueUnsupported(columns=tuple(refused), kinds=tuple(refused.values()))] if refused else []


def _zeros_may_be_lost(column: _Kept) -> bool:
    """Say whether leading zeros matter in a column, the ids' included, and numbers stand in it."""
    matter = column.standard_field is None or STANDARD_FIELDS.get(column.standard_field) is FieldKind.DIGITS
    return matter and column.numbers > 0


def _zero_findings(kept: Sequence[_Kept]) -> list[str]:
    return [
        f'column "{column.name}" holds {column.numbers} numbers; leading zeros that they had, as a code may, are lost'
        for column in kept
        if _zeros_may_be_lost(column)
    ]


def _describe(table: Table, kept: Sequence[_Kept], numbers: Sequence[int]) -> SourceDescription:
    blank = numbers[-1] - numbers[0] + 1 - len(numbers)
    findings = [
        *table.findings,
        f"header of {len(table.header)} columns, {len(numbers)} records",
        *([f"{blank} blank rows were passed over"] if blank else []),
        *_zero_findings(kept),
    ]
    return SourceDescription(kind=table.kind, rows=len(numbers), findings=tuple(findings))


def read_table(table: Table, *, columns: Mapping[str, str], id_column: str) -> Records:
    """The records of an open table.

    Args:
        table: the open source; it is read to its end.
        columns: standard field to the source's column name, compared exactly after spaces around it are stripped.
        id_column: the column that holds the source's own id of each record.

    Raises:
        ColumnMissing, HeaderDuplicate: told before the rows are read.
        SourceEmpty, BlankIds, DuplicateIds, ValueUnsupported: after it; `SourceProblems` where there are several.
    """
    asked = [id_column, *columns.values()]
    raise_problems(header_problems(table.header, asked, doubtful=table.header_is_doubtful))
    kept = [_Kept(name=name, standard_field=one) for name, one in zip(asked, [None, *columns], strict=True)]
    numbers: list[int] = []
    for batch in table.batches([table.header.index(name) for name in asked]):
        numbers += batch.numbers
        for column, values in zip(kept, batch.columns, strict=True):
            column.add(values)
    if not numbers:
        raise SourceEmpty(source=table.name, problem="it has a header and no rows")
    raise_problems([*_value_problems(kept), *id_problems(kept[0].texts, numbers)])
    return Records(
        record_ids=kept[0].texts,
        columns={name: column.texts for name, column in zip(columns, kept[1:], strict=True)},
        source=_describe(table, kept, numbers),
    )


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
