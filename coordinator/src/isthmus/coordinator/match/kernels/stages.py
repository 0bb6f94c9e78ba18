"""In which stages to read the words: as many at first as drop most entries, then some more, then all.

The choice changes the time that a comparison takes, never what it finds. A sample of the rows themselves decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.blocks import Blocks
from isthmus.coordinator.match.kernels.exchangeable import head_limits
from isthmus.coordinator.match.kernels.lanes import LANES
from isthmus.coordinator.match.kernels.limits import Limits, exact_limits

LOOKS = 2
"""Stages at most before the last."""

SAMPLE_LEFT, SAMPLE_RIGHT = 16, 32
"""Blocks of a sample: 4,096 entries, which take some ten milliseconds."""

TRIED = 16
"""Numbers of head words that are tried."""

KEEP_COST, FURTHER_COST, FURTHER_WORD_COST = 18.0, 4.0, 1.5
"""Of keeping an entry after its first words, with the branch that is then mispredicted; of taking it up again; and of
one more word then. A word of an entry in the first stage costs 1. Measured with AVX-512; elsewhere they are alike."""

Flags = NDArray[np.bool_]
BothLimits = tuple[Limits, Limits]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Shares of entries that stay after some words: by one tail, as the first stage asks, and by both, as others do."""

    first: float
    further: float


def stage_limits(
    left: Blocks, right: Blocks, *, heads: Sequence[int], threshold: float, miss: float
) -> list[BothLimits]:
    """Give the limits of both sides after each stage; the looks before the last share what may be missed."""
    look = miss / max(1, len(heads) - 1)
    return [_limits(left, right, words=words, threshold=threshold, miss=look) for words in heads]


def _limits(left: Blocks, right: Blocks, *, words: int, threshold: float, miss: float) -> BothLimits:
    if miss > 0 and words < left.words_a_row and left.blocks and right.blocks:
        return head_limits(left, right, words=words, threshold=threshold, miss=miss)
    return (
        exact_limits(left, words=words, threshold=threshold),
        exact_limits(right, words=words, threshold=threshold),
    )


def choose_heads(left: Blocks, right: Blocks, *, threshold: float, miss: float) -> tuple[int, ...]:
    """Give the words read after each stage, the last of them all, at the least cost that a sample foretells."""
    words = left.words_a_row
    if not left.blocks or not right.blocks:
        return (words,)
    tried = range(1, words, -(-words // TRIED))
    kept = _kept(_sample(left, SAMPLE_LEFT), _sample(right, SAMPLE_RIGHT), tried, threshold=threshold, miss=miss)
    looks = chain.from_iterable(combinations(tried, number) for number in range(LOOKS + 1))
    return min(((*heads, words) for heads in looks), key=lambda heads: _cost(heads, kept))


def _cost(heads: Sequence[int], kept: Mapping[int, Kept]) -> float:
    cost = float(heads[0])
    for stage, (read, head) in enumerate(pairwise(heads)):
        taken_up = FURTHER_COST + FURTHER_WORD_COST * (head - read)
        cost += kept[read].first * (KEEP_COST + taken_up) if stage == 0 else kept[read].further * taken_up
    return cost


def _sample(blocks: Blocks, size: int) -> Blocks:
    """Give blocks at even distances, as they are sorted."""
    chosen = np.unique(np.linspace(0, blocks.blocks - 1, size).astype(np.intp))
    return Blocks(
        words=blocks.words[chosen],
        counts=blocks.counts.reshape(-1, LANES)[chosen].reshape(-1),
        rows=blocks.rows.reshape(-1, LANES)[chosen].reshape(-1),
    )


def _kept(left: Blocks, right: Blocks, tried: Sequence[int], *, threshold: float, miss: float) -> dict[int, Kept]:
    """Give what stays after so many words, of the entries that sorting by set bits does not rule out."""
    common = _common_of_heads(left, right, tried)
    nothing_read = _limits(left, right, words=0, threshold=threshold, miss=0.0)
    _, entered = _stays(np.zeros_like(common[0]), nothing_read)
    total = max(1, int(entered.sum()))
    kept = {}
    for words, of_head in zip(tried, common[:-1], strict=True):
        limits = _limits(left, right, words=words, threshold=threshold, miss=miss / LOOKS)
        first, further = (int((stays & entered).sum()) / total for stays in _stays(of_head, limits))
        kept[words] = Kept(first=first, further=further)
    return kept


def _common_of_heads(left: Blocks, right: Blocks, tried: Sequence[int]) -> NDArray[np.int64]:
    """Give the common bits among so many first words, and then among all: shape (heads, left rows, blocks, 8)."""
    ours = left.words.transpose(1, 0, 2).reshape(left.words_a_row, -1, 1, 1)
    theirs = right.words.transpose(1, 0, 2)[:, None]
    between = np.add.reduceat(np.bitwise_count(ours & theirs), [0, *tried], axis=0, dtype=np.int64)
    return np.cumsum(between, axis=0)


def _stays(common: NDArray[np.int64], limits: BothLimits) -> tuple[Flags, Flags]:
    """Say of each entry whether a pair reaches the limit by the right row's tail, and by both; (left rows, blocks)."""
    (near, far), (their_near, their_far) = limits[0][:, :, None, None], limits[1].reshape(2, 1, -1, LANES)
    by_one = common >= near + their_far
    by_both = by_one & (common >= far + their_near)
    return by_one.any(axis=2), by_both.any(axis=2)
