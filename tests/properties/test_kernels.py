"""The comparison kernels against plain numpy, against anonlink, and against exact probabilities."""

from bisect import bisect_right
from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.best import best_pairs
from isthmus.coordinator.match.kernels.blocks import block_rows
from isthmus.coordinator.match.kernels.comparison import Comparison, join, parts, plan
from isthmus.coordinator.match.kernels.exchangeable import cut, largest_distance
from isthmus.coordinator.match.kernels.processors import KERNELS, Kernel
from isthmus.coordinator.match.reference import dice_pairs

Packed = NDArray[np.uint8]
Pair = tuple[float, int, int]

KINDS = {type(kernel.unit): kernel for kernel in KERNELS.values()}.values()
"""One kernel for each way to count."""


@st.composite
def sides(draw: st.DrawFn) -> tuple[Packed, Packed]:
    """Two small files of near-copies of few rows; some rows are equal and some empty, and a file may be."""
    clk_bytes = draw(st.sampled_from([8, 12, 64, 128, 256, 320]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    models = rng.random((4, clk_bytes * 8)) < rng.choice([0.1, 0.4, 0.5, 0.8], (4, 1))
    noise = draw(st.sampled_from([0.0, 0.02, 0.1]))

    def side(rows: int) -> Packed:
        bits = models[rng.integers(0, 4, rows)] ^ (rng.random((rows, clk_bytes * 8)) < noise)
        bits[rng.random(rows) < 0.1] = False
        return np.packbits(bits, axis=1)

    sizes = st.one_of(st.integers(0, 3), st.integers(0, 70))
    return side(draw(sizes)), side(draw(sizes))


@st.composite
def thresholds(draw: st.DrawFn) -> float:
    """Any from 0.5 to 1, and those that small numbers of bits reach exactly."""
    below = draw(st.integers(1, 64))
    return draw(st.one_of(st.floats(0.5, 1.0), st.just(max(0.5, 2 * draw(st.integers(0, below)) / (2 * below)))))


@st.composite
def stages(draw: st.DrawFn, words: int) -> tuple[int, ...]:
    """Words read after each stage, of any number."""
    return (*sorted(draw(st.sets(st.integers(1, max(1, words - 1)), max_size=3)) - {words}), words)


def plain_pairs(left: Packed, right: Packed, threshold: float) -> list[Pair]:
    """Every pair that qualifies, row after row."""
    ones = [np.unpackbits(side, axis=1).astype(np.int64) for side in (left, right)]
    common = ones[0] @ ones[1].T
    both = ones[0].sum(axis=1)[:, None] + ones[1].sum(axis=1)
    scores = np.divide(2.0 * common, both, out=np.zeros(common.shape), where=both > 0)
    return sorted((float(scores[i, j]), int(i), int(j)) for i, j in np.argwhere(scores >= threshold))


def found_pairs(comparison: Comparison) -> list[Pair]:
    """What the kernels find."""
    chunks = [chunk for part in parts(comparison) for chunk in join(comparison, part)]
    return sorted(
        pair
        for chunk in chunks
        for pair in zip(chunk.similarity.tolist(), chunk.left_row.tolist(), chunk.right_row.tolist(), strict=True)
    )


@pytest.mark.parametrize("kernel", KINDS, ids=lambda kernel: kernel.name)
@settings(max_examples=60, deadline=None)
@given(data=st.data(), both=sides(), threshold=thresholds())
def test_pairs_and_scores_are_those_of_a_plain_comparison(
    kernel: Kernel, data: st.DataObject, both: tuple[Packed, Packed], threshold: float
) -> None:
    left, right = (block_rows(side) for side in both)
    heads = data.draw(st.one_of(st.none(), stages(left.words_a_row)))

    comparison = plan(left, right, threshold=threshold, kernel=kernel, heads=heads)

    assert found_pairs(comparison) == plain_pairs(*both, threshold)


@pytest.mark.parametrize("kernel", KINDS, ids=lambda kernel: kernel.name)
@settings(max_examples=40, deadline=None)
@given(both=sides(), threshold=thresholds())
def test_pairs_and_scores_are_those_of_anonlink(kernel: Kernel, both: tuple[Packed, Packed], threshold: float) -> None:
    scores, left_row, right_row = dice_pairs(*both, threshold)

    found = found_pairs(plan(*(block_rows(side) for side in both), threshold=threshold, kernel=kernel))

    assert found == sorted(zip(scores.tolist(), left_row.tolist(), right_row.tolist(), strict=True))


@settings(max_examples=150, deadline=None)
@given(
    few=st.integers(1, 512), more=st.integers(0, 512), common=st.integers(0, 512), swap=st.booleans(), up=st.booleans()
)
def test_a_pair_exactly_on_the_threshold_is_found(few: int, more: int, common: int, swap: bool, up: bool) -> None:
    common = min(common, few)
    more = max(more, common)
    score = 2 * common / (few + more)
    if score < 0.5 or few + more - common > 1024:
        return
    bits = np.zeros((2, 1, 1024), bool)
    bits[0, 0, :few] = True
    bits[1, 0, few - common : few - common + more] = True
    left, right = (block_rows(np.packbits(side, axis=1)) for side in (bits[::-1] if swap else bits))
    threshold = min(float(np.nextafter(score, 2.0)), 1.0) if up else score

    found = found_pairs(plan(left, right, threshold=threshold, kernel=KERNELS["avx512"]))

    assert found == ([(score, 0, 0)] if score >= threshold else [])


def plain_best(pairs: list[Pair], k: int, starts: tuple[list[int], list[int]]) -> list[Pair]:
    """Row by row and dataset by dataset, in both directions."""
    best: set[Pair] = set()
    for own, other in ((1, 2), (2, 1)):
        lists: dict[tuple[float, int], list[Pair]] = {}
        for pair in pairs:
            lists.setdefault((pair[own], bisect_right(starts[other - 1], pair[other])), []).append(pair)
        for row in lists.values():
            best |= set(sorted(row, key=lambda pair: (-pair[0], pair[other]))[:k])
    return sorted(best)


@settings(max_examples=80, deadline=None)
@given(data=st.data(), both=sides(), threshold=st.floats(0.5, 1), k=st.integers(1, 4))
def test_best_pairs_are_those_of_a_plain_search(
    data: st.DataObject, both: tuple[Packed, Packed], threshold: float, k: int
) -> None:
    comparison = plan(*(block_rows(side) for side in both), threshold=threshold, kernel=KERNELS["avx512"])
    starts = [
        [0, *sorted(data.draw(st.lists(st.integers(0, len(side)), max_size=3))), len(side)] for side in both
    ]  # fmt: skip

    found = [
        best_pairs(comparison, part, k=k, left_starts=starts[0], right_starts=starts[1]) for part in parts(comparison)
    ]

    listed = [
        pair
        for best in found
        for pair in zip(best.similarity.tolist(), best.left_row.tolist(), best.right_row.tolist(), strict=True)
    ]
    assert sorted(listed) == plain_best(plain_pairs(*both, threshold), k, (starts[0], starts[1]))


def plain_chance_beyond(limit: int, *, bits: int, head_bits: int, differing: int) -> Fraction:
    """The exact probability that more than so many of the differing bits are in the head."""
    ways = sum(
        comb(differing, inside) * comb(bits - differing, head_bits - inside)
        for inside in range(limit + 1, min(differing, head_bits) + 1)
    )
    return Fraction(ways, comb(bits, head_bits))


@settings(max_examples=60, deadline=None)
@given(
    words=st.integers(2, 32),
    data=st.data(),
    share=st.floats(0, 1),
    miss=st.sampled_from([1e-9, 1e-7, 5e-7, 1e-6, 0.01, 0.3]),
)
def test_the_cut_is_the_least_that_is_exceeded_rarely_enough(
    words: int, data: st.DataObject, share: float, miss: float
) -> None:
    bits, head_bits = 64 * words, 64 * data.draw(st.integers(1, words - 1))
    differing = round(share * bits)

    least = cut(bits=bits, head_bits=head_bits, differing=differing, miss=miss)

    of = {"bits": bits, "head_bits": head_bits, "differing": differing}
    assert plain_chance_beyond(least, **of) <= miss
    assert (
        least == 0
        or plain_chance_beyond(least - 1, **of) > miss * 0.999_999
        or least - 1 < differing + head_bits - bits
    )


@given(both=st.integers(1, 4096), threshold=st.floats(0.5, 1))
def test_the_largest_distance_qualifies_and_the_next_does_not(both: int, threshold: float) -> None:
    distance = largest_distance(both, threshold=threshold)

    # Rows of p and q bits differ in p + q less twice the bits in common.
    assert (both - distance) / both >= threshold * (1 - 1e-8) or distance == 0
    assert (both - distance - 2) / both < threshold
