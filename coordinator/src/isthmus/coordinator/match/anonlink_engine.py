"""The engine `anonlink`: every pair of rows is compared by anonlink, in blocks, in this process or in several.

Cost: about 50 million pairs a second and core at l = 1024 (measured at threshold 0.8 with 300 to 450 bits set), so
three providers of 100,000 rows take some five minutes on two free cores. A matrix product of 0/1 floats, the other
exact way that needs no compiler, was measured at 40 million.
"""

import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import combinations, product
from multiprocessing.process import BaseProcess

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Found, Progress, check_comparable, merge_found
from isthmus.coordinator.match.errors import TooManyCandidates
from isthmus.coordinator.match.reference import dice_pairs

LEFT_ROWS, RIGHT_ROWS = 2048, 4096
"""Rows of a block. The right side stays in the second-level cache (512 KiB at l = 1024), and a block of nothing but
candidates, the worst that a worker can meet, peaks at 410 MB in all (measured)."""

WORTH_A_POOL = 50_000_000
"""Pairs below which starting worker processes costs more than it gains."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """One part of the work: some rows of one dataset against some rows of another."""

    left_dataset: int
    right_dataset: int
    first_left_row: int
    first_right_row: int
    left: NDArray[np.uint8]
    right: NDArray[np.uint8]
    threshold: float

    @property
    def pairs(self) -> int:
        """How many pairs of rows it compares."""
        return len(self.left) * len(self.right)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonlinkEngine:
    """A `SimilarityEngine` on anonlink's Dice coefficient.

    `workers` processes at most, 1 for none but this one; the result is the same bytes whatever their number. More than
    `max_pairs` candidate pairs are refused as soon as they are seen. Raises `ValueError` unless both are positive.
    """

    workers: int
    max_pairs: int
    worth_a_pool: int = WORTH_A_POOL

    def __post_init__(self) -> None:
        """Check that the settings are positive."""
        if self.workers < 1 or self.max_pairs < 1:
            raise ValueError("workers and max_pairs must be positive")

    def candidate_pairs(self, datasets: Sequence[Dataset], *, threshold: float, progress: Progress) -> CandidatePairs:
        """Give every candidate pair, best first; see `SimilarityEngine`."""
        check_comparable(datasets, threshold)
        total = sum(left.rows * right.rows for left, right in combinations(datasets, 2))
        progress(0, total)
        parts, held, done = [], 0, 0
        with closing(self._compared(_blocks(datasets, threshold), total)) as compared:
            for block_pairs, found in compared:
                held += found.similarity.size
                if held > self.max_pairs:
                    raise TooManyCandidates(threshold=threshold, limit=self.max_pairs)
                parts.append(found)
                done += block_pairs
                progress(done, total)
        return merge_found(parts)

    def _compared(self, blocks: Iterator[Block], total: int) -> Generator[tuple[int, Found]]:
        if self.workers == 1 or total < self.worth_a_pool:
            yield from map(compare_block, blocks)
        else:
            yield from _compared_in_pool(blocks, self.workers)


def compare_block(block: Block) -> tuple[int, Found]:
    """Give how many pairs the block compares, and the candidate pairs among them."""
    similarity, left_row, right_row = dice_pairs(block.left, block.right, block.threshold)
    return block.pairs, Found(
        left_dataset=block.left_dataset,
        right_dataset=block.right_dataset,
        similarity=similarity,
        left_row=left_row + np.uint32(block.first_left_row),
        right_row=right_row + np.uint32(block.first_right_row),
    )


def _blocks(datasets: Sequence[Dataset], threshold: float) -> Iterator[Block]:
    for (left_dataset, left), (right_dataset, right) in combinations(enumerate(datasets), 2):
        for first_left_row, first_right_row in product(
            range(0, left.rows, LEFT_ROWS), range(0, right.rows, RIGHT_ROWS)
        ):
            yield Block(
                left_dataset=left_dataset,
                right_dataset=right_dataset,
                first_left_row=first_left_row,
                first_right_row=first_right_row,
                left=left.clks[first_left_row : first_left_row + LEFT_ROWS],
                right=right.clks[first_right_row : first_right_row + RIGHT_ROWS],
                threshold=threshold,
            )


def _compared_in_pool(blocks: Iterator[Block], workers: int) -> Generator[tuple[int, Found]]:
    """Give what `compare_block` gives for each block, in order, a few blocks ahead of the caller at most."""
    waiting: deque[Future[tuple[int, Found]]] = deque()
    # A forked child would inherit a server's locks, connections and secrets; a spawned one gets its blocks only.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=tie_to_parent)
    try:
        for block in blocks:
            waiting.append(pool.submit(compare_block, block))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def tie_to_parent() -> None:
    """Leave interrupts to the parent, which shuts its workers down, and end this process when the parent dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    end_with(*[parent] if parent else [])


def end_with(*parents: BaseProcess) -> list[threading.Thread]:
    """Watch each of the processes, and ask this one to end as soon as one of them has; give the watching threads."""
    watching = [threading.Thread(target=_follow, args=(parent,), daemon=True) for parent in parents]
    for thread in watching:
        thread.start()
    return watching


def _follow(parent: BaseProcess) -> None:
    parent.join()
    signal.raise_signal(signal.SIGTERM)
