"""The one way out for counts: `release` makes a `ReleasedTable` of a `Table`, and nothing else makes one.

A released table holds no hidden count, not even where nobody looks. Its canonical bytes are JSON after RFC 8785 under
the format name `isthmus/released-table/1`; `reopen` reads them back. Who may read them, and whether they are the bytes
that were approved, is for the store and its signatures.
"""

from collections.abc import Callable
from dataclasses import InitVar, dataclass
from typing import Final

import msgspec
import rfc8785

from isthmus.contract.errors import MalformedDocument, UnsupportedVersion
from isthmus.coordinator.disclosure.suppress import suppress
from isthmus.coordinator.disclosure.table import Key, Table

FORMAT: Final = "isthmus/released-table/1"
SUPPRESSED: Final = "suppressed"
"""The one reason that a reader is given; see `isthmus.coordinator.disclosure.suppress` for why there is only one."""

LEAST_GROUP: Final = 2
"""No rule may let a smaller count be shown: one person is no group."""

_DOCUMENT: Final = "released table"
_SEAL: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureRules:
    """What a table must satisfy to leave. `min_cell_count` is the smallest count that may be shown, 2 or more."""

    min_cell_count: int = 10

    def __post_init__(self) -> None:
        """Refuse a rule that protects nobody with `ValueError`."""
        if self.min_cell_count < LEAST_GROUP:
            raise ValueError("min_cell_count must be 2 or more")

    def for_people(self) -> tuple[str, ...]:
        """Give the rules as sentences."""
        least = self.min_cell_count
        return (
            f"Counts from 0 to {least - 1} are hidden, unless they can be nothing but zero.",
            f"More counts are hidden, so that for each hidden count values {least} or more apart agree with all shown.",
            "That holds for who knows this table alone; other tables, or knowing one's own rows, may tell more.",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedRow:
    """One cell as a reader sees it: a count, or no count and the reason `suppressed`."""

    key: Key
    count: int | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedTable:
    """A table that is safe to show: made by `release`, or by `reopen` from the bytes of one that was.

    Making one in any other way raises `TypeError`. Copies and pickles go through the canonical bytes.
    """

    title: str
    dimensions: tuple[str, ...]
    rows: tuple[ReleasedRow, ...]
    rules: tuple[str, ...]
    min_cell_count: int
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        """Refuse every maker but this module."""
        if seal is not _SEAL:
            raise TypeError("only release() makes a ReleasedTable")

    def to_bytes(self) -> bytes:
        """Give the canonical bytes: the same for equal tables, on every machine."""
        return _canonical(
            _Document(
                format=FORMAT,
                title=self.title,
                dimensions=self.dimensions,
                rows=tuple(_Row(key=row.key, count=row.count, reason=row.reason) for row in self.rows),
                rules=self.rules,
                min_cell_count=self.min_cell_count,
            )
        )

    def __reduce__(self) -> tuple[Callable[[bytes], "ReleasedTable"], tuple[bytes]]:
        """Pickle as the canonical bytes, so that unpickling checks what it reads."""
        return reopen, (self.to_bytes(),)


def release(table: Table, *, rules: DisclosureRules) -> ReleasedTable:
    """Give the table without the counts that the rules hide.

    Raises:
        TableNotReleasable: no set of hidden cells protects it.
    """
    hidden = suppress(table, min_cell_count=rules.min_cell_count)
    return ReleasedTable(
        title=table.title,
        dimensions=table.dimensions,
        rows=tuple(
            ReleasedRow(key=cell.key, count=None, reason=SUPPRESSED)
            if cell.key in hidden
            else ReleasedRow(key=cell.key, count=cell.count, reason=None)
            for cell in table.cells
        ),
        rules=rules.for_people(),
        min_cell_count=rules.min_cell_count,
        seal=_SEAL,
    )


def reopen(data: bytes) -> ReleasedTable:
    """Give the released table whose canonical bytes these are.

    Raises:
        MalformedDocument: the bytes are not those of a released table, or not the canonical ones.
        UnsupportedVersion: they are of another version of the format.
    """
    document = _decoded(data)
    return ReleasedTable(
        title=document.title,
        dimensions=document.dimensions,
        rows=tuple(ReleasedRow(key=row.key, count=row.count, reason=row.reason) for row in document.rows),
        rules=document.rules,
        min_cell_count=document.min_cell_count,
        seal=_SEAL,
    )


class _Format(msgspec.Struct, frozen=True, kw_only=True):
    format: str


class _Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    key: tuple[str, ...]
    count: int | None
    reason: str | None

    def fits(self, dimensions: int, min_cell_count: int) -> bool:
        """Whether the row could have been released: hidden with the reason, or a zero or large enough without."""
        shown = self.count is not None and (self.count == 0 or self.count >= min_cell_count)
        hidden = self.count is None
        return len(self.key) == dimensions and (
            (hidden and self.reason == SUPPRESSED) or (shown and self.reason is None)
        )


class _Document(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    title: str
    dimensions: tuple[str, ...]
    rows: tuple[_Row, ...]
    rules: tuple[str, ...]
    min_cell_count: int


def _canonical(document: _Document) -> bytes:
    return rfc8785.dumps(msgspec.to_builtins(document, builtin_types=()))


def _decoded(data: bytes) -> _Document:
    try:
        name = msgspec.json.decode(data, type=_Format).format
        if name != FORMAT and name.startswith(FORMAT.rpartition("/")[0] + "/"):
            raise UnsupportedVersion(document=_DOCUMENT, version=name.rpartition("/")[2])
        document = msgspec.json.decode(data, type=_Document)
        canonical = _canonical(document)
    except (msgspec.DecodeError, rfc8785.CanonicalizationError, UnicodeError) as error:
        raise MalformedDocument(document=_DOCUMENT, problem="it is not of the released-table format") from error
    if document.format != FORMAT or canonical != data:
        raise MalformedDocument(document=_DOCUMENT, problem="its bytes are not in canonical form")
    if document.min_cell_count < LEAST_GROUP:
        raise MalformedDocument(document=_DOCUMENT, problem="its rule protects nobody")
    if not all(row.fits(len(document.dimensions), document.min_cell_count) for row in document.rows):
        raise MalformedDocument(document=_DOCUMENT, problem="a row is neither hidden nor fit to be shown")
    return document
