"""Channels: which tables an attack compares as one. A table by itself, several at once, or the mean of all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.node.audit.vectors import EncodedTables, Floats, Rows

Channels = tuple[tuple[str, ...], ...]
"""Each channel is some tables, whose mean similarity is the channel's."""


def channel_similarity(tables: EncodedTables, channel: tuple[str, ...], left: Rows, right: Rows) -> Floats:
    """Mean similarity over a channel's tables, float32, shape (len(left), len(right))."""
    total = np.zeros((len(left), len(right)), dtype=np.float32)
    for table in channel:
        total += tables[table].similarity(left, right)
    total /= len(channel)
    return total


def presence(tables: EncodedTables, channel: tuple[str, ...]) -> NDArray[np.float64]:
    """In which share of a channel's tables each row is, float64, shape (rows,)."""
    share: NDArray[np.float64] = np.array([tables[table].present for table in channel]).mean(axis=0)
    return share


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Expectation:
    """What similarity a list of people leads one to expect between encodings under a key that one does not know.

    `filters`: undiffused encodings of the people under some keys of one's own. `present`: who is in which table.
    An output bit of `taps` input bits, each of which agrees with correlation c, agrees with correlation c ** taps; a
    box bit that reads `boxed` positions with the chance that all of them agree, ((1 + c) / 2) ** boxed.
    """

    filters: Sequence[EncodedTables]
    present: EncodedTables
    taps: int
    boxed: int = 0

    def similarity(self, channel: tuple[str, ...], left: Rows, right: Rows) -> Floats:
        """Expected similarity of people, float32, shape (len(left), len(right))."""
        total = np.zeros((len(left), len(right)), dtype=np.float32)
        for table in channel:
            agreed = self.filters[0][table].similarity(left, right)
            for more in self.filters[1:]:
                agreed += more[table].similarity(left, right)
            agreed /= len(self.filters)
            there = self.present[table].present
            expected = _power(agreed, self.taps)
            if self.boxed:
                agreed += 1
                agreed /= 2
                expected = expected * _power(agreed, self.boxed)
            total += expected * there[left][:, None] * there[right]
        total /= len(channel)
        return total


def _power(values: Floats, exponent: int) -> Floats:
    """Whole powers by squaring, several times as fast as `**` on large arrays; exponent 1 or more."""
    if exponent == 1:
        return values
    half = _power(values, exponent // 2)
    squared: Floats = half * half
    return squared * values if exponent % 2 else squared
