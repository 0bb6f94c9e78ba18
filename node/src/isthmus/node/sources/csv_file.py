"""Reading records from a CSV file with the standard library: any common encoding and delimiter, all problems at once.

The file is read piece by piece; only the columns asked for are kept. What the file is was found by `csv_shape`.
"""

import csv
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
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
_BLOCK_CHARACTERS: Final = 2**16
"""So much is taken apart at a time, and stays in a core's cache meanwhile."""

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Block:
    """Some rows of a file, in order, and the number of each."""

    rows: list[list[str]]
    numbers: Sequence[int]

    def part(self, start: int, stop: int | None = None) -> "_Block":
        """The rows at some places."""
        return _Block(rows=self.rows[start:stop], numbers=self.numbers[start:stop])


class _Gathered:
    """The records of a piece so far: the number of each, and the columns at some places, the ids first."""

    def __init__(self, places: Sequence[int]) -> None:
        self.numbers: list[int] = []
        self._columns: list[tuple[int, list[str]]] = [(place, []) for place in places]

    def add(self, records: _Block) -> None:
        """Take in some more records, without the spaces around their values."""
        self.numbers += records.numbers
        for place, values in self._columns:
            values += [row[place].strip() for row in records.rows]

    def noted(self, seen: _Seen) -> list[list[str]]:
        """Note these records as seen and give their columns."""
        columns = [values for _, values in self._columns]
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


def _blocks(path: Path, shape: CsvShape, seen: _Seen) -> Iterator[_Block]:
    """All rows, the header's among them, a block after the other; raise `QuoteOpen` where a row's quotes do not close.

    Most blocks have a line to each row, and are read at once; only where one has not, it is read row by row.
    """
    # The limit is the module's, not the reader's; its default of 128 kB would end a reading at one long remark.
    csv.field_size_limit(_LONGEST_FIELD)
    first = 1
    with opened(path, shape.encoding) as handle:
        while lines := handle.readlines(_BLOCK_CHARACTERS):
            rows = _rows_of_one_line(lines, shape, seen, first=first)
            if rows is None:
                rows = list(_rows_one_by_one(chain(lines, handle), shape, seen, first=first, least_lines=len(lines)))
            yield _Block(rows=rows, numbers=range(first, first + len(rows)))
            first += len(rows)


def _rows_of_one_line(lines: list[str], shape: CsvShape, seen: _Seen, *, first: int) -> list[list[str]] | None:
    """The rows in some lines, or None where one takes several lines, or may go on after the last."""
    text = "".join(lines)
    if "\0" in text:
        lines = list(without_nuls(lines))
    # A row that is open at the end would swallow the empty line, which is a row of its own otherwise.
    rows = list(_reader(chain(lines, ("\n",)), shape))
    if len(rows) != len(lines) + 1:
        return None
    if "\ufffd" in text:
        for number, line in enumerate(lines, first):
            if "\ufffd" in line:
                seen.damaged.add(number)
    return rows[:-1]


def _rows_one_by_one(
    source: Iterable[str], shape: CsvShape, seen: _Seen, *, first: int, least_lines: int
) -> Iterator[list[str]]:
    """The rows in the lines of a source, numbered from `first`, up to the one that ends after `least_lines` or more."""
    taken = lines = quotes = lost = 0

    def counted() -> Iterator[str]:
        nonlocal lines, quotes, lost
        for line in without_nuls(source):
            lines += 1
            quotes += line.count('"')
            lost += "\ufffd" in line
            if lines > _LINES_OF_A_ROW:
                return
            yield line

    for number, row in enumerate(_reader(counted(), shape), first):
        if lines > _LINES_OF_A_ROW or (lines > 1 and quotes % 2):
            raise QuoteOpen(row=number)
        if lost:
            seen.damaged.add(number)
        taken += lines
        lines = quotes = lost = 0
        yield row
        if taken >= least_lines:
            return


def _reader(lines: Iterable[str], shape: CsvShape) -> Iterator[list[str]]:
    return csv.reader(lines, delimiter=shape.delimiter, skipinitialspace=True)


def _without_header(blocks: Iterator[_Block]) -> Iterator[_Block]:
    """The rows after the first that is not blank."""
    for block in blocks:
        for place, row in enumerate(block.rows, 1):
            if any(map(str.strip, row)):
                yield block.part(place)
                yield from blocks
                return


def _records(block: _Block, width: int, id_place: int, seen: _Seen) -> _Block:
    """The rows with `width` values, or more of which the rest is blank; blank and other rows are noted."""
    if set(map(len, block.rows)) == {width} and all(row[id_place].strip() for row in block.rows):
        return block
    sound: list[list[str]] = []
    numbers: list[int] = []
    for number, row in zip(block.numbers, block.rows, strict=True):
        if not any(map(str.strip, row)):
            seen.blank += 1
        elif len(row) < width or any(map(str.strip, row[width:])):
            seen.ragged.add(number)
        else:
            sound.append(row)
            numbers.append(number)
    return _Block(rows=sound, numbers=numbers)


def _columns(path: Path, shape: CsvShape, places: Sequence[int], seen: _Seen) -> Iterator[list[list[str]]]:
    """The columns at `places` of all records, a piece at a time; the last may be empty."""
    gathered = _Gathered(places)
    for block in _without_header(_blocks(path, shape, seen)):
        start = 0
        while start < len(block.rows):
            # A piece is given before any row after it is looked at: what is wrong there is no fault of the piece.
            stop = start + PIECE_ROWS - len(gathered.numbers)
            gathered.add(_records(block.part(start, stop), len(shape.header), places[0], seen))
            start = stop
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
    places = [shape.header.index(name) for name in (id_column, *columns.values())]
    for ids, *values in _columns(path, shape, places, seen):
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
