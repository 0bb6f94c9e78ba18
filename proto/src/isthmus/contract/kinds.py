"""Kinds of pairs: in which shares the levels of fields come in each. docs/protocol.md section 13.

One person's two records, or those of two people of one household, differ in several fields at once. So such pairs are
mixtures of kinds, in each of which fields are independent. Nodes fit the kinds of near misses in their own rows, and
the coordinator takes them into its model; both count and weigh levels by what is here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.differences import MISSING
from isthmus.contract.levels import LEVELS

Levels = NDArray[np.int8]
Floats = NDArray[np.float64]
Shares = tuple[Floats, ...]
"""For each field the share of each of its levels, float64, adding up to 1."""

RANDOM_PRIOR: Final = 0.3
"""Pairs of each level that are counted on top of the random pairs, so that none is impossible."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kind:
    """One kind of pairs: its share of the pairs that it is a kind of, and the shares of levels in it."""

    share: float
    shares: Shares


def random_shares(levels: Levels, fields: Sequence[str]) -> Shares:
    """Count the levels of pairs that were drawn at random, int8 of shape (fields, pairs)."""
    sizes = [len(LEVELS[field].names) for field in fields]
    return tuple(counted(row, None, np.full(size, RANDOM_PRIOR)) for row, size in zip(levels, sizes, strict=True))


def counted(levels: NDArray[np.int8], weights: Floats | None, prior: Floats) -> Floats:
    """Give the shares of one field's levels.

    Args:
        levels: int8, shape (pairs,); -1 counts for nothing.
        weights: how much each pair counts; 1 if not given.
        prior: how much each level counts beside them.
    """
    there = levels != MISSING
    counts = np.bincount(levels[there], None if weights is None else weights[there], len(prior)) + prior
    shares: Floats = counts / counts.sum()
    return shares


def log_likelihood(levels: Levels, shares: Shares) -> Floats:
    """Give the logarithm of the probability of each pair's levels, float64, shape (pairs,)."""
    total = np.zeros(levels.shape[1])
    for row, of_level in zip(levels, shares, strict=True):
        # The last place is that of -1: what is missing says nothing.
        total += np.append(np.log(of_level), 0.0)[row]
    return total


def log_kinds(levels: Levels, kinds: Sequence[Kind]) -> Floats:
    """Give the log likelihood of each pair by each kind, times the kind's share, shape (kinds, pairs)."""
    likelihoods = [np.log(kind.share) + log_likelihood(levels, kind.shares) for kind in kinds]
    return np.array(likelihoods).reshape(len(kinds), levels.shape[1])
