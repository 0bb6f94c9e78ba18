"""Pairs drawn at random from kinds of pairs."""

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.differences import MISSING
from isthmus.contract.kinds import Kind, Levels

Flags = NDArray[np.bool_]


def drawn_levels(kinds: tuple[Kind, ...], present: Flags, rng: np.random.Generator, count: int) -> Levels:
    """Draw pairs of these kinds: int8, shape (fields, count).

    Args:
        kinds: by their shares, which need not add up to 1.
        present: bool, shape (fields, pairs): fields that pairs have; each drawn pair has those of one of them.
        rng: where chance comes from.
        count: how many.
    """
    shares = np.array([kind.share for kind in kinds])
    kind = rng.choice(len(kinds), count, p=shares / shares.sum())
    levels = np.empty((len(present), count), np.int8)
    for field in range(len(present)):
        ends = np.stack([np.cumsum(one.shares[field]) for one in kinds])[kind]
        # Rounding may leave the last end a little below 1.
        levels[field] = (rng.random(count)[:, np.newaxis] >= ends[:, :-1]).sum(axis=1)
    there = present[:, rng.integers(0, present.shape[1], count)]
    drawn: Levels = np.where(there, levels, np.int8(MISSING))
    return drawn
