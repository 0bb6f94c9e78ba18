"""The engine `kernels`: every pair of rows is compared by compiled code, part by part, in threads or on other machines.

Ten to twenty times as fast as anonlink on a core with AVX-512, and several times with AVX2 (benchmarks/compare.py). The
first comparison on a machine compiles for some seconds; what is compiled is kept (`kernels.compiled`).

Small datasets lie end to end in groups, so that a hundred of them make a few large comparisons instead of thousands. A
large one is cut into slabs, so that no more than two slabs are in memory a second time, as blocks.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.best_of_row import best_of_each_row
from isthmus.coordinator.match.bucket_join import in_buckets
from isthmus.coordinator.match.bucket_search import SPAN_PAIRS, bucket_plan
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Progress, check_comparable, count_comparisons, repeating
from isthmus.coordinator.match.executor import Executor, Own, Shared, ThreadExecutor
from isthmus.coordinator.match.kernel_repeats import OwnSides, compare_own, own_parts, own_sides
from isthmus.coordinator.match.kernels.best import best_pairs
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

GROUP_ROWS: Final = 2**15
"""Rows of a group of several datasets at most: 8 MB of 2,048 bits each."""

SLAB_ROWS: Final = 2**15
"""Rows of one dataset that are compared at once. Making blocks of two slabs takes 3 % of comparing them (measured)."""

PIECE_PAIRS: Final = 2**28
"""Record pairs of a piece at least, if there are so many: half a second, and what a killed worker has to do again."""

VERSION: Final = b"kernels 2"
"""Of what decides what a run of a name holds, beside the arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Datasets that lie end to end, from `first` to before `last`, or a slab of one, from its row `first_row` on.

    `starts` are the first rows of the datasets there, and the end.
    """

    first: int
    last: int
    starts: tuple[int, ...]
    first_row: int = 0

    def places(self, row: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Give the dataset of each row of the group, and its number there."""
        inside = np.searchsorted(self.starts, row, side="right") - 1
        starts = np.array(self.starts, np.uint32)
        return (inside + self.first).astype(np.uint32), row - starts[inside] + np.uint32(self.first_row)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sides:
    """What the pieces of one comparison share. Each dataset of the left group comes before those of the right one."""

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
    slab_rows: int = SLAB_ROWS
    span_pairs: int = SPAN_PAIRS

    def __post_init__(self) -> None:
        """Check that the settings are positive."""
        if min(self.workers, self.piece_pairs, self.group_rows, self.slab_rows, self.span_pairs) < 1:
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
        sizes, repeats = [dataset.rows for dataset in datasets], repeating(datasets)
        whole = Plan(
            sizes=sizes,
            repeating=repeats,
            threshold=threshold,
            total=count_comparisons(sizes, repeating=repeats),
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
    ) -> Iterator[Piece[Sides | OwnSides, tuple[Part, ...]]]:
        cuts = (self.piece_pairs, self.group_rows, self.slab_rows)
        name = search_name(VERSION, datasets, threshold, best_of_row, cuts)
        groups = _groups([dataset.rows for dataset in datasets], self.group_rows, self.slab_rows)
        for number, (left, right, ours, theirs) in enumerate(_sides(datasets, groups)):
            comparison = plan(ours, theirs, threshold=threshold, kernel=self.kernel)
            sides = Sides(left=left, right=right, comparison=comparison, best_of_row=best_of_row)
            for place, own in enumerate(_bundles(parts(comparison), self.piece_pairs)):
                yield _piece(f"{name}-{number}-{place}", sides, own)
        slabs = own_sides(
            datasets, slab_rows=self.slab_rows, threshold=threshold, kernel=self.kernel, best_of_row=best_of_row
        )
        for number, slab in enumerate(slabs):
            for place, own in enumerate(_bundles(own_parts(slab), self.piece_pairs)):
                yield _piece(f"{name}-own-{number}-{place}", slab, own)


def _sides(datasets: Sequence[Dataset], groups: Sequence[Group]) -> Iterator[tuple[Group, Group, Blocks, Blocks]]:
    """Give the sides of comparisons that hold each pair of datasets once, or of slabs of them."""
    for number, left in enumerate(groups):
        others = [right for right in groups[number + 1 :] if right.first >= left.last]
        ours = _blocks(datasets, left) if others else None
        for right in others:
            yield left, right, ours or _blocks(datasets, left), _blocks(datasets, right)
    for group in groups:
        for dataset in range(group.first, group.last - 1):
            left, right = _part_of(group, dataset, dataset + 1), _part_of(group, dataset + 1, group.last)
            yield left, right, _blocks(datasets, left), _blocks(datasets, right)


