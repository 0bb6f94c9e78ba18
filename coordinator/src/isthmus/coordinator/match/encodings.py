"""What matching reads of each provider: CLKs, and tags of match keys. Whose they are is not known here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.ids import PartyId
from isthmus.contract.match_keys import MATCH_KEY_BITS

Tags = NDArray[np.uint8]
"""The tags of some rows, uint8, shape (rows, match keys, 16), zero where a row has none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TabledRows:
    """What one provider sends under a hardened profile.

    `clks`: uint8, shape (rows, tables, bytes), all zero where a row does not enter a table. `tags`: as `Tags`, of as
    many rows. `repeats`: a person may have several rows. Raises `ValueError` for any other type or shape.
    """

    clks: NDArray[np.uint8]
    tags: Tags
    repeats: bool = False

    def __post_init__(self) -> None:
        """Check types and shapes."""
        if self.clks.dtype != np.uint8 or self.clks.ndim != 3:
            raise ValueError("clks must be uint8 of shape (rows, tables, bytes)")
        if self.tags.dtype != np.uint8 or self.tags.ndim != 3 or self.tags.shape[2] != MATCH_KEY_BITS // 8:
            raise ValueError("tags must be uint8 of shape (rows, match keys, 16)")
        if len(self.clks) != len(self.tags):
            raise ValueError("clks and tags must be of the same rows")

    def __len__(self) -> int:
        """How many rows there are."""
        return len(self.clks)


def split_rows(encoded: NDArray[np.uint8], *, tables: int, clk_bits: int, repeats: bool = False) -> TabledRows:
    """Part the encodings of some rows, uint8 of shape (rows, row_bits / 8), into CLKs and tags; views, no copies."""
    clk_bytes, tag_bytes = clk_bits // 8, MATCH_KEY_BITS // 8
    end = tables * clk_bytes
    # Counted, not left to reshape, which cannot tell how many there are of no rows.
    match_keys = (encoded.shape[1] - end) // tag_bytes
    return TabledRows(
        clks=encoded[:, :end].reshape(len(encoded), tables, clk_bytes),
        tags=encoded[:, end:].reshape(len(encoded), match_keys, tag_bytes),
        repeats=repeats,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dataset:
    """The CLKs of one provider in one round.

    `clks` is uint8 of shape (n, l/8): row i is the CLK of row i, its first bit the highest bit of its first byte. n may
    be 0, l/8 may not. If it `repeats` people, its rows are compared with each other too. Raises `ValueError` for any
    other type or shape.
    """

    party: PartyId
    clks: NDArray[np.uint8]
    repeats: bool = False

    def __post_init__(self) -> None:
        """Check type and shape."""
        if self.clks.dtype != np.uint8 or self.clks.ndim != 2 or self.clks.shape[1] == 0:
            raise ValueError("clks must be uint8 of shape (rows, bytes per row)")

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self.clks.shape[0])

    @property
    def clk_bytes(self) -> int:
        """How many bytes one CLK takes: l/8."""
        return int(self.clks.shape[1])
