"""One way into every source: what a data set's settings say is opened, and read in pieces or by its first rows.

The kind of a source is declared or follows from its file's ending. A connection string comes from an environment
variable or a file that the settings name; the settings never hold one.
"""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from isthmus.contract.secret import Secret
from isthmus.node.records import RecordStream
from isthmus.node.sources.apart import FileRequest, open_apart
from isthmus.node.sources.csv_file import stream_csv
from isthmus.node.sources.csv_shape import CsvShape, inspect_csv, opened, without_nuls
from isthmus.node.sources.errors import SourceKindUnknown
from isthmus.node.sources.sql_query import Query, open_query
from isthmus.node.sources.table import Sample, Table, sample_table, stream_table
from isthmus.party.errors import SettingsInvalid

SETTINGS_FILE: Final = "node.toml"


class SourceKind(StrEnum):
    """What a source is."""

    CSV = "csv"
    EXCEL = "excel"
    PARQUET = "parquet"
    POSTGRES = "postgres"
    SQLSERVER = "sqlserver"
    ODBC = "odbc"


QUERIED: Final = frozenset({SourceKind.POSTGRES, SourceKind.SQLSERVER, SourceKind.ODBC})
_KIND_OF_ENDING: Final = {
    **dict.fromkeys((".csv", ".tsv", ".tab", ".txt", ".psv"), SourceKind.CSV),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), SourceKind.EXCEL),
    **dict.fromkeys((".parquet", ".pq"), SourceKind.PARQUET),
}


