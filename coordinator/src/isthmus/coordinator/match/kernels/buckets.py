"""The compiled comparison of rows that share a bucket: few against few, many times.

Rows come in order of their buckets. Left ones are read where they are, four at a time; right ones are laid out in eight
lanes, a tile of a bucket at a time, in an array that stays in the first-level cache. Every word is read: with so few
rows, giving up early costs more than it saves.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.bucket_join import SpanRows
from isthmus.coordinator.match.kernels.compiled import compiled, inlined
from isthmus.coordinator.match.kernels.lanes import (
    LANES,
    WORDS_A_TALLY,
    add,
    aligned,
    any_reaches,
    count,
    load,
    spread,
    store,
    tally,
    zero,
)
from isthmus.coordinator.match.kernels.limits import NEVER, SLACK
from isthmus.coordinator.match.kernels.processors import Kernel

LANES_DIGEST: Final = "6be8440aaa70f588cdb01395c2cebf6a2077fbaf1ada069d14b1b4c0d9abf0a7"
"""SHA-256 of lanes.py. numba keeps compiled code by the text of this file alone: it has to change with the other."""

TILE: Final = 128
"""Right rows of a tile: 16 KiB at 1,024 bits."""

GROUP: Final = 4
"""Left rows that are compared with a tile together."""

CHUNK_PAIRS: Final = 2**16
"""Pairs found that are handed over at once; at least `GROUP` * `TILE`."""

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]


@inlined
def _near(counts: Numbers, row: int, threshold: float) -> int:
    """Give a row's share of the common bits that a pair needs (`limits`); out of reach for a row without bits."""
    return int(counts[row] * (threshold / 2) * (1 - SLACK)) if counts[row] > 0 else NEVER


@inlined
def _lay_out(
    words: Words, size: int, counts: Numbers, first: int, last: int, threshold: float, tile: Words, far: Numbers
) -> int:  # fmt: skip
    """Lay out some rows, and their limits; give the number of blocks. What fills is out of reach."""
    blocks = (last - first + LANES - 1) // LANES
    for place in range(blocks * LANES):
        far[place] = NEVER
        if first + place < last:
            row = first + place
            far[place] = _near(counts, row, threshold)
            at = (place >> 3) * size * LANES + (place & 7)
            for word in range(size):
                tile[at + word * LANES] = words[row * size + word]
    return blocks


@inlined
def _take_group(
    size: int, counts: Numbers, first: int, last: int, threshold: float, near: Numbers, starts: Numbers
) -> None:
    """Set the limits and first words of the left rows from one on; what is behind the last one is out of reach."""
    for place in range(GROUP):
        row = min(first + place, last - 1)
        starts[place] = row * size
        near[place] = _near(counts, row, threshold) if row == first + place else NEVER


@inlined
def _count_word(unit: Any, tile: Words, theirs: int, words: Words, starts: Numbers, word: int, parts: Any) -> Any:
    """Count on by one word of four left rows against a block."""
    part0, part1, part2, part3 = parts
    right = load(tile, theirs)
    return (
        count(unit, part0, right, spread(words, starts[0] + word)),
        count(unit, part1, right, spread(words, starts[1] + word)),
        count(unit, part2, right, spread(words, starts[2] + word)),
        count(unit, part3, right, spread(words, starts[3] + word)),
    )


@inlined
def _reaches(
    unit: Any, words: Words, size: int, tile: Words, far: Numbers, block: int, near: Numbers, starts: Numbers,
    sums: Numbers,
) -> int:  # fmt: skip
    """Count the common bits of four left rows and a block into `sums`; say 0 where no pair reaches its limit."""
    sum0, sum1, sum2, sum3 = zero(), zero(), zero(), zero()
    for head in range(0, size, WORDS_A_TALLY):
        parts = zero(), zero(), zero(), zero()
        for word in range(head, min(head + WORDS_A_TALLY, size)):
            parts = _count_word(unit, tile, (block * size + word) * LANES, words, starts, word, parts)
        part0, part1, part2, part3 = parts
        sum0, sum1 = add(sum0, tally(unit, part0)), add(sum1, tally(unit, part1))
        sum2, sum3 = add(sum2, tally(unit, part2)), add(sum3, tally(unit, part3))
    limit = load(far, block * LANES)
    stays: int = any_reaches(sum0, add(limit, spread(near, 0))) | any_reaches(sum1, add(limit, spread(near, 1)))
    stays |= any_reaches(sum2, add(limit, spread(near, 2))) | any_reaches(sum3, add(limit, spread(near, 3)))
    if stays:
        store(sums, 0, sum0)
        store(sums, LANES, sum1)
        store(sums, 2 * LANES, sum2)
        store(sums, 3 * LANES, sum3)
    return stays


