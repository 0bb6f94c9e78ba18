"""Keyed blocks of a submission: counted while rows are encoded, checked, and withheld where they hold too few rows.

A bucket may leave only if enough rows of the whole data set are in it, so rows are gone through twice. What is noted
for the report are numbers of rows, never a bucket.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.keyed_blocks import NO_BLOCK, Blocks
from isthmus.contract.match_keys import MatchKey
from isthmus.node.encode.buckets import BUCKET_BYTES, BucketSizes, from_wire, to_wire
from isthmus.node.errors import BucketTooLarge

Rows = NDArray[np.uint8]
"""uint8, shape (rows, bytes): rows on the wire, with or without their handles; bucket numbers are what they end in."""

_NO_BLOCKS: Final = Blocks(keys=(), buckets=1)
"""What a project without keyed blocks grants: rows of no bucket numbers, of which nothing is counted or withheld."""

_READ_ROWS: Final = 2**16


class Blocking:
    """The keyed blocks of one submission. First `count` all rows, then `check`, then `withhold` from all rows."""

    def __init__(self, blocks: Blocks | None, *, fields: Sequence[str]) -> None:
        """Begin with no row; `fields` are the project's shared fields."""
        self._blocks = blocks or _NO_BLOCKS
        self._match_keys = {one.name: one for one in self._blocks.match_keys(fields)}
        self._sizes = BucketSizes(self._blocks)
        self._withheld: Counter[str] = Counter()
        self._in_none = 0

    def count(self, rows: Rows) -> None:
        """Count the buckets of some rows."""
        self._sizes.add(from_wire(rows, block_keys=len(self._match_keys)))

    def check(self, columns: Mapping[str, str]) -> None:
        """Return only if no bucket holds more rows than the project allows; `columns`: field to the source's column.

        Raises:
            BucketTooLarge: some do; all block keys of which that is so are named, with their columns.
        """
        large = [_largest(self._match_keys[key], rows, columns) for key, rows in self._sizes.too_large().items()]
        if large:
            raise BucketTooLarge(most_rows=self._blocks.most_rows, largest="; ".join(large))

    def withhold(self, rows: Rows) -> None:
        """Put 0 in place of the numbers of small buckets, in the rows themselves, and note how many."""
        numbers = from_wire(rows, block_keys=len(self._match_keys))
        hidden = self._sizes.withhold(numbers).sum(axis=0).tolist()
        self._withheld.update(dict(zip(self._match_keys, hidden, strict=True)))
        self._in_none += int((numbers == NO_BLOCK).all(axis=1).sum())
        self._part(rows)[:] = to_wire(numbers)

    def rehearse(self, rows: Iterable[Rows], columns: Mapping[str, str], *, folder: Path) -> None:
        """Count, check and withhold in rows that will not leave; their bucket numbers lie in a file without a name.

        Raises:
            BucketTooLarge: see `check`.
        """
        width = BUCKET_BYTES * len(self._match_keys)
        with TemporaryFile(dir=folder) as file:
            for some in rows:
                self.count(some)
                file.write(self._part(some).tobytes())
            self.check(columns)
            file.seek(0)
            for read in iter(lambda: file.read(_READ_ROWS * width), b""):
                self.withhold(np.frombuffer(bytearray(read), np.uint8).reshape(-1, width))

    def report(self) -> dict[str, Any]:
        """Give the block keys, for each how many rows were withheld, and how many rows are in no bucket of any."""
        return {
            "blocks": list(self._match_keys),
            "withheld_blocks": {key: self._withheld[key] for key in self._match_keys},
            "in_no_block": self._in_none if self._match_keys else 0,
        }

    def _part(self, rows: Rows) -> Rows:
        """Give the bytes of the bucket numbers, a view."""
        return rows[:, rows.shape[1] - BUCKET_BYTES * len(self._match_keys) :]


def _largest(match_key: MatchKey, rows: int, columns: Mapping[str, str]) -> str:
    made_from = " and ".join(dict.fromkeys(columns[field] for field in match_key.fields))
    return f"{match_key.name}, made from your {made_from}, has {rows:,} rows in its largest bucket"
