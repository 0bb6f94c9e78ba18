"""The engine `anonlink`: every pair of rows is compared by anonlink, in blocks, in this process or in several.

Cost: about 50 million pairs a second and core at l = 1024 (measured at threshold 0.8 with 300 to 450 bits set), so
three providers of 100,000 rows take some five minutes on two free cores. A matrix product of 0/1 floats, the other
exact way that needs no compiler, was measured at 40 million.
"""

import multiprocessing
import signal
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain, combinations, product
from multiprocessing.process import BaseProcess

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.best_of_row import best_of_each_row
from isthmus.coordinator.match.bucket_join import SpanRows, in_buckets
from isthmus.coordinator.match.bucket_search import Found, bucket_plan
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Progress, check_comparable, count_comparisons, repeating
from isthmus.coordinator.match.executor import Executor, Job, Own, Result, Shared, ThreadExecutor, as_ready
from isthmus.coordinator.match.records import count_steps, pack_pairs, unpack_pairs
from isthmus.coordinator.match.reference import dice_pairs
from isthmus.coordinator.match.runs import MemoryRuns, Runs
from isthmus.coordinator.match.search import (
    DEFAULT_MAX_PAIRS_OF_ROW,
    DEFAULT_MEMORY_BYTES,
    Limits,
    Piece,
    Plan,
    Portion,
    search,
    search_name,
)

LEFT_ROWS, RIGHT_ROWS = 2048, 4096
"""Rows of a block. The right side stays in the second-level cache (512 KiB at l = 1024), and a block of nothing but
candidates, the worst that a worker can meet, peaks at 410 MB in all (measured)."""

SPAN_PAIRS = 2**21
"""Pairs of a piece of rows that share buckets: some seconds, because each bucket is a call of its own."""

WORTH_A_POOL = 50_000_000
"""Pairs below which starting worker processes costs more than it gains."""


