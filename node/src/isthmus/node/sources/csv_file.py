"""Reading records from a CSV file with the standard library: any common encoding and delimiter, all problems at once.

The file is read piece by piece; only the columns asked for are kept. What the file is was found by `csv_shape`.
"""

import csv
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from isthmus.contract.errors import BadInput
from isthmus.node.records import PIECE_ROWS, Piece, Records, RecordStream, SourceDescription, read_all
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
    ColumnMissing,
    DelimiterWrong,
    QuoteOpen,
    RaggedRows,
    SourceEmpty,
    raise_problems,
    told_rows,
)
from isthmus.node.sources.header import header_problems
from isthmus.node.sources.rows_seen import FaultyRows, SeenIds

__all__ = ["CsvShape", "inspect_csv", "read_csv", "stream_csv"]

_LONGEST_FIELD: Final = 2**31 - 1
_LINES_OF_A_ROW: Final = 100
"""A row of more lines has an open quote. It, or a row of several lines with an odd number of quotes, would swallow
the records after it unseen."""


@dataclass(slots=True, kw_only=True)
class _Seen:
    """What one pass over the rows of a file has seen so far."""

    ids: SeenIds = field(default_factory=SeenIds)
    ragged: FaultyRows = field(default_factory=FaultyRows)
    damaged: FaultyRows = field(default_factory=FaultyRows)
    blank: int = 0
    records: int = 0

    @property
    def faulty(self) -> bool:
        """Whether a fault is known already."""
        return self.ragged.total > 0 or self.ids.any_blank


class _Gathered:
    """The records of a piece so far: the number of each, and the columns at some places, the ids first."""

    def __init__(self, places: Sequence[int]) -> None:
        self.numbers: list[int] = []
        self.columns: list[tuple[int, list[str]]] = [(place, []) for place in places]

    def noted(self, seen: _Seen) -> list[list[str]]:
        """Note these records as seen and give their columns."""
        columns = [values for _, values in self.columns]
        seen.records += len(self.numbers)
        seen.ids.add(columns[0], self.numbers)
        return columns


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


def _numbered_rows(path: Path, shape: CsvShape, seen: _Seen) -> Iterator[tuple[int, list[str]]]:
    """Rows and their numbers, the header's first; raise `QuoteOpen` where a row's quotes do not close."""
    # The limit is the module's, not the reader's; its default of 128 kB would end a reading at one long remark.
    csv.field_size_limit(_LONGEST_FIELD)
    lines = quotes = lost = 0

    def counted(source: Iterator[str]) -> Iterator[str]:
        nonlocal lines, quotes, lost
        for line in source:
            lines += 1
            quotes += line.count('"')
            lost += "\ufffd" in line
            if lines > _LINES_OF_A_ROW:
                return
            yield line

    with opened(path, shape.encoding) as handle:
        reader = csv.reader(counted(without_nuls(handle)), delimiter=shape.delimiter, skipinitialspace=True)
        for number, row in enumerate(reader, 1):
            if lines > _LINES_OF_A_ROW or (lines > 1 and quotes % 2):
                raise QuoteOpen(row=number)
            if lost:
                seen.damaged.add(number)
            lines = quotes = lost = 0
            yield number, row


def _columns(
    rows: Iterator[tuple[int, list[str]]], places: Sequence[int], width: int, seen: _Seen
) -> Iterator[list[list[str]]]:
    """The columns at `places`, a piece at a time, of rows with `width` values, or more of which the rest is blank."""
    gathered = _Gathered(places)
    for number, row in rows:
        if not any(map(str.strip, row)):
            seen.blank += 1
        elif len(row) < width or any(map(str.strip, row[width:])):
            seen.ragged.add(number)
        else:
            gathered.numbers.append(number)
            for place, values in gathered.columns:
                values.append(row[place].strip())
            if len(gathered.numbers) == PIECE_ROWS:
                yield gathered.noted(seen)
                gathered = _Gathered(places)
    yield gathered.noted(seen)


def _row_problems(path: Path, seen: _Seen) -> list[BadInput]:
    if not seen.records and not seen.ragged.total:
        return [SourceEmpty(source=str(path), problem="it has a header and no rows")]
    problems = seen.ids.problems()
    if seen.ragged.total:
        problems.insert(0, RaggedRows(rows=tuple(seen.ragged.first), total=seen.ragged.total))
    return problems


def _describe(shape: CsvShape, seen: _Seen) -> SourceDescription:
    findings = [
        f"encoding {shape.encoding}: {shape.encoding_reason}",
        f"delimiter {_delimiter_name(shape.delimiter)}: {shape.delimiter_reason}",
        f"header of {len(shape.header)} columns, {seen.records} records",
    ]
    if shape.lost_characters:
        rows = told_rows(seen.damaged.first, seen.damaged.total)
        findings.append(f"{shape.lost_characters} characters do not decode; they are kept as damaged (rows: {rows})")
    if shape.nuls:
        findings.append(f"{shape.nuls} NUL characters were passed over")
    if seen.blank:
        findings.append(f"{seen.blank} blank rows were passed over")
    return SourceDescription(kind="CSV", rows=seen.records, findings=tuple(findings))


def _pieces(
    path: Path, shape: CsvShape, columns: Mapping[str, str], id_column: str
) -> Generator[Piece, None, SourceDescription]:
    seen = _Seen()
    numbered = _numbered_rows(path, shape, seen)
    next(number for number, row in numbered if any(map(str.strip, row)))  # the header
    places = [shape.header.index(name) for name in (id_column, *columns.values())]
    for ids, *values in _columns(numbered, places, len(shape.header), seen):
        if ids and not seen.faulty:
            by_field = dict(zip(columns, values, strict=True))
            yield Piece(record_ids=ids, columns=by_field, expected_rows=shape.line_breaks)
    raise_problems(_row_problems(path, seen))
    return _describe(shape, seen)


def stream_csv(
    path: Path,
    *,
    columns: Mapping[str, str],
    id_column: str,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> RecordStream:
    """The records of a CSV file whose first row that is not blank is a header, in pieces.

    Args:
        path: the file.
        columns: standard field to the file's column name, compared exactly after spaces around it are stripped.
        id_column: the column that holds the source's own id of each record.
        encoding, delimiter: as declared; None to have it detected (`inspect_csv`). The findings of the result tell.

    Raises:
        BadInput: one of `isthmus.node.sources.errors`; `SourceProblems` where there are several. Problems of the header
            are told at once, those of rows by the stream.
    """
    shape = inspect_csv(path, encoding=encoding, delimiter=delimiter)
    asked = dict.fromkeys([id_column, *columns.values()])
    raise_problems(_header_problems(path, shape, list(asked)))
    return RecordStream(_pieces(path, shape, columns, id_column))


def read_csv(
    path: Path,
    *,
    columns: Mapping[str, str],
    id_column: str,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Records:
    """The records of `stream_csv` at once, with its arguments and errors; memory grows with the file."""
    return read_all(stream_csv(path, columns=columns, id_column=id_column, encoding=encoding, delimiter=delimiter))
