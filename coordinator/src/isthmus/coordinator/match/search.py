"""How an engine looks for candidate pairs: piece by piece, in bounded memory, from where an earlier try stopped.

What a piece finds is sorted and kept as a run; what has a run is not looked for again. At last the runs are merged.
Once there are more pairs than allowed, the rest is only counted, so that the refusal can say what would fit.
"""

import hashlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Final, Generic

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.best_of_row import BestOfEachRow
from isthmus.coordinator.match.crowding import check_pairs, check_rows
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Progress
from isthmus.coordinator.match.executor import Executor, Job, Own, Shared
from isthmus.coordinator.match.records import STEPS, count_steps, gather_pairs, similarities, unpack_pairs
from isthmus.coordinator.match.runs import RECORD, Records, Runs, merged

COPIES: Final = 3
"""How often what a piece found is in memory at its worst: as chunks, as records, and sorted."""

MERGED_COPIES: Final = 8
"""How much of itself a part of merged runs takes: as it was kept, joined, sorted, as columns, and in order of rows."""

DEFAULT_MAX_PAIRS_OF_ROW: Final = 10_000
"""A person has a row or two at each provider: who has so many candidates is a stand-in, or nearly empty."""

DEFAULT_MEMORY_BYTES: Final = 2**28

FEWEST_AT_ONCE: Final = 256
"""Records that a piece may give back in the smallest memory: more than the smallest piece compares."""