def _groups(sizes: Sequence[int], group_rows: int, slab_rows: int) -> list[Group]:
    """Give the groups: of whole datasets until there are so many rows, and slabs of datasets that are larger."""
    groups: list[Group] = []
    starts = [0]
    for dataset, size in enumerate(sizes):
        if len(starts) > 1 and starts[-1] + size > group_rows:
            groups += _slabs(dataset - len(starts) + 1, dataset, starts, slab_rows)
            starts = [0]
        starts.append(starts[-1] + size)
    return [*groups, *_slabs(len(sizes) - len(starts) + 1, len(sizes), starts, slab_rows)]


def _slabs(first: int, last: int, starts: Sequence[int], slab_rows: int) -> Iterator[Group]:
    """Give a group of datasets as it is; one of a single dataset in slabs of about one size."""
    slabs = max(1, -(-starts[-1] // slab_rows)) if last - first == 1 else 1
    if slabs == 1:
        yield Group(first=first, last=last, starts=tuple(starts))
        return
    for from_row, to_row in pairwise(starts[-1] * slab // slabs for slab in range(slabs + 1)):
        yield Group(first=first, last=last, starts=(0, to_row - from_row), first_row=from_row)


def _part_of(group: Group, first: int, last: int) -> Group:
    starts = group.starts[first - group.first : last - group.first + 1]
    return Group(first=first, last=last, starts=tuple(start - starts[0] for start in starts))


def _blocks(datasets: Sequence[Dataset], group: Group) -> Blocks:
    inside = [dataset.clks for dataset in datasets[group.first : group.last]]
    if len(inside) == 1:
        return block_rows(inside[0][group.first_row : group.first_row + group.starts[-1]])
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


def _piece(name: str, sides: Sides | OwnSides, own: tuple[Part, ...]) -> Piece[Sides | OwnSides, tuple[Part, ...]]:
    return Piece(name=name, pairs=sum(part.pairs for part in own), shared=sides, own=own)


def halve_piece(piece: Piece[Sides | OwnSides, tuple[Part, ...]]) -> list[Piece[Sides | OwnSides, tuple[Part, ...]]]:
    """Cut a piece in two; a piece of one part of one block a side is not cut, for no room is too small for it."""
    own = piece.own if len(piece.own) > 1 else halved(piece.own[0])
    middle = len(own) // 2
    return [
        _piece(f"{piece.name}{half}", piece.shared, some) for half, some in (("a", own[:middle]), ("b", own[middle:]))
    ]


def compare_piece(sides: Sides | OwnSides, own: tuple[tuple[Part, ...], int]) -> Portion:
    """Find the candidate pairs of a piece; `search.Work`."""
    some, room = own
    if isinstance(sides, OwnSides):
        return compare_own(sides, some, room)
    if sides.best_of_row:
        return _best_of_rows(sides, some, sides.best_of_row)
    return _all_in_room(sides, chain.from_iterable(join(sides.comparison, part) for part in some), room)


def _all_in_room(sides: Sides, found: Iterable[Pairs], room: int) -> Portion:
    steps, chunks, held = np.zeros(STEPS + 1, np.int64), list[Records](), 0
    for pairs in found:
        steps += count_steps(pairs.similarity)
        held += len(pairs)
        chunks = [*chunks, _packed(sides, pairs)] if held <= room else []
    return Portion(records=np.sort(np.concatenate(chunks)) if held <= room else None, steps=steps)


def _best_of_rows(sides: Sides, some: Iterable[Part], k: int) -> Portion:
    """Give the best of the rows of a piece: all that can be among the best in the end.

    A pair that is out stays out, for what comes later only pushes it further down.
    """
    records = np.empty(0, RECORD)
    for part in some:
        starts = {"left_starts": sides.left.starts, "right_starts": sides.right.starts}
        found = np.sort(np.concatenate([records, _packed(sides, best_pairs(sides.comparison, part, k=k, **starts))]))
        records = found[best_of_each_row(unpack_pairs([found]), k=k)]
    return Portion(records=records, steps=count_steps(similarities(records)))


def _packed(sides: Sides, found: Pairs) -> Records:
    left_dataset, left_row = sides.left.places(found.left_row)
    right_dataset, right_row = sides.right.places(found.right_row)
    return pack_pairs(found.similarity, left_dataset, right_dataset, left_row, right_row)
