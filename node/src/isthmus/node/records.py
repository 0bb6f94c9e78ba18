"""Records as a source gives them: what the normaliser, the profile report and the encoder start from.

A source is read in pieces (`RecordStream`), so that memory does not grow with its rows. What needs all of them at once
asks for `read_all`.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

PIECE_ROWS: Final = 2**15
"""Most records of a piece: some 30 MB of text where ten short columns are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDescription:
    """Where records came from and how it was read, to be shown to the person who asked for it.

    `kind` names the source (`CSV`), `rows` counts the records. `findings` are sentences about what was detected and
    why, and about what was passed over; they hold no value of a record.
    """

    kind: str
    rows: int
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece:
    """Records of a source that follow each other, column by column, values as in `Records`.

    `expected_rows` is how many records the whole source may hold, as far as it can tell beforehand; 0 if it cannot.
    """

    record_ids: list[str]
    columns: dict[str, list[str]]
    expected_rows: int = 0

    def __post_init__(self) -> None:
        """Refuse columns of unequal length."""
        _require_one_length(self.record_ids, self.columns)

    def parts(self, rows: int) -> Iterator["Piece"]:
        """Give these records in pieces of at most so many."""
        for start in range(0, len(self.record_ids), rows):
            inside = slice(start, start + rows)
            yield Piece(
                record_ids=self.record_ids[inside],
                columns={field: values[inside] for field, values in self.columns.items()},
                expected_rows=self.expected_rows,
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Records:
    """Records of a source, column by column, values as the source holds them but for spaces around them.

    `record_ids` are the source's own ids, unique and not blank; they never leave the node. Each list of `columns`, by
    standard field, has one value a record, in the order of `record_ids`; "" is a value that is not there.
    """

    record_ids: list[str]
    columns: dict[str, list[str]]
    source: SourceDescription

    def __post_init__(self) -> None:
        """Refuse columns of unequal length."""
        _require_one_length(self.record_ids, self.columns)


class RecordStream:
    """The records of a source in pieces, read once, each when it is asked for.

    Rows are checked as they are read, and what is wrong with them is raised, all at once, after the last one: so what
    was made of the pieces counts only once they have come to their end. From the first fault on no piece is given.
    """

    def __init__(self, pieces: Generator[Piece, None, SourceDescription]) -> None:
        """Take pieces from a generator that returns what it read them from."""
        self._pieces = pieces
        self._source: SourceDescription | None = None

    def pieces(self) -> Iterator[Piece]:
        """Give the pieces, each of `PIECE_ROWS` records or fewer; the errors are those of who opened the source."""
        self._source = yield from self._pieces

    @property
    def source(self) -> SourceDescription:
        """What was read and how; raise `ValueError` before the pieces have come to their end."""
        if self._source is None:
            raise ValueError("a source is described when it has been read to its end")
        return self._source


def read_all(stream: RecordStream) -> Records:
    """Give the records of a stream at once; memory grows with them. Errors are the stream's."""
    record_ids: list[str] = []
    columns: dict[str, list[str]] = {}
    for piece in stream.pieces():
        record_ids += piece.record_ids
        for field, values in piece.columns.items():
            columns.setdefault(field, []).extend(values)
    return Records(record_ids=record_ids, columns=columns, source=stream.source)


def _require_one_length(record_ids: list[str], columns: dict[str, list[str]]) -> None:
    """Raise `ValueError` where a column is longer or shorter than the ids: rows would be mixed up."""
    if any(len(values) != len(record_ids) for values in columns.values()):
        raise ValueError("every column must have one value a record")
