"""What matching reads: one set of CLKs for each provider. Where they came from and whose they are is not known here."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.ids import PartyId


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dataset:
    """The CLKs of one provider in one round.

    `clks` is uint8 of shape (n, l/8): row i is the CLK of row i, its first bit the highest bit of its first byte. n may
    be 0, l/8 may not. Raises `ValueError` for any other type or shape.
    """

    party: PartyId
    clks: NDArray[np.uint8]

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
