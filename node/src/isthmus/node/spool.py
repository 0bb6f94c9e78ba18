"""Encoded rows on their way out: on disk until all are there, then back in the order of their handles.

Rows are added in runs, each sorted by its random handles. Handles are uniform, so every run holds about as many of any
range of them, and the rows of a range are read back from all runs and sorted in memory: an external merge whose memory
does not grow with the rows, and that reads and writes stretches, never single rows.

The two files have no name (where the file system allows it, they never had one), so nothing of them is left when the
process ends, however it ends. They need as much room as the payload, and as the record ids.
"""

import os
from binascii import hexlify, unhexlify
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from isthmus.contract.ids import HANDLE_BYTES

_BUCKETS: Final = 2**12
"""The finest ranges of handles, by their first 12 bits."""

_RANGE_BYTES: Final = 2**23
"""How much of a file is read back at a time, as near as buckets allow."""

_HEX_HANDLE: Final = 2 * HANDLE_BYTES

Whose = str | int
"""The record id of a row, or the number of the planted person that it is."""

Bytes = NDArray[np.uint8]
Offsets = NDArray[np.int64]


class Spool:
    """Rows of one submission, added in any order. Made by `open_spool`."""

    def __init__(self, rows: IO[bytes], ids: IO[bytes]) -> None:
        """Keep rows and record ids in two files of their own."""
        self._rows, self._ids = _Runs(rows), _Runs(ids)
        self._row_bytes = 0

    def add(self, handles: Bytes, clks: Bytes, whose: Sequence[Whose]) -> None:
        """Add some rows.

        Args:
            handles: uint8, shape (n, 16), random.
            clks: uint8, shape (n, bytes), `bytes` the same in every call.
            whose: the source's id of each row, or a planted person's number.
        """
        order = _by_handle(handles)
        packed = np.empty((len(handles), HANDLE_BYTES + clks.shape[1]), dtype=np.uint8)
        packed[:, :HANDLE_BYTES] = handles[order]
        np.take(clks, order, axis=0, out=packed[:, HANDLE_BYTES:])
        self._row_bytes = packed.shape[1]
        lines = _id_lines(packed, [whose[row] for row in order.tolist()])
        first_rows = _bucket_starts(packed)
        self._rows.add(packed.data, first_rows * self._row_bytes)
        self._ids.add(b"".join(lines), np.cumsum([0, *map(len, lines)], dtype=np.int64)[first_rows])

    def rows(self) -> Iterator[Bytes]:
        """Give all rows by rising handle, some at a time: uint8, shape (n, 16 + bytes)."""
        for stretch in self._rows.ranges():
            packed = np.frombuffer(stretch, dtype=np.uint8).reshape(-1, self._row_bytes)
            yield packed[_by_handle(packed)]

    def whose_handles(self) -> Iterator[tuple[bytes, Whose]]:
        """Give the handle of all rows, rising, and whose row each is."""
        read_id = msgspec.json.Decoder(Whose).decode
        for stretch in self._ids.ranges():
            for line in sorted(stretch.splitlines()):
                yield unhexlify(line[:_HEX_HANDLE]), read_id(line[_HEX_HANDLE:])


@contextmanager
def open_spool(folder: Path, *, prefix: str = "") -> Iterator[Spool]:
    """Open an empty spool whose files lie, without a name, on the file system of that folder.

    Where it cannot make files that never had a name, theirs begins with `prefix` until it is taken away.
    """
    with TemporaryFile(dir=folder, prefix=prefix) as rows, TemporaryFile(dir=folder, prefix=prefix) as ids:
        yield Spool(rows, ids)


class _Runs:
    """Runs of records in one file, each sorted by handle, read back range of handles by range of handles."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._starts: list[Offsets] = []
        self._size = 0

    def add(self, records: bytes | memoryview, bucket_starts: Offsets) -> None:
        """Add a run; `bucket_starts`, shape (_BUCKETS + 1,), says where in it each bucket starts, and where it ends."""
        self._file.write(records)
        self._starts.append(self._size + bucket_starts)
        self._size += int(bucket_starts[-1])

    def ranges(self) -> Iterator[bytes]:
        """Give the records of a range of handles after the other, in no order within a range."""
        self._file.flush()
        step = max(1, _BUCKETS * _RANGE_BYTES // max(self._size, 1))
        for first in range(0, _BUCKETS, step):
            last = min(first + step, _BUCKETS)
            stretch = b"".join([self._read(int(starts[first]), int(starts[last])) for starts in self._starts])
            if stretch:
                yield stretch

    def _read(self, start: int, stop: int) -> bytes:
        return os.pread(self._file.fileno(), stop - start, start)


def _by_handle(rows: Bytes) -> NDArray[np.intp]:
    """Give the order of rows by the handles that they begin with."""
    halves = np.ascontiguousarray(rows[:, :HANDLE_BYTES]).view(">u8")
    return np.lexsort((halves[:, 1], halves[:, 0]))


def _bucket_starts(packed: Bytes) -> Offsets:
    """Give the first row of each bucket, and the number of rows: int64, shape (_BUCKETS + 1,)."""
    bucket_of_row = packed[:, 0].astype(np.int64) << 4 | packed[:, 1] >> 4
    return np.searchsorted(bucket_of_row, np.arange(_BUCKETS + 1)).astype(np.int64)


def _id_lines(packed: Bytes, whose: Sequence[Whose]) -> list[bytes]:
    """Give a line for each row that sorts by its handle; JSON has no line break."""
    handles = hexlify(packed[:, :HANDLE_BYTES].tobytes())
    starts = range(0, len(handles), _HEX_HANDLE)
    ids = map(msgspec.json.Encoder().encode, whose)
    return [b"%b%b\n" % (handles[start : start + _HEX_HANDLE], one) for start, one in zip(starts, ids, strict=True)]