@inlined
def _decide(
    sums: Numbers,
    counts: Numbers,
    lefts: tuple[int, int],
    rights: tuple[int, int],
    threshold: float,
    scores: NDArray[np.float64],
    places: Numbers,
    found: int,
) -> int:
    """Append the pairs of a group and a block whose exact score reaches the threshold; give the number then."""
    for left in range(lefts[0], min(lefts[0] + GROUP, lefts[1])):
        for right in range(rights[0], min(rights[0] + LANES, rights[1])):
            both = counts[left] + counts[right]
            score = 2.0 * sums[(left - lefts[0]) * LANES + right - rights[0]] / both
            if score >= threshold:
                scores[found] = score
                places[found] = left << 32 | right
                found += 1
    return found


@compiled
def sift_buckets(
    unit: Any,
    words: Words,
    counts: Numbers,
    size: int,
    firsts: Numbers,
    ends: Numbers,
    threshold: float,
    span: tuple[int, int, int, int],
    state: tuple[int, int, int],
    tile: Words,
    far: Numbers,
    near: Numbers,
    starts: Numbers,
    sums: Numbers,
    scores: NDArray[np.float64],
    places: Numbers,
) -> tuple[int, tuple[int, int, int]]:
    """Find pairs of a span from a state on, until the span ends or the next rows might not fit.

    Args:
        unit: a zero of the type that bits are counted by.
        words, counts: as in `SpanRows`, each of one axis.
        size: words a row.
        firsts, ends: as in `Stretches`.
        threshold: the score that a pair needs, above 0.
        span: first and last left row, first and last right row; both last are exclusive.
        state: a stretch, and the right and left row in it to begin at, -1 for its first; or what was given before.
        tile, far: room for `TILE` rows and their limits, aligned.
        near, starts, sums: room for `GROUP` limits, first words and vectors, aligned.
        scores, places: room for what is found, at least `GROUP` * `TILE`.

    Returns:
        How many pairs were found, and the state to go on with, its stretch -1 at the end. A place is left row << 32 |
        right row.
    """
    first, last, first_right, last_right = span
    stretch, at_right, at_left = state
    found = 0 * stretch  # a literal would be a type of its own, and everything be compiled twice
    while stretch < ends.size and firsts[stretch] < last:
        first_left, last_left = max(firsts[stretch], first), min(firsts[stretch + 1], last)
        end = min(ends[stretch], last_right)
        begin = max(firsts[stretch + 1], first_right) if at_right < 0 else at_right
        for right in range(begin, end, TILE):
            behind = min(right + TILE, end)
            blocks = _lay_out(words, size, counts, right, behind, threshold, tile, far)
            for left in range(first_left if at_left < 0 else at_left, last_left, GROUP):
                if found + GROUP * TILE > scores.size:
                    return found, (stretch, right, left)
                _take_group(size, counts, left, last_left, threshold, near, starts)
                for block in range(blocks):
                    if _reaches(unit, words, size, tile, far, block, near, starts, sums):
                        found = _decide(
                            sums, counts, (left, last_left),
                            (right + block * LANES, behind), threshold, scores, places, found,
                        )  # fmt: skip
            at_left = -1
        stretch, at_right = stretch + 1, -1
    return found, (-1, -1, -1)


def bucket_pairs(
    rows: SpanRows, threshold: float, *, kernel: Kernel
) -> Iterator[tuple[NDArray[np.float64], Numbers, Numbers]]:
    """Give the pairs of a span that qualify, at most `CHUNK_PAIRS` at once; see `bucket_search.Compare`."""
    span, size = rows.span, rows.words.shape[1]
    scores, places = np.empty(CHUNK_PAIRS), np.empty(CHUNK_PAIRS, np.int64)
    room = aligned((TILE * size,), np.uint64), aligned((TILE,), np.int64)
    small = aligned((GROUP,), np.int64), aligned((GROUP,), np.int64), aligned((GROUP * LANES,), np.int64)
    state = (rows.stretches.at(span.first), -1, -1)
    while state[0] >= 0:
        found, state = sift_buckets(
            kernel.unit,
            rows.words.reshape(-1),
            rows.counts,
            size,
            rows.stretches.firsts,
            rows.stretches.ends,
            threshold,
            (span.first, span.last, span.first_right, span.last_right),
            state,
            *room,
            *small,
            scores,
            places,
        )
        yield scores[:found].copy(), places[:found] >> 32, places[:found] & 0xFFFFFFFF