VERSION = b"anonlink 1"
"""Of what decides what a run of a name holds, beside the arguments."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Block:
    """One part of the work: some rows of one dataset against some rows of another, or of the same."""

    left_dataset: int
    right_dataset: int
    first_left_row: int
    first_right_row: int
    left: NDArray[np.uint8]
    right: NDArray[np.uint8]
    threshold: float
    best_of_row: int | None

    @property
    def pairs(self) -> int:
        """How many pairs of rows it compares."""
        return len(self.left) * len(self.right)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnonlinkEngine:
    """A `SimilarityEngine` on anonlink's Dice coefficient.

    `workers` processes do the work, 1 for none but this one, or the executor if one is given; the result is the same
    bytes whoever does it. The limits are explained at `Limits`. Raises `ValueError` unless all numbers are positive.
    """

    workers: int
    max_pairs: int
    max_pairs_of_row: int = DEFAULT_MAX_PAIRS_OF_ROW
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    executor: Executor | None = None
    worth_a_pool: int = WORTH_A_POOL
    span_pairs: int = SPAN_PAIRS

    def __post_init__(self) -> None:
        """Check that the settings are positive."""
        if min(self.workers, self.span_pairs) < 1:
            raise ValueError("workers must be positive")
        self._limits()

    def _limits(self) -> Limits:
        return Limits(max_pairs=self.max_pairs, max_pairs_of_row=self.max_pairs_of_row, memory_bytes=self.memory_bytes)

    def candidate_pairs(
        self,
        datasets: Sequence[Dataset],
        *,
        threshold: float,
        progress: Progress,
        best_of_row: int | None = None,
        runs: Runs | None = None,
    ) -> CandidatePairs:
        """Give every candidate pair, best first; see `SimilarityEngine`."""
        check_comparable(datasets, threshold)
        if in_buckets(datasets):
            by_buckets = bucket_plan(
                datasets,
                version=VERSION,
                threshold=threshold,
                best_of_row=best_of_row,
                compare=bucket_pairs,
                travels=True,
                span_pairs=self.span_pairs,
            )
            return self._search(by_buckets, runs, progress)
        sizes, repeats = [dataset.rows for dataset in datasets], repeating(datasets)
        total = count_comparisons(sizes, repeating=repeats)
        name = search_name(VERSION, datasets, threshold, best_of_row, (LEFT_ROWS, RIGHT_ROWS))
        blocks = enumerate(_blocks(datasets, threshold, best_of_row))
        whole = Plan(
            sizes=sizes,
            repeating=repeats,
            threshold=threshold,
            total=total,
            best_of_row=best_of_row,
            pieces=(_piece(f"{name}-{number}", block) for number, block in blocks),
            work=compare_block,
            halve=halve_block,
        )
        return self._search(whole, runs, progress)

    def _search(self, whole: Plan[Shared, Own], runs: Runs | None, progress: Progress) -> CandidatePairs:
        return search(
            whole,
            executor=self.executor or self._own_executor(whole.total),
            runs=runs or MemoryRuns(),
            limits=self._limits(),
            progress=progress,
        )

    def _own_executor(self, total: int) -> Executor:
        if self.workers == 1 or total < self.worth_a_pool:
            return ThreadExecutor(workers=1)
        return ProcessExecutor(workers=self.workers)


def compare_block(_shared: None, own: tuple[Block, int]) -> Portion:
    """Find the candidate pairs of a block; `search.Work`."""
    block, room = own
    similarity, left_row, right_row = _pairs_of(block)
    steps = count_steps(similarity)
    if similarity.size > room and block.best_of_row is None:
        return Portion(records=None, steps=steps)
    records = np.sort(
        pack_pairs(
            similarity,
            np.full(similarity.size, block.left_dataset, np.uint32),
            np.full(similarity.size, block.right_dataset, np.uint32),
            left_row,
            right_row,
        )
    )
    if block.best_of_row is not None:
        repeats = frozenset({block.left_dataset} & {block.right_dataset})
        records = records[best_of_each_row(unpack_pairs([records], repeating=repeats), k=block.best_of_row)]
    return Portion(records=records, steps=steps)


def _pairs_of(block: Block) -> tuple[NDArray[np.float64], NDArray[np.uint32], NDArray[np.uint32]]:
    """Give similarity and rows of the pairs of a block, each once: inside a dataset, the left row comes first."""
    similarity, left_row, right_row = dice_pairs(block.left, block.right, block.threshold)
    left_row, right_row = left_row + np.uint32(block.first_left_row), right_row + np.uint32(block.first_right_row)
    if block.left_dataset != block.right_dataset:
        return similarity, left_row, right_row
    once = left_row < right_row
    return similarity[once], left_row[once], right_row[once]


def bucket_pairs(rows: SpanRows, threshold: float) -> Iterator[Found]:
    """Give the pairs of a span that qualify, `LEFT_ROWS` against `RIGHT_ROWS` at once; `bucket_search.Compare`."""
    clks = rows.words.view(np.uint8)
    for ours, theirs in rows.stretches.inside(rows.span):
        for left, right in product(
            range(ours.start, ours.stop, LEFT_ROWS), range(theirs.start, theirs.stop, RIGHT_ROWS)
        ):
            one = clks[left : min(left + LEFT_ROWS, ours.stop)]
            other = clks[right : min(right + RIGHT_ROWS, theirs.stop)]
            similarity, left_row, right_row = dice_pairs(one, other, threshold)
            yield similarity, left_row.astype(np.int64) + left, right_row.astype(np.int64) + right


def halve_block(piece: Piece[None, Block]) -> list[Piece[None, Block]]:
    """Cut a block in two along its longer side."""
    block = piece.own
    if len(block.left) >= len(block.right):
        middle = len(block.left) // 2
        halves = (
            replace(block, left=block.left[:middle]),
            replace(block, left=block.left[middle:], first_left_row=block.first_left_row + middle),
        )
    else:
        middle = len(block.right) // 2
        halves = (
            replace(block, right=block.right[:middle]),
            replace(block, right=block.right[middle:], first_right_row=block.first_right_row + middle),
        )
    return [_piece(f"{piece.name}{half}", each) for half, each in zip("ab", halves, strict=True)]


def _piece(name: str, block: Block) -> Piece[None, Block]:
    return Piece(name=name, pairs=block.pairs, shared=None, own=block)


def _blocks(datasets: Sequence[Dataset], threshold: float, best_of_row: int | None) -> Iterator[Block]:
    repeats = [(place, datasets[place]) for place in sorted(repeating(datasets))]
    both_sides = chain(combinations(enumerate(datasets), 2), zip(repeats, repeats, strict=True))
    for (left_dataset, left), (right_dataset, right) in both_sides:
        for first_left_row, first_right_row in product(
            range(0, left.rows, LEFT_ROWS), range(0, right.rows, RIGHT_ROWS)
        ):
            if left_dataset == right_dataset and first_right_row + RIGHT_ROWS <= first_left_row:
                continue  # these pairs are in the block of the two sides exchanged
            yield Block(
                left_dataset=left_dataset,
                right_dataset=right_dataset,
                first_left_row=first_left_row,
                first_right_row=first_right_row,
                left=left.clks[first_left_row : first_left_row + LEFT_ROWS],
                right=right.clks[first_right_row : first_right_row + RIGHT_ROWS],
                threshold=threshold,
                best_of_row=best_of_row,
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessExecutor:
    """An `Executor` of that many processes."""

    workers: int

    @property
    def ahead(self) -> int:
        """Two for each process, so that none waits for the caller."""
        return 2 * self.workers

    def completed(
        self, work: Callable[[Shared, Own], Result], jobs: Iterable[Job[Shared, Own]]
    ) -> Generator[tuple[int, Result]]:
        """See `Executor`."""
        # A forked child would inherit a server's locks, connections and secrets; a spawned one gets its blocks only.
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=tie_to_parent)
        try:
            yield from as_ready(pool, work, enumerate(jobs), ahead=self.ahead)
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
