"""The rows of a submission as field comparison sees them, on disk: handles and encrypted records in the order sent.

Behind them stands a keyed digest of them and of the submission that they are of: in counter mode a changed bit of a
record is a changed bit of a value, and would be answered for. It is checked whenever the file is opened. Rows are read
where they are needed, so memory does not grow with the file but for a byte a name and row. Who is left out by now is a
row that has nothing.
"""

import hashlib
import hmac
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import BandPart
from isthmus.contract.encodings import Submission
from isthmus.contract.ids import HANDLE_BYTES
from isthmus.contract.secret import Secret
from isthmus.node.compare.pads import derived
from isthmus.node.compare.records import Bytes, RecordLayout, open_records
from isthmus.node.compare.row_fields import RowFields, bands_of
from isthmus.node.errors import OutboxDamaged

CHECK_BYTES: Final = 32
"""Behind the rows: keyed BLAKE2b of them and of the submission's digest."""

_ROWS_AT_A_TIME: Final = 2**15

Flags = NDArray[np.bool_]
RowNumbers = NDArray[np.uint32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FieldFile:
    """An open file. Made by `open_field_file`.

    Attributes:
        sealed: uint8, shape (rows, layout.sealed_bytes), on disk.
        layout, key: as the records were sealed.
        kept: bool, shape (rows,): which rows take part still.
        bands: by value, uint8, shape (rows,), 0 to 3, among the rows that take part.
    """

    sealed: Bytes
    layout: RecordLayout
    key: Secret
    kept: Flags
    bands: dict[str, Bytes]

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.sealed)

    def take(self, rows: RowNumbers) -> RowFields:
        """Give what these rows answer from, in that order; one that is left out has nothing."""
        found, kept = open_records(self.sealed[rows], self.layout, self.key), self.kept[rows]
        return replace(
            found,
            bands={value: bands[rows] for value, bands in self.bands.items()},
            present={name: flags & kept for name, flags in found.present.items()},
        )


class FieldFileWriter:
    """Writes the rows of a submission, and then what shows that they are those."""

    def __init__(self, file: BinaryIO, key: Secret) -> None:
        """Write into that file, under the key that the records are encrypted with."""
        self._file, self._check = file, _new_check(key)

    def write(self, sealed: Bytes) -> None:
        """Write rows, uint8, shape (n, layout.sealed_bytes), contiguous."""
        self._file.write(sealed.data)
        self._check.update(sealed.data)

    def finish(self, digest: str) -> None:
        """Write the check, once all rows are written; `digest` is the submission's."""
        self._check.update(bytes.fromhex(digest))
        self._file.write(self._check.digest())


def open_field_file(
    path: Path, layout: RecordLayout, *, submission: Submission, key: Secret, left_out: Collection[bytes] = ()
) -> FieldFile:
    """Open the file of a submission; `left_out` are the handles of rows whose people take part no longer.

    Raises:
        OutboxDamaged: it is not there, or not as it was written for that submission under that key.
    """
    rows_bytes = submission.rows * layout.sealed_bytes
    if not path.is_file() or path.stat().st_size != rows_bytes + CHECK_BYTES:
        raise OutboxDamaged(round_id=submission.round_id)
    whole = np.memmap(path, np.uint8, "r")
    sealed = whole[:rows_bytes].reshape(-1, layout.sealed_bytes)
    if not hmac.compare_digest(_check_of(sealed, submission.digest, key), whole[rows_bytes:].tobytes()):
        raise OutboxDamaged(round_id=submission.round_id)
    kept = np.ones(len(sealed), np.bool_)
    kept[_rows_of(sealed, left_out)] = False
    file = FieldFile(sealed=sealed, layout=layout, key=key, kept=kept, bands={})
    return replace(file, bands=_bands(file))


def _new_check(key: Secret) -> "hashlib.blake2b":
    return hashlib.blake2b(key=derived(key, "fields-check").reveal(), digest_size=CHECK_BYTES)


def _check_of(sealed: Bytes, digest: str, key: Secret) -> bytes:
    check = _new_check(key)
    for start in range(0, len(sealed), _ROWS_AT_A_TIME):
        check.update(np.ascontiguousarray(sealed[start : start + _ROWS_AT_A_TIME]).data)
    check.update(bytes.fromhex(digest))
    return check.digest()


def _rows_of(sealed: Bytes, handles: Collection[bytes]) -> NDArray[np.intp]:
    """Give the rows of handles, which rise from row to row; a handle of no row is passed over."""
    rows = range(len(sealed))
    found = (bisect_left(rows, handle, key=lambda row: sealed[row, :HANDLE_BYTES].tobytes()) for handle in handles)
    pairs = ((row, handle) for row, handle in zip(found, handles, strict=True) if row < len(sealed))
    there = [row for row, handle in pairs if sealed[row, :HANDLE_BYTES].tobytes() == handle]
    return np.array(there, np.intp)


def _bands(file: FieldFile) -> dict[str, Bytes]:
    named = {part.value: part.kind for part in file.layout.comparison.parts if isinstance(part, BandPart)}
    numbers = {value: np.zeros(len(file), np.uint32) for value in named}
    present = {value: np.zeros(len(file), np.bool_) for value in named}
    for start in range(0, len(file) if named else 0, _ROWS_AT_A_TIME):
        rows = np.arange(start, min(start + _ROWS_AT_A_TIME, len(file)), dtype=np.uint32)
        some = file.take(rows)
        for value, kind in named.items():
            numbers[value][rows], present[value][rows] = some.numbers[kind, value], some.present[value]
    total = int(file.kept.sum())
    return {value: bands_of(numbers[value], present[value], rows=total) for value in named}
