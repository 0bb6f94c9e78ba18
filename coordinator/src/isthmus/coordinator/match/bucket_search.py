"""Searching by buckets: the plan of a comparison of only those rows that share a bucket, for any engine.

An engine brings what compares the rows of a span; pieces, runs, limits and order are the same for all.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.best_of_row import best_of_each_row
from isthmus.coordinator.match.bucket_join import (
    BucketedRows,
    Span,
    bucketed_rows,
    compared_pairs,
    detached,
    halved_span,
    spans,
)
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.records import STEPS, count_steps, pack_pairs, similarities, unpack_pairs
from isthmus.coordinator.match.runs import RECORD, Records
from isthmus.coordinator.match.search import Piece, Plan, Portion, search_name

SPAN_PAIRS: Final = 2**25
"""Pairs of a piece at least, if there are so many: half a second, and what a killed worker has to do again."""

Found = tuple[NDArray[np.float64], NDArray[np.integer], NDArray[np.integer]]
"""Scores, left rows and right rows of some pairs, rows by their number in `BucketedRows`."""

Compare = Callable[[BucketedRows, Span, float], Iterable[Found]]
"""Gives the pairs of a span that reach the threshold and share no bucket of an earlier key; can be pickled."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucketSides:
    """What the pieces of one comparison share."""

    rows: BucketedRows
    threshold: float
    best_of_row: int | None
    compare: Compare


def bucket_plan(
    datasets: Sequence[Dataset],
    *,
    version: bytes,
    threshold: float,
    best_of_row: int | None,
    compare: Compare,
    travels: bool,
    span_pairs: int = SPAN_PAIRS,
) -> Plan[BucketSides, Span]:
    """Give the plan of comparing datasets that are in buckets of the same keys.

    Args:
        version: of the engine, for the names of what is kept.
        travels: give every piece its own rows, for processes that would be sent all of them with each piece.
        span_pairs: how many pairs make a piece.
        datasets, threshold, best_of_row: as in `SimilarityEngine.candidate_pairs`.
    """
    rows = bucketed_rows(datasets)
    sides = BucketSides(rows=rows, threshold=threshold, best_of_row=best_of_row, compare=compare)
    name = search_name(version + b" buckets 1", datasets, threshold, best_of_row, (span_pairs,))
    return Plan(
        sizes=[dataset.rows for dataset in datasets],
        threshold=threshold,
        total=compared_pairs(rows),
        best_of_row=best_of_row,
        pieces=_pieces(name, sides, span_pairs=span_pairs, travels=travels),
        work=compare_span,
        halve=halve_span,
    )


def _pieces(name: str, sides: BucketSides, *, span_pairs: int, travels: bool) -> Iterator[Piece[BucketSides, Span]]:
    for number, span in enumerate(spans(sides.rows, pairs=span_pairs)):
        rows, own = detached(sides.rows, span) if travels else (sides.rows, span)
        shared = BucketSides(
            rows=rows, threshold=sides.threshold, best_of_row=sides.best_of_row, compare=sides.compare
        )
        yield Piece(name=f"{name}-{number}", pairs=span.pairs, shared=shared if travels else sides, own=own)


def halve_span(piece: Piece[BucketSides, Span]) -> list[Piece[BucketSides, Span]]:
    """Cut a piece in two."""
    halves = zip("ab", halved_span(piece.shared.rows, piece.own), strict=True)
    return [
        Piece(name=f"{piece.name}{half}", pairs=own.pairs, shared=piece.shared, own=own) for half, own in halves
    ]


def compare_span(sides: BucketSides, own: tuple[Span, int]) -> Portion:
    """Find the candidate pairs of a piece; `search.Work`."""
    span, room = own
    found = (_packed(sides.rows, each) for each in sides.compare(sides.rows, span, sides.threshold))
    return _best_of_rows(found, room, k=sides.best_of_row) if sides.best_of_row else _all_in_room(found, room)


def _all_in_room(found: Iterable[Records], room: int) -> Portion:
    steps, chunks, held = np.zeros(STEPS + 1, np.int64), [np.empty(0, RECORD)], 0
    for records in found:
        steps += count_steps(similarities(records))
        held += len(records)
        chunks = [*chunks, records] if held <= room else []
    return Portion(records=np.sort(np.concatenate(chunks)) if held <= room else None, steps=steps)


def _best_of_rows(found: Iterable[Records], room: int, *, k: int) -> Portion:
    """Give the best of the rows of a piece: all that can be among the best in the end."""
    chunks, held = [np.empty(0, RECORD)], 0
    for records in found:
        chunks.append(records)
        held += len(records)
        if held > room:
            # Later pairs only push a pair further down: one that is out stays out.
            chunks = [_best(chunks, k)]
            held = len(chunks[0])
            room = max(room, 2 * held)
    best = _best(chunks, k)
    return Portion(records=best, steps=count_steps(similarities(best)))


def _best(chunks: Sequence[Records], k: int) -> Records:
    records = np.sort(np.concatenate(chunks))
    best: Records = records[best_of_each_row(unpack_pairs([records]), k=k)]
    return best


def _packed(rows: BucketedRows, found: Found) -> Records:
    similarity, left, right = found
    return pack_pairs(similarity, rows.dataset[left], rows.dataset[right], rows.number[left], rows.number[right])