ROWS_AT_ONCE: Final = 4096
"""Rows that are laid side by side at once for the name of a search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is held.

    Attributes:
        max_pairs: candidate pairs in all.
        max_pairs_of_row: candidate pairs of one row with rows of all others.
        memory_bytes: for what is found and not yet kept, and for merging; the result itself comes on top.
    """

    max_pairs: int
    max_pairs_of_row: int
    memory_bytes: int

    def __post_init__(self) -> None:
        """Check that something may be held."""
        if min(self.max_pairs, self.max_pairs_of_row, self.memory_bytes) < 1:
            raise ValueError("max_pairs and the other limits must be positive")

    @property
    def merged_at_once(self) -> int:
        """How many records are merged at once."""
        return max(FEWEST_AT_ONCE, self.memory_bytes // (MERGED_COPIES * RECORD.itemsize))

    def at_once(self, ahead: int) -> int:
        """Give how many records one piece may give back while `ahead` of them are under way."""
        return max(FEWEST_AT_ONCE, self.memory_bytes // (COPIES * RECORD.itemsize * max(1, ahead)))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Piece(Generic[Shared, Own]):
    """A piece of the work: what it finds does not depend on the others.

    `name` names its run, and with it everything that decides what is found. `pairs` is what it compares.
    """

    name: str
    pairs: int
    shared: Shared
    own: Own


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Portion:
    """What a piece found: its records in order, or none where they were more than it had room for; and their steps.

    `steps` is int64 of shape (STEPS + 1,): `records.count_steps`.
    """

    records: Records | None
    steps: NDArray[np.int64]


Work = Callable[[Shared, tuple[Own, int]], Portion]
"""Does a piece, given what it shares, its own part, and the room: how many records it may give back; 0 for counting."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plan(Generic[Shared, Own]):
    """A whole comparison in pieces.

    Attributes:
        sizes: rows of each dataset.
        repeating: the datasets that are compared with themselves.
        threshold: the similarity that pairs were found from.
        total: record pairs that all pieces compare.
        best_of_row: as in `SimilarityEngine.candidate_pairs`; pieces may give more than these.
        pieces: one after another, made when there is room for them.
        work: what does a piece; the module-level name of a function.
        halve: cuts a piece that found too much at once.
    """

    sizes: Sequence[int]
    repeating: frozenset[int]
    threshold: float
    total: int
    best_of_row: int | None
    pieces: Iterable[Piece[Shared, Own]]
    work: Work[Shared, Own]
    halve: Callable[[Piece[Shared, Own]], Sequence[Piece[Shared, Own]]]


@dataclass(slots=True, kw_only=True)
class _Tally:
    """How far the search is: pairs compared, pairs found by steps of similarity, and the runs that hold them."""

    max_pairs: float
    done: int = 0
    told: int = 0
    names: list[str] = field(default_factory=list)
    steps: NDArray[np.int64] = field(default_factory=lambda: np.zeros(STEPS + 1, np.int64))

    def add(self, compared: int, steps: NDArray[np.int64]) -> None:
        self.done += compared
        self.steps += steps

    def is_over(self, more: NDArray[np.int64] | None = None) -> bool:
        """Say whether there are too many pairs already, or with more, so that the rest is only counted."""
        return int(self.steps.sum() + (0 if more is None else more.sum())) > self.max_pairs


def search_name(
    version: bytes, datasets: Sequence[Dataset], threshold: float, best_of_row: int | None, cuts: tuple[int, ...]
) -> str:
    """Give the name of a search, the beginning of the names of its pieces: 32 hexadecimal digits.

    It covers whatever decides what a piece finds: the engine's version, all rows, what is asked, and how it is cut.
    """
    digest = hashlib.sha256(version)
    digest.update(
        repr((threshold, best_of_row, cuts, [(dataset.clks.shape, dataset.repeats) for dataset in datasets])).encode()
    )
    for dataset in datasets:
        for first in range(0, dataset.rows, ROWS_AT_ONCE):
            digest.update(np.ascontiguousarray(dataset.clks[first : first + ROWS_AT_ONCE]).data)
        if dataset.buckets is not None:
            digest.update(np.ascontiguousarray(dataset.buckets).data)
    return digest.hexdigest()[:32]


def search(
    plan: Plan[Shared, Own], *, executor: Executor, runs: Runs, limits: Limits, progress: Progress
) -> CandidatePairs:
    """Give the candidate pairs that a plan's pieces find, best first.

    Raises:
        TooManyCandidates: there are more than `limits` allow in all; not asked of the best of each row, which are no
            more than the rows and k are good for.
        CrowdedRows: there are more than `limits` allow of some row; not asked of the best of each row either.
    """
    progress(0, plan.total)
    # The best of each row are told apart when the runs are merged, so they are counted then.
    tally = _Tally(max_pairs=inf if plan.best_of_row else limits.max_pairs)
    waiting = plan.pieces
    while waiting:
        told = partial(_tell, tally, plan.total, progress)
        waiting = _searched(
            plan, waiting, tally, executor=executor, runs=runs, room=limits.at_once(executor.ahead), told=told
        )
    if plan.best_of_row is None:
        check_pairs(tally.steps, threshold=plan.threshold, limit=limits.max_pairs)
    if tally.told < plan.total:
        progress(plan.total, plan.total)
    return _gathered(plan, runs, tally.names, limits)


def _tell(tally: _Tally, total: int, progress: Progress) -> None:
    # Rows that fill a block count too, and rows without a bit do not: the end is set when all is done.
    tally.told = min(total, tally.done)
    progress(tally.told, total)


def _searched(
    plan: Plan[Shared, Own],
    pieces: Iterable[Piece[Shared, Own]],
    tally: _Tally,
    *,
    executor: Executor,
    runs: Runs,
    room: int,
    told: Callable[[], None],
) -> list[Piece[Shared, Own]]:
    """Do the pieces; give what is left to be done again in halves."""
    begun: dict[int, Piece[Shared, Own]] = {}
    again: list[Piece[Shared, Own]] = []
    jobs = _jobs(pieces, tally, begun, runs=runs, room=room)
    completed: Generator[tuple[int, Portion]] = executor.completed(plan.work, jobs)
    try:
        for place, portion in completed:
            piece = begun.pop(place)
            if portion.records is None and not tally.is_over(portion.steps):
                again += plan.halve(piece)
                continue
            if portion.records is not None:
                runs.keep(piece.name, portion.records)
                tally.names.append(piece.name)
            tally.add(piece.pairs, portion.steps)
            told()
    finally:
        completed.close()
    return again


def _jobs(
    pieces: Iterable[Piece[Shared, Own]],
    tally: _Tally,
    begun: dict[int, Piece[Shared, Own]],
    *,
    runs: Runs,
    room: int,
) -> Iterator[Job[Shared, tuple[Own, int]]]:
    """Give the jobs of pieces that have no run, and count those that have one."""
    place = 0
    for piece in pieces:
        if runs.holds(piece.name, pairs=piece.pairs):
            tally.names.append(piece.name)
            tally.add(piece.pairs, count_steps(similarities(runs.open(piece.name))))
            continue
        begun[place] = piece
        place += 1
        yield Job(shared=piece.shared, own=(piece.own, 0 if tally.is_over() else room))


def _gathered(plan: Plan[Shared, Own], runs: Runs, names: Sequence[str], limits: Limits) -> CandidatePairs:
    """Merge the runs."""
    parts = merged(runs, names, at_once=limits.merged_at_once)
    if plan.best_of_row is None:
        pairs = gather_pairs(parts, total=sum(len(runs.open(name)) for name in names), repeating=plan.repeating)
        check_rows(pairs, sizes=plan.sizes, threshold=plan.threshold, limit=limits.max_pairs_of_row)
        return pairs
    best = BestOfEachRow(plan.sizes, k=plan.best_of_row)
    kept = [part[best.kept(unpack_pairs([part], repeating=plan.repeating))] for part in parts]
    return unpack_pairs(kept, repeating=plan.repeating)
