"""Reading records from a CSV file with the standard library: any common encoding and delimiter, all problems at once.

The file is streamed; only the columns asked for are kept. What the file is was found by `csv_shape`.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from isthmus.contract.errors import BadInput
from isthmus.node.records import Records, SourceDescription
from isthmus.node.sources.csv_shape import (
    DELIMITERS,
    CsvShape,
    header_lines,
    inspect_csv,
    opened,
    split_header,
    without_nuls,
)
from isthmus.node.sources.errors import (
    ROWS_SHOWN,
    ColumnMissing,
    DelimiterWrong,
    QuoteOpen,
    RaggedRows,
    SourceEmpty,
    raise_problems,
)
from isthmus.node.sources.header import header_problems
from isthmus.node.sources.table import id_problems

__all__ = ["CsvShape", "inspect_csv", "read_csv"]

_LONGEST_FIELD: Final = 2**31 - 1
_LINES_OF_A_ROW: Final = 100
"""A row of more lines has an open quote. It, or a row of several lines with an odd number of quotes, would swallow
the records after it unseen."""


@dataclass(slots=True, kw_only=True)
class _Rows:
    """What one pass over a file has gathered; a list in `kept` a wanted column, the id first."""

    kept: list[list[str]]
    ragged: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    blank: int = 0


def _delimiter_name(delimiter: str) -> str:
    return DELIMITERS.get(delimiter, f'"{delimiter}"')


def _better_delimiter(path: Path, shape: CsvShape, asked: Sequence[str]) -> str | None:
    """A delimiter under which the header has all columns asked for, where under the shape's it is one column."""
    if len(shape.header) > 1:
        return None
    lines = header_lines(path, shape)
    others = (other for other in DELIMITERS if other != shape.delimiter)
    return next((other for other in others if set(asked) <= set(split_header(lines, other))), None)


def _header_problems(path: Path, shape: CsvShape, asked: Sequence[str]) -> list[BadInput]:
    problems = header_problems(shape.header, asked, doubtful=shape.header_is_doubtful)
    if any(isinstance(problem, ColumnMissing) for problem in problems):
        better = _better_delimiter(path, shape, asked)
        if better is not None:
            return [DelimiterWrong(declared=_delimiter_name(shape.delimiter), better=_delimiter_name(better))]
    return problems


def _numbered_rows(path: Path, shape: CsvShape) -> Iterator[tuple[int, list[str]]]:
    """Rows and their numbers, the header's first; raise `QuoteOpen` where a row's quotes do not close."""
    # The limit is the module's, not the reader's; its default of 128 kB would end a reading at one long remark.
    csv.field_size_limit(_LONGEST_FIELD)
    lines = quotes = 0

    def counted(source: Iterator[str]) -> Iterator[str]:
        nonlocal lines, quotes
        for line in source:
            lines += 1
            quotes += line.count('"')
            if lines > _LINES_OF_A_ROW:
                return
            yield line

    with opened(path, shape.encoding) as handle:
        reader = csv.reader(counted(without_nuls(handle)), delimiter=shape.delimiter, skipinitialspace=True)
        for number, row in enumerate(reader, 1):
            if lines > _LINES_OF_A_ROW or (lines > 1 and quotes % 2):
                raise QuoteOpen(row=number)
            lines = quotes = 0
            yield number, row


def _gather(rows: Iterator[tuple[int, list[str]]], places: Sequence[int], width: int) -> _Rows:
    """The columns at `places` of rows that have `width` values, or more of which the rest is blank."""
    gathered = _Rows(kept=[[] for _ in places])
    targets = list(zip(places, gathered.kept, strict=True))
    for number, row in rows:
        if not any(map(str.strip, row)):
            gathered.blank += 1
        elif len(row) < width or any(map(str.strip, row[width:])):
            gathered.ragged.append(number)
        else:
            gathered.numbers.append(number)
            for place, values in targets:
                values.append(row[place].strip())
    return gathered


def _row_problems(path: Path, rows: _Rows) -> list[BadInput]:
    if not rows.numbers and not rows.ragged:
        return [SourceEmpty(source=str(path), problem="it has a header and no rows")]
    problems = id_problems(rows.kept[0], rows.numbers)
    if rows.ragged:
        problems.insert(0, RaggedRows(rows=tuple(rows.ragged[:ROWS_SHOWN]), total=len(rows.ragged)))
    return problems


def _describe(shape: CsvShape, rows: _Rows) -> SourceDescription:
    findings = [
        f"encoding {shape.encoding}: {shape.encoding_reason}",
        f"delimiter {_delimiter_name(shape.delimiter)}: {shape.delimiter_reason}",
        f"header of {len(shape.header)} columns, {len(rows.numbers)} records",
    ]
    if shape.lost_characters:
        findings.append(f"{shape.lost_characters} characters do not decode; they are kept as damaged")
    if shape.nuls:
        findings.append(f"{shape.nuls} NUL characters were passed over")
    if rows.blank:
        findings.append(f"{rows.blank} blank rows were passed over")
    return SourceDescription(kind="CSV", rows=len(rows.numbers), findings=tuple(findings))


def read_csv(
    path: Path,
    *,
    columns: Mapping[str, str],
    id_column: str,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Records:
    """The records of a CSV file whose first row that is not blank is a header.

    Args:
        path: the file.
        columns: standard field to the file's column name, compared exactly after spaces around it are stripped.
        id_column: the column that holds the source's own id of each record.
        encoding, delimiter: as declared; None to have it detected (`inspect_csv`). The findings of the result tell.

    Raises:
        BadInput: one of `isthmus.node.sources.errors`; `SourceProblems` where there are several. Problems of the header
            are told before the rows are read.
    """
    shape = inspect_csv(path, encoding=encoding, delimiter=delimiter)
    asked = [id_column, *columns.values()]
    raise_problems(_header_problems(path, shape, list(dict.fromkeys(asked))))
    numbered = _numbered_rows(path, shape)
    next(number for number, row in numbered if any(map(str.strip, row)))  # the header
    rows = _gather(numbered, [shape.header.index(name) for name in asked], len(shape.header))
    raise_problems(_row_problems(path, rows))
    ids, *kept = rows.kept
    return Records(record_ids=ids, columns=dict(zip(columns, kept, strict=True)), source=_describe(shape, rows))
