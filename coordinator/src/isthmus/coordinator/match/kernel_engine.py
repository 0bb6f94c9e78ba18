"""The engine `kernels`: every pair of rows is compared by compiled code, part by part, in threads or on other machines.

Ten to twenty times as fast as anonlink on a core with AVX-512, and several times with AVX2 (benchmarks/compare.py). The
first comparison on a machine compiles for some seconds; what is compiled is kept (`kernels.compiled`).

Small datasets lie end to end in groups, so that a hundred of them make a few large comparisons instead of thousands.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.best_of_row import best_of_each_row
from isthmus.coordinator.match.bucket_join import in_buckets
from isthmus.coordinator.match.bucket_search import SPAN_PAIRS, bucket_plan
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Progress, check_comparable
from isthmus.coordinator.match.executor import Executor, Own, Shared, ThreadExecutor
from isthmus.coordinator.match.kernels.blocks import Blocks, block_rows
from isthmus.coordinator.match.kernels.buckets import bucket_pairs
from isthmus.coordinator.match.kernels.comparison import Comparison, Pairs, Part, halved, join, parts, plan
from isthmus.coordinator.match.kernels.processors import Kernel, host_kernel
from isthmus.coordinator.match.records import STEPS, count_steps, pack_pairs, similarities, unpack_pairs
from isthmus.coordinator.match.runs import RECORD, MemoryRuns, Records, Runs
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

GROUP_ROWS: Final = 2**17
"""Rows of a group at most, unless one dataset has more: 32 MB of 2,048 bits each."""

PIECE_PAIRS: Final = 2**28
"""Record pairs of a piece at least, if there are so many: half a second, and what a killed worker has to do again."""

VERSION: Final = b"kernels 1"
"""Of what decides what a run of a name holds, beside the arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Datasets that lie end to end, from `first` to before `last`; `starts` are their first rows there, and the end."""

    first: int
    last: int
    starts: tuple[int, ...]

    def places(self, row: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Give the dataset of each row of the group, and its number there."""
        inside = np.searchsorted(self.starts, row, side="right") - 1
        starts = np.array(self.starts, np.uint32)
        return (inside + self.first).astype(np.uint32), row - starts[inside]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sides:
    """What the pieces of one comparison share. Every dataset of the left group comes before those of the right one."""

    left: Group
    right: Group
    comparison: Comparison
    best_of_row: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelEngine:
    """A `SimilarityEngine` on the comparison kernels.

    `workers` threads do the work, or the executor if one is given; the result is the same bytes whoever does it and
    whatever the kernel. If no kernel is given, it is the one that suits this processor. The limits are explained at
    `Limits`. Raises `ValueError` unless all numbers are positive.
    """

    workers: int
    max_pairs: int
    max_pairs_of_row: int = DEFAULT_MAX_PAIRS_OF_ROW
    memory_bytes: int = DEFAULT_MEMORY_BYTES
    executor: Executor | None = None
    kernel: Kernel = field(default_factory=host_kernel)
    piece_pairs: int = PIECE_PAIRS
    group_rows: int = GROUP_ROWS
    span_pairs: int = SPAN_PAIRS

    def __post_init__(self) -> None:
        """Check that the settings are positive."""
        if min(self.workers, self.piece_pairs, self.group_rows, self.span_pairs) < 1:
            raise ValueError("workers and sizes must be positive")
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
                compare=partial(bucket_pairs, kernel=self.kernel),
                travels=False,
                span_pairs=self.span_pairs,
            )
            return self._search(by_buckets, runs, progress)
        whole = Plan(
            sizes=[dataset.rows for dataset in datasets],
            threshold=threshold,
            total=sum(left.rows * right.rows for left, right in combinations(datasets, 2)),
            best_of_row=best_of_row,
            pieces=self._pieces(datasets, threshold, best_of_row),
            work=compare_piece,
            halve=halve_piece,
        )
        return self._search(whole, runs, progress)

    def _search(self, whole: Plan[Shared, Own], runs: Runs | None, progress: Progress) -> CandidatePairs:
        return search(
            whole,
            executor=self.executor or ThreadExecutor(workers=self.workers),
            runs=runs or MemoryRuns(),
            limits=self._limits(),
            progress=progress,
        )

    def _pieces(
        self, datasets: Sequence[Dataset], threshold: float, best_of_row: int | None
    ) -> Iterator[Piece[Sides, tuple[Part, ...]]]:
        name = search_name(VERSION, datasets, threshold, best_of_row, (self.piece_pairs, self.group_rows))
        for number, (left, right, ours, theirs) in enumerate(_sides(datasets, self.group_rows)):
            comparison = plan(ours, theirs, threshold=threshold, kernel=self.kernel)
            sides = Sides(left=left, right=right, comparison=comparison, best_of_row=best_of_row)
            for place, own in enumerate(_bundles(parts(comparison), self.piece_pairs)):
                yield _piece(f"{name}-{number}-{place}", sides, own)


