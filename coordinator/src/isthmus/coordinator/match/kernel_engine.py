"""The engine `kernels`: every pair of rows is compared by compiled code, part by part, in threads of this process.

Ten to twenty times as fast as anonlink on a core with AVX-512, and several times with AVX2 (benchmarks/compare.py). The
first comparison on a machine compiles for some seconds; what is compiled is kept (`kernels.compiled`).
"""

from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from threading import Lock

import numpy as np

from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Found, Progress, check_comparable, merge_found
from isthmus.coordinator.match.errors import TooManyCandidates
from isthmus.coordinator.match.kernels.blocks import block_rows
from isthmus.coordinator.match.kernels.comparison import Comparison, Part, join, parts, plan
from isthmus.coordinator.match.kernels.processors import Kernel, host_kernel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """One part of the comparison of two datasets."""

    left_dataset: int
    right_dataset: int
    comparison: Comparison
    part: Part


class Room:
    """How many more candidate pairs may be held; threads share it."""

    def __init__(self, *, threshold: float, limit: int) -> None:
        """Begin with all of the limit; the threshold is for the refusal."""
        self._threshold, self._limit, self._held, self._lock = threshold, limit, 0, Lock()

    def take(self, pairs: int) -> None:
        """Hold so many more, or raise `TooManyCandidates`."""
        with self._lock:
            self._held += pairs
            if self._held > self._limit:
                raise TooManyCandidates(threshold=self._threshold, limit=self._limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelEngine:
    """A `SimilarityEngine` on the comparison kernels.

    `workers` threads at most; the result is the same bytes whatever their number and whatever the kernel. If none is
    given, it is the one that suits this processor. More than `max_pairs` candidate pairs are refused as soon as they
    are seen. Raises `ValueError` unless both numbers are positive.
    """

    workers: int
    max_pairs: int
    kernel: Kernel = field(default_factory=host_kernel)

    def __post_init__(self) -> None:
        """Check that the settings are positive."""
        if self.workers < 1 or self.max_pairs < 1:
            raise ValueError("workers and max_pairs must be positive")

    def candidate_pairs(self, datasets: Sequence[Dataset], *, threshold: float, progress: Progress) -> CandidatePairs:
        """Give every candidate pair, best first; see `SimilarityEngine`."""
        check_comparable(datasets, threshold)
        total = sum(left.rows * right.rows for left, right in combinations(datasets, 2))
        progress(0, total)
        room, found, done = Room(threshold=threshold, limit=self.max_pairs), [], 0
        with closing(self._compared(self._tasks(datasets, threshold), room)) as compared:
            for task, part_found in compared:
                found.append(part_found)
                # Rows that fill a block count too, and rows without a bit do not: the end is set right below.
                done = min(total, done + task.part.pairs)
                progress(done, total)
        progress(total, total)
        return merge_found(found)

    def _tasks(self, datasets: Sequence[Dataset], threshold: float) -> Iterator[Task]:
        sides = [block_rows(dataset.clks) for dataset in datasets]
        for (left_dataset, left), (right_dataset, right) in combinations(enumerate(sides), 2):
            comparison = plan(left, right, threshold=threshold, kernel=self.kernel)
            for part in parts(comparison):
                yield Task(left_dataset=left_dataset, right_dataset=right_dataset, comparison=comparison, part=part)

    def _compared(self, tasks: Iterator[Task], room: Room) -> Generator[tuple[Task, Found]]:
        compare = partial(compare_task, room=room)
        if self.workers == 1:
            yield from ((task, compare(task)) for task in tasks)
            return
        waiting: deque[tuple[Task, Future[Found]]] = deque()
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="compare")
        try:
            for task in tasks:
                waiting.append((task, pool.submit(compare, task)))
                if len(waiting) > 2 * self.workers:
                    yield _awaited(waiting)
            while waiting:
                yield _awaited(waiting)
        finally:
            pool.shutdown(cancel_futures=True)


def _awaited(waiting: deque[tuple[Task, Future[Found]]]) -> tuple[Task, Found]:
    task, future = waiting.popleft()
    return task, future.result()


def compare_task(task: Task, *, room: Room) -> Found:
    """Give the candidate pairs of a part, each chunk of which takes room first."""
    chunks = []
    for pairs in join(task.comparison, task.part):
        room.take(len(pairs))
        chunks.append(pairs)
    return Found(
        left_dataset=task.left_dataset,
        right_dataset=task.right_dataset,
        similarity=np.concatenate([each.similarity for each in chunks]),
        left_row=np.concatenate([each.left_row for each in chunks]),
        right_row=np.concatenate([each.right_row for each in chunks]),
    )
