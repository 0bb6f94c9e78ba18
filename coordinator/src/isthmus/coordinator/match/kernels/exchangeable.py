"""Limits for rows whose bits are exchangeable: a test on the head words that rarely misses a pair, and says how rarely.

Keyed diffusion (docs/protocol.md, section 5) draws the taps of every bit alike and places box bits by a secret order.
So a pair's differing bits lie anywhere with equal chance: how many of h that differ among m are among the first n is
hypergeometric. Of all pairs that qualify, one that just reaches the threshold has the most differing bits: a cut that
misses it with probability miss misses no other more often. The chance is over the key, for each pair by itself.
"""

from functools import lru_cache
from math import ceil, lgamma

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.blocks import Blocks, count_heads
from isthmus.coordinator.match.kernels.limits import SLACK, Limits, never_filling

Floats = NDArray[np.float64]


def largest_distance(both: int, *, threshold: float) -> int:
    """Give the most bits in which two rows of so many set bits together can differ and qualify; 0 if they cannot."""
    return max(0, both - 2 * ceil(both * threshold / 2 * (1 - SLACK)))


def cut(*, bits: int, head_bits: int, differing: int, miss: float) -> int:
    """Give the least number that the differing bits of a head exceed with a probability of at most `miss`.

    Args:
        bits, head_bits: of a row and of its head.
        differing: of all bits, so many differ.
        miss: above 1e-10, which rounding stays far below.
    """
    logs = _log_factorials(bits)
    within = np.arange(max(0, head_bits + differing - bits), min(head_bits, differing) + 1)
    chances = np.exp(
        _log_choose(logs, differing, within)
        + _log_choose(logs, bits - differing, head_bits - within)
        - _log_choose(logs, bits, np.array([head_bits]))
    )
    # beyond[i] is the probability of more than within[i].
    beyond = np.append(np.cumsum(chances[::-1])[-2::-1], 0.0)
    return int(within[np.argmax(beyond <= miss * (1 - SLACK))])


@lru_cache(maxsize=4)
def _log_factorials(most: int) -> Floats:
    return np.array([lgamma(number + 1) for number in range(most + 1)])


def _log_choose(logs: Floats, total: int, chosen: NDArray[np.int64]) -> Floats:
    choices: Floats = logs[total] - logs[chosen] - logs[total - chosen]
    return choices


def head_limits(left: Blocks, right: Blocks, *, words: int, threshold: float, miss: float) -> tuple[Limits, Limits]:
    """Give the limits of both sides after the first words.

    The cut depends on the sum of the set bits; a line above it, a + b * sum, falls apart into one number of each row.
    """
    bits, head_bits = 64 * left.words_a_row, 64 * words
    counts = [side.counts[side.counts > 0] for side in (left, right)]
    sums = np.arange(sum(int(each.min()) for each in counts), sum(int(each.max()) for each in counts) + 1)
    cuts = _cuts(sums, bits=bits, head_bits=head_bits, threshold=threshold, miss=miss)
    slope = (cuts[-1] - cuts[0]) / max(1, sums[-1] - sums[0])
    base = float(np.max(cuts - slope * sums))
    return (
        _side(left, words=words, base=base, slope=slope),
        _side(right, words=words, base=base, slope=slope),
    )


def _cuts(sums: NDArray[np.int64], *, bits: int, head_bits: int, threshold: float, miss: float) -> Floats:
    distances = [min(largest_distance(int(both), threshold=threshold), bits) for both in sums]
    known = {each: cut(bits=bits, head_bits=head_bits, differing=each, miss=miss) for each in set(distances)}
    return np.array([known[each] for each in distances], np.float64)


def _side(blocks: Blocks, *, words: int, base: float, slope: float) -> Limits:
    # Heads of p and q bits that differ in d have (p + q - d) / 2 in common.
    needed = (count_heads(blocks, words=words) - slope * blocks.counts - base / 2) / 2
    limit = np.floor(needed - SLACK).astype(np.int64)
    return never_filling(blocks, np.stack([limit, limit]))