def _sides(datasets: Sequence[Dataset], group_rows: int) -> Iterator[tuple[Group, Group, Blocks, Blocks]]:
    """Give the sides of comparisons that hold each pair of datasets once."""
    groups = _groups([dataset.rows for dataset in datasets], group_rows)
    blocks = [_blocks(datasets, group) for group in groups]
    for (left, ours), (right, theirs) in combinations(zip(groups, blocks, strict=True), 2):
        yield left, right, ours, theirs
    for group in groups:
        for dataset in range(group.first, group.last - 1):
            left, right = _part_of(group, dataset, dataset + 1), _part_of(group, dataset + 1, group.last)
            yield left, right, _blocks(datasets, left), _blocks(datasets, right)


def _groups(sizes: Sequence[int], group_rows: int) -> list[Group]:
    groups: list[Group] = []
    starts = [0]
    for dataset, size in enumerate(sizes):
        if len(starts) > 1 and starts[-1] + size > group_rows:
            groups.append(Group(first=dataset - len(starts) + 1, last=dataset, starts=tuple(starts)))
            starts = [0]
        starts.append(starts[-1] + size)
    return [*groups, Group(first=len(sizes) - len(starts) + 1, last=len(sizes), starts=tuple(starts))]


def _part_of(group: Group, first: int, last: int) -> Group:
    starts = group.starts[first - group.first : last - group.first + 1]
    return Group(first=first, last=last, starts=tuple(start - starts[0] for start in starts))


def _blocks(datasets: Sequence[Dataset], group: Group) -> Blocks:
    inside = [dataset.clks for dataset in datasets[group.first : group.last]]
    return block_rows(np.concatenate(inside) if inside else np.empty((0, 8), np.uint8))


def _bundles(pieces: Sequence[Part], pairs: int) -> Iterator[tuple[Part, ...]]:
    """Put parts together until they compare so many pairs."""
    bundle: list[Part] = []
    for part in pieces:
        bundle.append(part)
        if sum(each.pairs for each in bundle) >= pairs:
            yield tuple(bundle)
            bundle = []
    if bundle:
        yield tuple(bundle)


def _piece(name: str, sides: Sides, own: tuple[Part, ...]) -> Piece[Sides, tuple[Part, ...]]:
    return Piece(name=name, pairs=sum(part.pairs for part in own), shared=sides, own=own)


def halve_piece(piece: Piece[Sides, tuple[Part, ...]]) -> list[Piece[Sides, tuple[Part, ...]]]:
    """Cut a piece in two; a piece of one part of one block a side is not cut, for no room is too small for it."""
    own = piece.own if len(piece.own) > 1 else halved(piece.own[0])
    middle = len(own) // 2
    return [
        _piece(f"{piece.name}{half}", piece.shared, some) for half, some in (("a", own[:middle]), ("b", own[middle:]))
    ]


def compare_piece(sides: Sides, own: tuple[tuple[Part, ...], int]) -> Portion:
    """Find the candidate pairs of a piece; `search.Work`."""
    some, room = own
    found = chain.from_iterable(join(sides.comparison, part) for part in some)
    return _best_of_rows(sides, found, room) if sides.best_of_row else _all_in_room(sides, found, room)


def _all_in_room(sides: Sides, found: Iterable[Pairs], room: int) -> Portion:
    steps, chunks, held = np.zeros(STEPS + 1, np.int64), list[Records](), 0
    for pairs in found:
        steps += count_steps(pairs.similarity)
        held += len(pairs)
        chunks = [*chunks, _packed(sides, pairs)] if held <= room else []
    return Portion(records=np.sort(np.concatenate(chunks)) if held <= room else None, steps=steps)


def _best_of_rows(sides: Sides, found: Iterable[Pairs], room: int) -> Portion:
    """Give the best of the rows of a piece: all that can be among the best in the end."""
    chunks, held = [np.empty(0, RECORD)], 0
    for pairs in found:
        chunks.append(_packed(sides, pairs))
        held += len(pairs)
        if held > room:
            # Later pairs only push a pair further down: one that is out stays out.
            chunks = [_best(chunks, sides)]
            held = len(chunks[0])
            room = max(room, 2 * held)
    records = _best(chunks, sides)
    return Portion(records=records, steps=count_steps(similarities(records)))


def _packed(sides: Sides, found: Pairs) -> Records:
    left_dataset, left_row = sides.left.places(found.left_row)
    right_dataset, right_row = sides.right.places(found.right_row)
    return pack_pairs(found.similarity, left_dataset, right_dataset, left_row, right_row)


def _best(chunks: Sequence[Records], sides: Sides) -> Records:
    records = np.sort(np.concatenate(chunks))
    best: Records = records[best_of_each_row(unpack_pairs([records]), k=sides.best_of_row or 0)]
    return best
