"""Candidate pairs of rows that send several tables: the best few of each row in each table, united.

A row that does not enter a table has an all-zero vector there, which is like nothing. Every pair of rows of two
datasets is compared exactly in every table that both are in; with keyed blocks, every pair that shares a bucket. Score
and threshold: `tables`. Source of the rule: docs/decisions/0009-diffusion.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.ids import PartyId
from isthmus.coordinator.match.bucket_join import count_pairs
from isthmus.coordinator.match.crowding import check_best, most_candidates
from isthmus.coordinator.match.encodings import Buckets, Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Progress, SimilarityEngine, count_comparisons
from isthmus.coordinator.match.runs import Runs

Packed = NDArray[np.uint8]
Index = NDArray[np.uint32]

_ROWS: Final = PartyId("rows-of-a-table")
"""An engine compares; whose rows they are is nothing to it."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowPairs:
    """Pairs of rows without a score: four uint32 arrays of one length, one entry for each pair.

    Order: left dataset, right dataset, left row, right row, all rising; the left dataset comes before the right one,
    or it is one that repeats people and the left row comes before the right one. No pair comes twice.
    """

    left_dataset: Index
    right_dataset: Index
    left_row: Index
    right_row: Index

    def __len__(self) -> int:
        """How many pairs there are."""
        return int(self.left_row.size)


def table_candidates(
    submissions: Sequence[Packed],
    *,
    floors: Sequence[float],
    engine: SimilarityEngine,
    k: int,
    max_pairs: int,
    progress: Progress,
    repeating: frozenset[int] = frozenset(),
    runs: Runs | None = None,
    match_keys: int = 0,
    buckets: Sequence[Buckets] | None = None,
) -> RowPairs:
    """Give the pairs that are among the k best of one of their rows in at least one table.

    Args:
        submissions: one for each dataset, uint8, shape (rows, tables, bytes).
        floors: one for each table, in [0.1, 1]: the Dice similarity that a pair needs there, equal or greater.
        engine: compares the rows that are in a table.
        k: how many rows of each other dataset a row keeps in a table; of equal ones those of the lowest numbers.
        max_pairs: how many pairs may be held; the engine has a limit of its own for what it finds in one table.
        progress: told the pairs compared of those of all tables together, as if every row were in every table.
        repeating: the datasets that repeat people, whose rows are compared with each other too.
        runs: where what is found is kept until all is done; see `SimilarityEngine.candidate_pairs`.
        match_keys: how many keys find pairs beside the tables; only for what `TooManyBestPairs` says is enough.
        buckets: of the rows of each dataset, where only rows that share a bucket are compared.

    Raises:
        ValueError: k is not positive, or the submissions are not of one shape but for their rows, of `floors` tables.
        TooManyBestPairs: there are more than `max_pairs`.
    """
    _check(submissions, tables=len(floors), k=k)
    # Views: a vector is copied when it is compared, and no table as a whole.
    own: Sequence[Buckets | None] = buckets or [None] * len(submissions)
    tables = [
        [
            Dataset(party=_ROWS, clks=one[:, table], repeats=place in repeating, buckets=own[place])
            for place, one in enumerate(submissions)
        ]
        for table in range(len(floors))
    ]
    sizes = [len(one) for one in submissions]
    work = count_pairs(buckets) if buckets else count_comparisons(sizes, repeating=repeating)
    enough = most_candidates(sizes, best_of_row=k, tables=len(floors), match_keys=match_keys, repeating=repeating)
    found = no_pairs()
    for table, (floor, datasets) in enumerate(zip(floors, tables, strict=True)):
        told = _shifted(progress, done=work * table, total=work * len(floors))
        pairs = engine.candidate_pairs(datasets, threshold=floor, progress=told, best_of_row=k, runs=runs)
        found = united(found, _rows_of(pairs))
        check_best(len(found), limit=max_pairs, enough=enough)
    return found


def _check(submissions: Sequence[Packed], *, tables: int, k: int) -> None:
    if k < 1:
        raise ValueError("k must be positive")
    if any(one.dtype != np.uint8 or one.ndim != 3 or one.shape[1] != tables for one in submissions):
        raise ValueError("a submission must be uint8 of shape (rows, tables, bytes), with a table for each rule")
    if len({one.shape[2] for one in submissions}) > 1:
        raise ValueError("the submissions differ in CLK length")


def _shifted(progress: Progress, *, done: int, total: int) -> Progress:
    def told(inside: int, _: int) -> None:
        progress(done + inside, total)

    return told


def _rows_of(pairs: CandidatePairs) -> RowPairs:
    return RowPairs(
        left_dataset=pairs.left_dataset,
        right_dataset=pairs.right_dataset,
        left_row=pairs.left_row,
        right_row=pairs.right_row,
    )


def no_pairs() -> RowPairs:
    """Give no pairs."""
    none = np.empty(0, np.uint32)
    return RowPairs(left_dataset=none, right_dataset=none, left_row=none, right_row=none)


def united(*parts: RowPairs) -> RowPairs:
    """Give the pairs of all parts, one or more, each once, in their order."""
    columns = [np.concatenate(column) for column in zip(*map(_columns, parts), strict=True)]
    order = np.lexsort(columns[::-1])
    fresh = np.ones(order.size, np.bool_)
    fresh[1:] = np.logical_or.reduce([np.diff(column[order]) != 0 for column in columns])
    left_dataset, right_dataset, left_row, right_row = (column[order[fresh]] for column in columns)
    return RowPairs(left_dataset=left_dataset, right_dataset=right_dataset, left_row=left_row, right_row=right_row)


def _columns(pairs: RowPairs) -> Iterator[Index]:
    yield from (pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
