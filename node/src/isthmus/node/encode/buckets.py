"""Keyed blocks of rows: into which bucket a row falls under each block key of a project, and which buckets may leave.

A bucket number is made of a row's tag under a key of its own (docs/protocol.md section 5), so rows that share the parts
of a match key share its bucket, and so do others, by chance. A bucket number is pseudonymous personal data.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from isthmus.contract.keyed_blocks import BLOCK_BITS, NO_BLOCK, Blocks
from isthmus.contract.secret import Secret
from isthmus.node.encode.match_keys import Columns, TagMaker, Tags

BUCKET_BYTES: Final = BLOCK_BITS // 8

Buckets = NDArray[np.uint32]
"""uint32, shape (rows, block keys), from 1 to the number of buckets; 0 where a row is in none of the key."""

Rows = NDArray[np.uint8]


def block_key(key: Secret, *, name: str) -> Secret:
    """Give the 32 bytes of one block key: HKDF-SHA256 of the round key `block`, info `isthmus/1|block|NAME`."""
    info = f"isthmus/1|block|{name}".encode("ascii")
    return Secret(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(key.reveal()))


class BucketEncoder:
    """Puts rows into the buckets of one project under the keys of one round, whatever its profile."""

    def __init__(self, blocks: Blocks, *, fields: Sequence[str], key: Secret) -> None:
        """Take what the project grants, its shared fields in the order of the columns, and the round key `block`."""
        keyed = [(one, block_key(key, name=one.name)) for one in blocks.match_keys(fields)]
        self._maker, self._buckets = TagMaker(fields, keyed), blocks.buckets

    def tags(self, columns: Columns) -> Tags:
        """Give the tags that bucket numbers are made of; `columns` as of `TagMaker.make`."""
        return self._maker.make(columns)

    def encode(self, columns: Columns) -> Buckets:
        """Give the bucket numbers of some rows."""
        return bucket_numbers(self.tags(columns), buckets=self._buckets)


def bucket_numbers(tags: Tags, *, buckets: int) -> Buckets:
    """Give the bucket of each tag: its first eight bytes modulo `buckets`, plus 1; 0 for no tag."""
    words = np.ascontiguousarray(tags[:, :, :8]).view(">u8")[:, :, 0]
    numbers = (words % np.uint64(buckets)).astype(np.uint32) + np.uint32(1)
    numbers[~tags.any(axis=2)] = NO_BLOCK
    return numbers


def to_wire(numbers: Buckets) -> Rows:
    """Give bucket numbers as a row has them: big-endian, uint8, shape (rows, 4 * block keys)."""
    return numbers.astype(">u4").view(np.uint8).reshape(len(numbers), BUCKET_BYTES * numbers.shape[1])


def from_wire(rows: Rows, *, block_keys: int) -> Buckets:
    """Give the bucket numbers that rows end in; a copy."""
    ends = np.ascontiguousarray(rows[:, rows.shape[1] - BUCKET_BYTES * block_keys :])
    return ends.reshape(len(rows), block_keys, BUCKET_BYTES).view(">u4")[:, :, 0].astype(np.uint32)


class BucketSizes:
    """How many rows of a data set are in each bucket, counted some rows at a time; 4 bytes a bucket."""

    def __init__(self, blocks: Blocks) -> None:
        """Begin with empty buckets."""
        self._blocks = blocks
        self._rows = np.zeros((len(blocks.keys), blocks.buckets + 1), np.uint32)

    def add(self, numbers: Buckets) -> None:
        """Count some rows."""
        for rows, of_key in zip(self._rows, numbers.T, strict=True):
            met, times = np.unique(of_key, return_counts=True)
            rows[met] += times.astype(np.uint32)

    def too_large(self) -> dict[str, int]:
        """Give the rows of the largest bucket of each block key that has one of more than `most_rows`."""
        largest = self._rows[:, NO_BLOCK + 1 :].max(axis=1).tolist()
        return {
            key: rows for key, rows in zip(self._blocks.keys, largest, strict=True) if rows > self._blocks.most_rows
        }

    def withhold(self, numbers: Buckets) -> NDArray[np.bool_]:
        """Put 0 in place of buckets of fewer than `least_rows` rows, once all are counted; say where."""
        sizes = self._rows[np.arange(len(self._rows)), numbers]
        hidden: NDArray[np.bool_] = (numbers != NO_BLOCK) & (sizes < self._blocks.least_rows)
        numbers[hidden] = NO_BLOCK
        return hidden
