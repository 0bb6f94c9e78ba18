"""What matching reads of each provider: CLKs, tags of match keys, bucket numbers. Whose they are is not known here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.ids import PartyId
from isthmus.contract.keyed_blocks import BLOCK_BITS
from isthmus.contract.match_keys import MATCH_KEY_BITS

Tags = NDArray[np.uint8]
"""The tags of some rows, uint8, shape (rows, match keys, 16), zero where a row has none."""

Buckets = NDArray[np.uint32]
"""The bucket numbers of some rows, uint32, shape (rows, block keys), `NO_BLOCK` where a row is in no bucket."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TabledRows:
    """What one provider sends.

    `clks`: uint8, shape (rows, tables, bytes), all zero where a row does not enter a table. `tags`: as `Tags`, and
    `buckets`: as `Buckets`, of as many rows; no `buckets` where the project grants no keyed blocks. `repeats`: a person
    may have several rows. Raises `ValueError` for any other type or shape.
    """

    clks: NDArray[np.uint8]
    tags: Tags
    repeats: bool = False
    buckets: Buckets | None = None

    def __post_init__(self) -> None:
        """Check types and shapes."""
        if self.clks.dtype != np.uint8 or self.clks.ndim != 3:
            raise ValueError("clks must be uint8 of shape (rows, tables, bytes)")
        if self.tags.dtype != np.uint8 or self.tags.ndim != 3 or self.tags.shape[2] != MATCH_KEY_BITS // 8:
            raise ValueError("tags must be uint8 of shape (rows, match keys, 16)")
        if len(self.clks) != len(self.tags):
            raise ValueError("clks and tags must be of the same rows")
        _check_buckets(self.buckets, rows=len(self.clks))

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.clks)


def split_rows(
    encoded: NDArray[np.uint8], *, tables: int, clk_bits: int, blocks: int = 0, repeats: bool = False
) -> TabledRows:
    """Part the encodings of some rows, uint8 of shape (rows, row_bits / 8), into CLKs, tags and bucket numbers.

    CLKs and tags are views, bucket numbers copies; there are none of these unless `blocks`, the number of block keys,
    is positive.
    """
    clk_bytes, tag_bytes = clk_bits // 8, MATCH_KEY_BITS // 8
    end, last = tables * clk_bytes, encoded.shape[1] - blocks * BLOCK_BITS // 8
    # Counted, not left to reshape, which cannot tell how many there are of no rows.
    match_keys = (last - end) // tag_bytes
    return TabledRows(
        clks=encoded[:, :end].reshape(len(encoded), tables, clk_bytes),
        tags=encoded[:, end:last].reshape(len(encoded), match_keys, tag_bytes),
        repeats=repeats,
        buckets=np.ascontiguousarray(encoded[:, last:]).view(">u4").astype(np.uint32) if blocks else None,
    )


def _check_buckets(buckets: Buckets | None, *, rows: int) -> None:
    if buckets is not None and (buckets.dtype != np.uint32 or buckets.ndim != 2 or len(buckets) != rows):
        raise ValueError("buckets must be uint32 of shape (rows, block keys), of the same rows")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dataset:
    """The CLKs of one provider in one round.

    `clks` is uint8 of shape (n, l/8): row i is the CLK of row i, its first bit the highest bit of its first byte. n may
    be 0, l/8 may not. If it `repeats` people, its rows are compared with each other too. `buckets`, as `Buckets` of the
    same rows, says which rows are compared at all: those of two datasets that share a bucket of some key; without it,
    all are. Raises `ValueError` for any other type or shape, and for one that repeats people in buckets.
    """

    party: PartyId
    clks: NDArray[np.uint8]
    repeats: bool = False
    buckets: Buckets | None = None

    def __post_init__(self) -> None:
        """Check type and shape."""
        if self.clks.dtype != np.uint8 or self.clks.ndim != 2 or self.clks.shape[1] == 0:
            raise ValueError("clks must be uint8 of shape (rows, bytes per row)")
        if self.repeats and self.buckets is not None:
            raise ValueError("a dataset that repeats people is compared whole")
        _check_buckets(self.buckets, rows=self.rows)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.clks.shape[0])

    @property
    def clk_bytes(self) -> int:
        """How many bytes one CLK takes: l/8."""
        return int(self.clks.shape[1])
