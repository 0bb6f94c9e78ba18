"""The compiled comparison: rows of one side against blocks of the other, word by word, until nothing can reach.

An *entry* is a left row against a right block of eight rows. Entries are sifted in stages: the first counts the head
words of every entry, each further one goes on with what is left, and an entry stays as long as one of its eight pairs
can still reach its limit (`limits`). The last stage has read every word; there the exact score decides.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.compiled import compiled, inlined
from isthmus.coordinator.match.kernels.lanes import (
    WORDS_A_TALLY,
    add,
    any_reaches,
    count,
    larger,
    load,
    negative,
    spread,
    store,
    tally,
    zero,
)

LANES_DIGEST: Final = "6be8440aaa70f588cdb01395c2cebf6a2077fbaf1ada069d14b1b4c0d9abf0a7"
"""SHA-256 of lanes.py. numba keeps compiled code by the text of this file alone: it has to change with the other."""

HALVES: Final = 4
"""Left half blocks, of four rows each, that are sifted together."""

TILE: Final = 32
"""Right blocks that they are sifted against: 32 KiB at 1,024 bits, so that they stay in the first-level cache."""

ENTRIES: Final = 4 * HALVES * TILE
"""Entries of a step; each can be eight pairs."""

Words = NDArray[np.uint64]
Numbers = NDArray[np.int64]


@inlined
def _keep(sums: Numbers, entries: Numbers, kept: int, total: Any, entry: int, stays: int) -> int:
    """Write an entry at the end; give the number of entries, one more where it stays."""
    store(sums, kept * 8, total)
    entries[np.uint64(kept)] = entry
    return kept + stays


@inlined
def _count_word(unit: Any, right: Words, theirs: int, left: Words, ours: int, parts: Any) -> Any:
    """Count on by one word of four left rows against a block."""
    part0, part1, part2, part3 = parts
    word = load(right, theirs)
    return (
        count(unit, part0, word, spread(left, ours)),
        count(unit, part1, word, spread(left, ours + 1)),
        count(unit, part2, word, spread(left, ours + 2)),
        count(unit, part3, word, spread(left, ours + 3)),
    )


@inlined
def _sift_first(
    unit: Any,
    left: Words,
    left_limits: Numbers,
    right: Words,
    right_limits: Numbers,
    shape: tuple[int, int, int, int],
    half: int,
    first: int,
    last: int,
    sums: Numbers,
    entries: Numbers,
    kept: int,
) -> int:
    """Append what stays of four left rows against some right blocks; give the number of entries then."""
    words, head, _, right_rows = shape
    row, at = 4 * half, (half >> 1) * words * 8 + (half & 1) * 4
    near0, near1, near2, near3 = (
        spread(left_limits, row),
        spread(left_limits, row + 1),
        spread(left_limits, row + 2),
        spread(left_limits, row + 3),
    )
    for block in range(first, last):
        far = load(right_limits, right_rows + block * 8)
        # What is above the block's share of the limit: one comparison each is left to do.
        above0 = above1 = above2 = above3 = negative(far)
        for start in range(0, head, WORDS_A_TALLY):
            parts = zero(), zero(), zero(), zero()
            for word in range(start, min(start + WORDS_A_TALLY, head)):
                parts = _count_word(unit, right, (block * words + word) * 8, left, at + word * 8, parts)
            part0, part1, part2, part3 = parts
            above0, above1 = add(above0, tally(unit, part0)), add(above1, tally(unit, part1))
            above2, above3 = add(above2, tally(unit, part2)), add(above3, tally(unit, part3))
        stays0, stays1 = any_reaches(above0, near0), any_reaches(above1, near1)
        stays2, stays3 = any_reaches(above2, near2), any_reaches(above3, near3)
        if stays0 | stays1 | stays2 | stays3:
            # Written in any case and counted if it stays: further branches would be mispredicted.
            kept = _keep(sums, entries, kept, add(above0, far), row << 32 | block, stays0)
            kept = _keep(sums, entries, kept, add(above1, far), (row + 1) << 32 | block, stays1)
            kept = _keep(sums, entries, kept, add(above2, far), (row + 2) << 32 | block, stays2)
            kept = _keep(sums, entries, kept, add(above3, far), (row + 3) << 32 | block, stays3)
    return kept


@inlined
def _sift_further(
    unit: Any,
    left: Words,
    left_limits: Numbers,
    right: Words,
    right_limits: Numbers,
    shape: tuple[int, int, int, int],
    read: int,
    sums: Numbers,
    entries: Numbers,
    given: int,
) -> int:
    """Count on from the words that are read to the head, and keep in place what stays; give the number of entries."""
    words, head, left_rows, right_rows = shape
    kept = 0
    for entry in range(given):
        row, block = entries[entry] >> 32, entries[entry] & 0xFFFFFFFF
        total, ours = load(sums, entry * 8), (row >> 3) * words * 8 + (row & 7)
        for start in range(read, head, WORDS_A_TALLY):
            part = zero()
            for word in range(start, min(start + WORDS_A_TALLY, head)):
                part = count(unit, part, load(right, (block * words + word) * 8), spread(left, ours + word * 8))
            total = add(total, tally(unit, part))
        one = add(spread(left_limits, row), load(right_limits, right_rows + block * 8))
        other = add(spread(left_limits, left_rows + row), load(right_limits, block * 8))
        kept = _keep(sums, entries, kept, total, entries[entry], any_reaches(total, larger(one, other)))
    return kept


@inlined
def _decide(
    entries: Numbers,
    sums: Numbers,
    given: int,
    left_counts: Numbers,
    right_counts: Numbers,
    threshold: float,
    scores: NDArray[np.float64],
    places: Numbers,
    found: int,
) -> int:
    """Append the pairs whose exact score reaches the threshold; give the number of pairs then."""
    for entry in range(given):
        row, block = entries[entry] >> 32, entries[entry] & 0xFFFFFFFF
        for lane in range(8):
            both = left_counts[row] + right_counts[block * 8 + lane]
            score = 2.0 * sums[entry * 8 + lane] / both
            if score >= threshold:
                scores[found] = score
                places[found] = row << 32 | (block * 8 + lane)
                found += 1
    return found


@compiled
def sift(
    unit: Any,
    left: Words,
    left_counts: Numbers,
    left_limits: Numbers,
    right: Words,
    right_counts: Numbers,
    right_limits: Numbers,
    heads: Numbers,
    windows: Numbers,
    threshold: float,
    part: tuple[int, int, int, int],
    step: int,
    sums: Numbers,
    entries: Numbers,
    scores: NDArray[np.float64],
    places: Numbers,
) -> tuple[int, int]:
    """Find pairs from a step of a part on, until the part ends or the next step might not fit.

    Args:
        unit: a zero of the type that bits are counted by.
        left, right: words, of one axis: word w of row i at ((i >> 3) * words + w) * 8 + (i & 7).
        left_counts, right_counts: the set bits of each row.
        left_limits, right_limits: shape (stages, 2, rows) on one axis.
        heads: words read after each stage, rising; the last is the number of words.
        windows: first and last right block, exclusive, of each left half block, shape (2, half blocks) on one axis.
        threshold: the score that a pair needs, above 0.
        part: first and last left half block, first and last right block; both last are exclusive.
        step: 0, or what was given before.
        sums, entries: room for `ENTRIES` + 1 entries, of eight sums each.
        scores, places: room for what is found, at least 8 * `ENTRIES`.

    Returns:
        How many pairs were found, and the step to go on with, or -1 at the end. A place is left row << 32 | right row.
    """
    first_half, last_half, first_block, last_block = part
    words, rows, others = heads[-1], left_counts.size, right_counts.size
    groups = (last_half - first_half + HALVES - 1) // HALVES
    steps = groups * ((last_block - first_block + TILE - 1) // TILE)
    found = 0 * step  # a literal would be a type of its own, and everything be compiled twice
    for now in range(step, steps):
        if found + 8 * ENTRIES > scores.size:
            return found, now
        tile, group = first_block + now // groups * TILE, first_half + now % groups * HALVES
        kept = 0 * step
        for half in range(group, min(group + HALVES, last_half)):
            first = max(tile, windows[half])
            last = min(tile + TILE, last_block, windows[windows.size // 2 + half])
            kept = _sift_first(
                unit, left, left_limits, right, right_limits, (words, heads[0], rows, others),
                half, first, last, sums, entries, kept,
            )  # fmt: skip
        for stage in range(1, heads.size):
            kept = _sift_further(
                unit, left, left_limits[2 * rows * stage :], right, right_limits[2 * others * stage :],
                (words, heads[stage], rows, others), heads[stage - 1], sums, entries, kept,
            )  # fmt: skip
        found = _decide(entries, sums, kept, left_counts, right_counts, threshold, scores, places, found)
    return found, -1
