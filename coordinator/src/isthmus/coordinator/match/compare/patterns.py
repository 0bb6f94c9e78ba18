"""Patterns: pairs whose fields have the same levels are alike to the model, so it looks at each pattern once.

Millions of pairs have some ten thousand patterns.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.kinds import Floats, Levels
from isthmus.contract.levels import LEVELS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Patterns:
    """The patterns that pairs have: `levels`, int8, shape (fields, patterns), each once, and `of_pair`, its place."""

    levels: Levels
    of_pair: NDArray[np.intp]

    def summed(self, weights: Floats) -> Floats:
        """Add up a weight of each pair over the pairs of each pattern, float64, shape (patterns,)."""
        return np.asarray(np.bincount(self.of_pair, weights, self.levels.shape[1]), np.float64)


def patterns_of(levels: Levels, fields: Sequence[str]) -> Patterns:
    """Give the patterns of pairs; `levels` is int8, shape (fields, pairs).

    A pattern is a number whose digits are the levels: those of all standard fields together stay below 2^36.
    """
    bases = [len(LEVELS[field].names) + 1 for field in fields]
    codes = np.zeros(levels.shape[1], np.uint64)
    for row, base in zip(levels, bases, strict=True):
        codes *= np.uint64(base)
        # Missing, -1, is the digit 0.
        codes += (row + 1).astype(np.uint64)
    found, of_pair = np.unique(codes, return_inverse=True)
    distinct = np.empty((len(bases), found.size), np.int8)
    for place, base in reversed(list(enumerate(bases))):
        found, digits = np.divmod(found, np.uint64(base))
        distinct[place] = digits.astype(np.int8) - 1
    return Patterns(levels=distinct, of_pair=of_pair)
