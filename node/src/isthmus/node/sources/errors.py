"""Errors of sources: a file or table that cannot be read as records.

    BadInput
    ├── SourceMissing · SourceDamaged · SourceEmpty · SourceKindUnknown · EncodingUnknown · DelimiterInvalid
    ├── SheetMissing · SheetUndeclared · HeaderRowWrong
    ├── ColumnMissing · HeaderDuplicate · DelimiterWrong
    ├── QuoteOpen · RaggedRows · BlankIds · DuplicateIds · ValueUnsupported
    ├── DriverMissing · QueryRefused · QueryFailed · ConnectionFailed
    └── SourceProblems       several of these, found in one reading

Rows of CSV and Excel files are numbered as a spreadsheet shows them: the header is row 1. Rows of a Parquet file and of
a query are numbered from 1, in the order in which they came. A record whose value holds a line break is one row.
No message holds a value of a record, nor anything that a database or its driver said: those quote values, accounts and
hosts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final

from isthmus.contract.errors import BAD_INPUT, UNREACHABLE, BadInput, ErrorSpec

ROWS_SHOWN: Final = 20
"""Most row numbers that a message lists."""


def _spec(sentence: str, remedy: str) -> ErrorSpec:
    return ErrorSpec(status="INVALID_ARGUMENT", http=400, exit_code=BAD_INPUT, sentence=sentence, remedy=remedy)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def told_rows(rows: Sequence[int], total: int) -> str:
    """Give row numbers for a sentence, where `rows` are the first of `total`."""
    more = total - len(rows)
    return ", ".join(map(str, rows)) + (f" and {more} more" if more else "")


@dataclass(eq=False, kw_only=True)
class SourceMissing(BadInput):
    """There is no such file, or it cannot be opened."""

    code: ClassVar[str] = "source-missing"
    spec: ClassVar[ErrorSpec] = _spec(
        "the source {source} cannot be opened: {problem}",
        "check the path, and that the account which runs the node may read it",
    )
    source: str
    problem: str


@dataclass(eq=False, kw_only=True)
class SourceDamaged(BadInput):
    """A file opens and cannot be read to its end. What its reader said may quote values, so it is not told."""

    code: ClassVar[str] = "source-damaged"
    spec: ClassVar[ErrorSpec] = _spec(
        "the source {source} cannot be read to its end: {problem}",
        "copy or export it again; if its own program opens it, save it from there as CSV",
    )
    source: str
    problem: str


@dataclass(eq=False, kw_only=True)
class SourceEmpty(BadInput):
    """The source holds no records."""

    code: ClassVar[str] = "source-empty"
    spec: ClassVar[ErrorSpec] = _spec(
        "the source {source} holds no records: {problem}", "export it again and look at it before trying again"
    )
    source: str
    problem: str


@dataclass(eq=False, kw_only=True)
class EncodingUnknown(BadInput):
    """The declared character encoding is not one that this program knows."""

    code: ClassVar[str] = "encoding-unknown"
    spec: ClassVar[ErrorSpec] = _spec(
        'there is no character encoding "{encoding}"',
        "use utf-8, utf-16 or cp1252, or leave the setting out to have it detected",
    )
    encoding: str


@dataclass(eq=False, kw_only=True)
class DelimiterInvalid(BadInput):
    """The declared delimiter cannot be one."""

    code: ClassVar[str] = "delimiter-invalid"
    spec: ClassVar[ErrorSpec] = _spec(
        "a delimiter is one character, and not a quote, a space or a line break",
        "use a comma, a semicolon, a tab or a vertical bar, or leave the setting out to have it detected",
    )


@dataclass(eq=False, kw_only=True)
class ColumnMissing(BadInput):
    """Columns that were asked for are not in the header.

    `header` is empty where the first row may itself be a record, and is then not shown.
    """

    code: ClassVar[str] = "column-missing"
    spec: ClassVar[ErrorSpec] = _spec(
        "the header has no column {columns}; {header}", "correct the column names of this source in the configuration"
    )
    columns: tuple[str, ...]
    header: tuple[str, ...]

    def fields(self) -> dict[str, str]:
        """Give the fields as they are shown."""
        shown = (
            f"it has {_listed(self.header)}"
            if self.header
            else "its names are not shown here, since the first row may be a record and not a header"
        )
        return {"columns": _listed(self.columns), "header": shown}


@dataclass(eq=False, kw_only=True)
class HeaderDuplicate(BadInput):
    """A column that was asked for is there more than once."""

    code: ClassVar[str] = "header-duplicate"
    spec: ClassVar[ErrorSpec] = _spec(
        "the header has more than one column {columns}", "rename or remove the columns that are not meant"
    )
    columns: tuple[str, ...]

    def fields(self) -> dict[str, str]:
        """Give the fields as they are shown."""
        return {"columns": _listed(self.columns)}


@dataclass(eq=False, kw_only=True)
class DelimiterWrong(BadInput):
    """The header is one column under the declared delimiter, and the asked columns under another."""

    code: ClassVar[str] = "delimiter-wrong"
    spec: ClassVar[ErrorSpec] = _spec(
        "under the delimiter {declared} the header is a single column; under {better} it has the columns asked for",
        "set the delimiter to {better}, or leave the setting out to have it detected",
    )
    declared: str
    better: str


@dataclass(eq=False, kw_only=True)
class _RowsError(BadInput):
    """Rows with one fault: `rows` are the first `ROWS_SHOWN` of their numbers, `total` counts all."""

    rows: tuple[int, ...]
    total: int

    def fields(self) -> dict[str, str]:
        """Give the fields as they are shown."""
        return {"rows": told_rows(self.rows, self.total), "total": str(self.total)}


@dataclass(eq=False, kw_only=True)
class RaggedRows(_RowsError):
    """Rows with more or fewer values than the header has columns."""

    code: ClassVar[str] = "ragged-rows"
    spec: ClassVar[ErrorSpec] = _spec(
        "rows with more or fewer values than the header has columns: {rows}",
        "look for delimiters or quotes inside values, and export the source again with values in quotes",
    )


@dataclass(eq=False, kw_only=True)
class BlankIds(_RowsError):
    """Rows without an id."""

    code: ClassVar[str] = "blank-ids"
    spec: ClassVar[ErrorSpec] = _spec(
        "rows without a value in the id column: {rows}", "give every record an id, or name another id column"
    )


@dataclass(eq=False, kw_only=True)
class DuplicateIds(_RowsError):
    """Rows whose id an earlier row has already."""

    code: ClassVar[str] = "duplicate-ids"
    spec: ClassVar[ErrorSpec] = _spec(
        "rows with an id that an earlier row has: {rows}", "keep one row a record, or name another id column"
    )


@dataclass(eq=False, kw_only=True)
class QuoteOpen(BadInput):
    """A row of several lines whose quotes do not close, or only after very many lines."""

    code: ClassVar[str] = "quote-open"
    spec: ClassVar[ErrorSpec] = _spec(
        "row {row} opens a quote that is not closed where it should be",
        "close or remove the quote there; the rows after it could not be told apart",
    )
    row: int


@dataclass(eq=False, kw_only=True)
class SourceKindUnknown(BadInput):
    """Nothing says how a file is to be read."""

    code: ClassVar[str] = "source-kind-unknown"
    spec: ClassVar[ErrorSpec] = _spec(
        "the ending of {source} does not tell what kind of source it is",
        "set kind to csv, excel or parquet, or to postgres, sqlserver or odbc with a query",
    )
    source: str


@dataclass(eq=False, kw_only=True)
class SheetMissing(BadInput):
    """The workbook has no sheet of the declared name. `sheets` are the names of those it has."""

    code: ClassVar[str] = "sheet-missing"
    spec: ClassVar[ErrorSpec] = _spec(
        'the workbook has no sheet "{sheet}"; it has {sheets}', "correct the sheet of this source in the configuration"
    )
    sheet: str
    sheets: tuple[str, ...]

    def fields(self) -> dict[str, str]:
        """Give the fields as they are shown."""
        return {"sheet": self.sheet, "sheets": _listed(self.sheets)}


@dataclass(eq=False, kw_only=True)
class SheetUndeclared(BadInput):
    """The workbook has several sheets that are not empty, and none is declared."""

    code: ClassVar[str] = "sheet-undeclared"
    spec: ClassVar[ErrorSpec] = _spec(
        "the workbook has more than one sheet with something in it: {sheets}",
        "name one of them as the sheet of this source",
    )
    sheets: tuple[str, ...]

    def fields(self) -> dict[str, str]:
        """Give the fields as they are shown."""
        return {"sheets": _listed(self.sheets)}


@dataclass(eq=False, kw_only=True)
class HeaderRowWrong(BadInput):
    """The columns asked for are not in the row taken as header, and all in another row."""

    code: ClassVar[str] = "header-row-wrong"
    spec: ClassVar[ErrorSpec] = _spec(
        "row {taken} was read as the header, and row {better} has the columns asked for",
        "set header_row to {better}, or remove the rows above it",
    )
    taken: int
    better: int


@dataclass(eq=False, kw_only=True)
class ValueUnsupported(BadInput):
    """Columns hold values that are no text: bytes, durations, lists. `columns` and `kinds` go side by side."""

    code: ClassVar[str] = "value-unsupported"
    spec: ClassVar[ErrorSpec] = _spec(
        "columns hold values that have no text form: {columns}", "have the source give them as text, numbers or dates"
    )
    columns: tuple[str, ...]
    kinds: tuple[str, ...]

    def fields(self) -> dict[str, str]:
        """Give the fields as they are shown."""
        pairs = zip(self.columns, self.kinds, strict=True)
        return {"columns": ", ".join(f'"{column}" ({kind})' for column, kind in pairs), "kinds": ", ".join(self.kinds)}


@dataclass(eq=False, kw_only=True)
class DriverMissing(BadInput):
    """The program that reads this kind of source is not installed."""

    code: ClassVar[str] = "driver-missing"
    spec: ClassVar[ErrorSpec] = _spec(
        "a source of kind {kind} is read with {package}, which is not installed here or does not start",
        'install it with: pip install "isthmus-node[{extra}]"',
    )
    kind: str
    package: str
    extra: str


@dataclass(eq=False, kw_only=True)
class QueryRefused(BadInput):
    """A query is not one plain SELECT."""

    code: ClassVar[str] = "query-refused"
    spec: ClassVar[ErrorSpec] = _spec(
        "the query is not run: {problem}", "write one plain SELECT; make a view in the database for anything more"
    )
    problem: str


@dataclass(eq=False, kw_only=True)
class QueryFailed(BadInput):
    """The database did not carry the query out. What it said may quote values, so only its code is told."""

    code: ClassVar[str] = "query-failed"
    spec: ClassVar[ErrorSpec] = _spec(
        "the database did not answer the query: {problem}",
        "try the query in the database's own program with the account that the node uses",
    )
    problem: str


@dataclass(eq=False, kw_only=True)
class ConnectionFailed(BadInput):
    """No connection to the database. What the driver said may hold the account and the host, so it is not told."""

    code: ClassVar[str] = "connection-failed"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="UNAVAILABLE",
        http=503,
        exit_code=UNREACHABLE,
        sentence="no connection to the {kind} database: {problem}",
        remedy="check the connection string from {setting}, the network, and that the account may log in",
    )
    kind: str
    problem: str
    setting: str


@dataclass(eq=False, kw_only=True)
class SourceProblems(BadInput):
    """Several problems that one reading of a source found."""

    code: ClassVar[str] = "source-problems"
    spec: ClassVar[ErrorSpec] = _spec(
        "the source has {count} problems: {problems}", "correct them all, then read again"
    )
    problems: tuple[BadInput, ...]

    def fields(self) -> dict[str, str]:
        """Give the fields as they are shown."""
        told = " | ".join(f"({number}) {problem}" for number, problem in enumerate(self.problems, 1))
        return {"count": str(len(self.problems)), "problems": told}


def raise_problems(problems: Sequence[BadInput]) -> None:
    """Raise nothing, the one problem, or `SourceProblems` that holds them all."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise SourceProblems(problems=tuple(problems))
