"""Searching by buckets: the plan of a comparison of only those rows that share a bucket, for any engine.

An engine brings what compares the rows of a span; pieces, runs, limits and order are the same for all. A pair that
shares buckets of several keys is compared under each, and counts under the first.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.best_of_row import best_of_each_row
from isthmus.coordinator.match.bucket_join import (
    BucketedRows,
    Span,
    SpanRows,
    bucketed_rows,
    count_pairs,
    cut_spans,
    halved_span,
)
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.records import STEPS, count_steps, pack_pairs, similarities, unpack_pairs
from isthmus.coordinator.match.runs import RECORD, Records
from isthmus.coordinator.match.search import Piece, Plan, Portion, search_name

SPAN_PAIRS: Final = 2**23
"""Pairs of a piece at least, if there are so many: in buckets of sixty rows of each side 36 MB of 1,024 bits each."""

Found = tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]
"""Scores, left places and right places of some pairs of `SpanRows`."""

Compare = Callable[[SpanRows, float], Iterable[Found]]
"""Gives the pairs of a span that reach the threshold, some at once; can be pickled."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucketSides:
    """What pieces share: all rows, or where every piece has its own, those of one piece and what is cut of it."""

    rows: BucketedRows | SpanRows
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
    name = search_name(version + b" buckets 2", datasets, threshold, best_of_row, (span_pairs,))
    sides = BucketSides(rows=rows, threshold=threshold, best_of_row=best_of_row, compare=compare)
    whole = (
        Piece(name=f"{name}-{number}", pairs=span.pairs, shared=sides, own=span)
        for number, span in enumerate(cut_spans(rows, pairs=span_pairs))
    )
    return Plan(
        sizes=[dataset.rows for dataset in datasets],
        repeating=frozenset(),
        threshold=threshold,
        total=count_pairs([each.buckets for each in datasets if each.buckets is not None]),
        best_of_row=best_of_row,
        pieces=map(_with_own_rows, whole) if travels else whole,
        work=compare_span,
        halve=halve_piece,
    )


def _with_own_rows(piece: Piece[BucketSides, Span]) -> Piece[BucketSides, Span]:
    rows = piece.shared.rows.take(piece.own).alone()
    return replace(piece, shared=replace(piece.shared, rows=rows), own=rows.span)


def halve_piece(piece: Piece[BucketSides, Span]) -> list[Piece[BucketSides, Span]]:
    """Cut a piece in two."""
    halves = zip("ab", halved_span(piece.shared.rows.of_key(piece.own.key), piece.own), strict=True)
    return [replace(piece, name=f"{piece.name}{half}", pairs=own.pairs, own=own) for half, own in halves]


def compare_span(sides: BucketSides, own: tuple[Span, int]) -> Portion:
    """Find the candidate pairs of a piece; `search.Work`."""
    span, room = own
    rows = sides.rows.take(span)
    found = (_packed(rows, each) for each in sides.compare(rows, sides.threshold))
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


def _packed(rows: SpanRows, found: Found) -> Records:
    similarity, left, right = found
    fresh = rows.is_first_shared(left, right)
    left_dataset, left_row = rows.origin(left[fresh])
    right_dataset, right_row = rows.origin(right[fresh])
    return pack_pairs(similarity[fresh], left_dataset, right_dataset, left_row, right_row)