class SourceSettings(Protocol):
    """What the settings of a data set say about its source. Text that is empty, and a row 0, are not declared.

    `file` and `connection_file` are relative to the node's folder. `encoding` and `delimiter` are for CSV; `sheet` and
    `header_row`, from 1, for Excel; `query`, with `connection_env` or `connection_file`, for databases.
    """

    @property
    def kind(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def id_column(self) -> str: ...
    @property
    def columns(self) -> Mapping[str, str]: ...
    @property
    def encoding(self) -> str: ...
    @property
    def delimiter(self) -> str: ...
    @property
    def sheet(self) -> str: ...
    @property
    def header_row(self) -> int: ...
    @property
    def query(self) -> str: ...
    @property
    def connection_env(self) -> str: ...
    @property
    def connection_file(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Source settings of their own, for a source that no settings file names yet."""

    kind: str = ""
    file: str = ""
    id_column: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    header_row: int = 0
    query: str = ""
    connection_env: str = ""
    connection_file: str = ""


def open_source(
    folder: Path,
    dataset: SourceSettings,
    *,
    fields: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
) -> RecordStream:
    """The records of a data set, in pieces.

    Args:
        folder: the node's folder, to which the settings' files are relative.
        dataset: the settings.
        fields: standard fields to read, each mapped by the settings; None for all of them. No other column is read.
        environ: where `connection_env` is looked up; None for the process's environment.

    Raises:
        SettingsInvalid: the settings do not say how to reach the source.
        BadInput: one of `isthmus.node.sources.errors`; `SourceProblems` where there are several. The stream raises them
            too: those of the rows after the last one, those of a database or a workbook when it is opened.
    """
    columns = {name: dataset.columns[name] for name in (dataset.columns if fields is None else fields)}
    if source_kind(dataset) is SourceKind.CSV:
        encoding, delimiter = dataset.encoding or None, dataset.delimiter or None
        path = folder / dataset.file
        return stream_csv(path, columns=columns, id_column=dataset.id_column, encoding=encoding, delimiter=delimiter)
    opening = _opened_table(folder, dataset, [dataset.id_column, *columns.values()], environ)
    return stream_table(opening, columns=columns, id_column=dataset.id_column)


def sample_source(
    folder: Path, dataset: SourceSettings, *, rows: int, environ: Mapping[str, str] | None = None
) -> Sample:
    """The first rows of a data set, all columns of them; arguments and errors as of `open_source`."""
    if source_kind(dataset) is SourceKind.CSV:
        path = folder / dataset.file
        shape = inspect_csv(path, encoding=dataset.encoding or None, delimiter=dataset.delimiter or None)
        return _sample_csv(path, shape, rows)
    asked = [name for name in (dataset.id_column, *dataset.columns.values()) if name]
    with _opened_table(folder, dataset, asked, environ) as table:
        return sample_table(table, rows=rows)


def source_kind(dataset: SourceSettings) -> SourceKind:
    """The declared kind of a data set's source, or that of its file's ending.

    Raises:
        SettingsInvalid: the kind is none that there is, or what it needs is not declared.
        SourceKindUnknown: the ending tells nothing.
    """
    if dataset.kind and dataset.kind not in set(SourceKind):
        raise _invalid(f"kind is none of {', '.join(SourceKind)}")
    declared = SourceKind(dataset.kind) if dataset.kind else None
    found = declared or _KIND_OF_ENDING.get(Path(dataset.file).suffix.lower())
    needed = "query" if found in QUERIED else "file"
    if not (dataset.query if found in QUERIED else dataset.file):
        raise _invalid(f"{needed} is not declared")
    if found is None:
        raise SourceKindUnknown(source=dataset.file)
    return found


def _invalid(problem: str) -> SettingsInvalid:
    return SettingsInvalid(file=SETTINGS_FILE, problem=f"of a data set, {problem}")


def _opened_table(
    folder: Path, dataset: SourceSettings, asked: Sequence[str], environ: Mapping[str, str] | None
) -> AbstractContextManager[Table]:
    kind = source_kind(dataset)
    if kind in QUERIED:
        return open_query(_query(folder, dataset, kind, os.environ if environ is None else environ))
    path = folder / dataset.file
    sheet, header_row = dataset.sheet or None, dataset.header_row or None
    return open_apart(FileRequest(kind=kind.value, path=path, sheet=sheet, header_row=header_row, asked=tuple(asked)))


def _query(folder: Path, dataset: SourceSettings, kind: SourceKind, environ: Mapping[str, str]) -> Query:
    if bool(dataset.connection_env) == bool(dataset.connection_file):
        raise _invalid("declare one of connection_env and connection_file for the connection string")
    if dataset.connection_env:
        setting = f"the environment variable {dataset.connection_env}"
        text = environ.get(dataset.connection_env, "")
    else:
        setting = f"the file {dataset.connection_file}"
        text = _read_private(folder / dataset.connection_file)
    if not text.strip():
        raise _invalid(f"{setting} holds no connection string")
    return Query(kind=kind, text=dataset.query, connection=Secret(text.strip().encode("utf-8")), setting=setting)


def _read_private(path: Path) -> str:
    """Read a file that only its owner, and at most its group, may read."""
    try:
        if path.stat().st_mode & 0o007:
            raise _invalid(f"the file {path.name} is open to everybody on this machine; close it: chmod 600")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise _invalid(f"the file {path.name} with the connection string cannot be read") from exc


def _sample_csv(path: Path, shape: CsvShape, rows: int) -> Sample:
    width = len(shape.header)
    with opened(path, shape.encoding) as handle:
        reader = csv.reader(without_nuls(handle), delimiter=shape.delimiter, skipinitialspace=True)
        filled = (row for row in _until_broken(reader) if any(map(str.strip, row)))
        taken = list(islice(filled, 1, rows + 1))  # the first is the header
    padded = [[*row, *[""] * width] for row in taken]
    encoding = f"encoding {shape.encoding}: {shape.encoding_reason}"
    return Sample(
        kind="CSV",
        header=shape.header,
        header_is_doubtful=shape.header_is_doubtful,
        findings=(encoding, f"delimiter {shape.delimiter!r}: {shape.delimiter_reason}"),
        columns=tuple([row[place].strip() for row in padded] for place in range(width)),
    )


def _until_broken(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """The rows up to one that `csv` cannot read: a sample is content with them, and reading the whole will tell."""
    try:
        yield from reader
    except csv.Error:
        return
