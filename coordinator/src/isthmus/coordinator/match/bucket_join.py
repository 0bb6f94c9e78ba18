"""Which rows share a bucket (keyed blocks, docs/protocol.md section 5): the work of comparing them, and how it is cut.

The rows of all datasets are numbered end to end. Under each block key those that are in a bucket are put in order by
bucket, then dataset; a *place* is an index of that order, a *stretch* the rows of one bucket and dataset. Each row of a
stretch is compared with all rows of the bucket's later stretches, which lie behind it in one piece: so every pair of
rows of two datasets comes once for each bucket that they share.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.keyed_blocks import NO_BLOCK
from isthmus.coordinator.match.encodings import Buckets, Dataset

ROWS_AT_ONCE = 4096
"""Rows whose bits are counted at once, so that a dataset is not in memory a second time."""

SPAN_ROWS = 2**17
"""Places of a span at most: few pairs may be spread over many rows, and all of these are copied."""

Index = NDArray[np.uint32]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of the work under one key: rows at places from `first` on, against those from `first_right` on.

    `last` and `last_right` are exclusive. Of the rows on the right only those count that a left one is compared with:
    `pairs` of them.
    """

    key: int
    first: int
    last: int
    first_right: int
    last_right: int
    pairs: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretches:
    """The stretches of one key.

    Attributes:
        firsts: int64, shape (stretches + 1,): the first place of each, and the end.
        ends: int64, shape (stretches,): the place behind the bucket that each is of.
    """

    firsts: Places
    ends: Places

    def others(self) -> Places:
        """Give, for each place, with how many rows its row is compared."""
        return np.repeat(self.ends - self.firsts[1:], np.diff(self.firsts))

    def at(self, place: int) -> int:
        """Give the stretch that a place is in."""
        return int(np.searchsorted(self.firsts, place, side="right")) - 1

    def count(self, span: Span) -> int:
        """Give how many pairs are in a span."""
        left = np.diff(np.clip(self.firsts, span.first, span.last))
        bounds = (np.clip(each, span.first_right, span.last_right) for each in (self.firsts[1:], self.ends))
        first, last = bounds
        return int((left * (last - first)).sum())

    def inside(self, span: Span) -> Iterator[tuple[slice, slice]]:
        """Give the places of each stretch of a span, and of the rows that they are compared with."""
        for number in range(self.at(span.first), self.at(span.last - 1) + 1):
            first, last, end = int(self.firsts[number]), int(self.firsts[number + 1]), int(self.ends[number])
            left = slice(max(first, span.first), min(last, span.last))
            right = slice(max(last, span.first_right), min(end, span.last_right))
            if left.start < left.stop and right.start < right.stop:
                yield left, right


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpanRows:
    """The rows that a span compares, by place: what comparing takes, and whose they are.

    Attributes:
        span: in places of these rows.
        words: uint64, shape (rows, words a row): the CLKs, zeros behind their last byte.
        counts: int64, shape (rows,): set bits.
        stretches: of the span's key.
        row: uint32, shape (rows,): the number of each row.
        starts: int64, shape (datasets + 1,): the number of each dataset's first row, and the end.
        buckets, bucket_of: bucket numbers of some rows, and which of them is each row's; uint32, shape (rows,).
    """

    span: Span
    words: NDArray[np.uint64]
    counts: Places
    stretches: Stretches
    row: Index
    starts: Places
    buckets: Buckets
    bucket_of: Index

    def take(self, span: Span) -> "SpanRows":
        """Give the same rows for a part of their span."""
        return replace(self, span=span)

    def of_key(self, key: int) -> Stretches:
        """Give the stretches of the one key."""
        del key
        return self.stretches

    def alone(self) -> "SpanRows":
        """Give them without the bucket numbers of other rows."""
        own = np.arange(self.row.size, dtype=np.uint32)
        return replace(self, buckets=self.buckets[self.bucket_of], bucket_of=own)

    def is_first_shared(self, left: Places, right: Places) -> NDArray[np.bool_]:
        """Say of pairs of places whether they share no bucket of an earlier key, under which the pair came before."""
        ours, theirs = (self.buckets[self.bucket_of[each], : self.span.key] for each in (left, right))
        return np.asarray(~((ours == theirs) & (ours != NO_BLOCK)).any(axis=1))

    def origin(self, places: Places) -> tuple[Index, Index]:
        """Give the dataset of the row at each place, and its number there."""
        row = self.row[places]
        dataset = np.searchsorted(self.starts, row, side="right") - 1
        return dataset.astype(np.uint32), (row - self.starts[dataset]).astype(np.uint32)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucketedRows:
    """The rows of all datasets by bucket.

    Attributes:
        clks: of each dataset, uint8, shape (rows, bytes a row): as they lie in memory, for there may be many.
        counts: uint32, shape (rows of all,): set bits.
        buckets: uint32, shape (rows of all, keys).
        rows: of each key, uint32: the number of the row at each place.
        stretches: of each key.
    """

    clks: tuple[NDArray[np.uint8], ...]
    counts: NDArray[np.uint32]
    buckets: Buckets
    rows: tuple[Index, ...]
    stretches: tuple[Stretches, ...]

    def of_key(self, key: int) -> Stretches:
        """Give the stretches of a key."""
        return self.stretches[key]

    def take(self, span: Span) -> SpanRows:
        """Give the rows of a span."""
        stretches = self.stretches[span.key]
        end = int(stretches.ends[stretches.at(span.last - 1)])
        here = slice(stretches.at(span.first), stretches.at(end - 1) + 1)
        row = self.rows[span.key][span.first : end]
        starts = np.cumsum([0, *(len(clks) for clks in self.clks)])
        firsts = np.append(stretches.firsts[here], end) - span.first
        return SpanRows(
            span=_shifted(span, by=span.first, rows=row.size),
            words=_gathered(self.clks, row, starts),
            counts=self.counts[row].astype(np.int64),
            stretches=Stretches(firsts=np.maximum(firsts, 0), ends=stretches.ends[here] - span.first),
            row=row,
            starts=starts,
            buckets=self.buckets,
            bucket_of=row,
        )


def _shifted(span: Span, *, by: int, rows: int) -> Span:
    first_right, last_right = (min(max(each - by, 0), rows) for each in (span.first_right, span.last_right))
    return replace(span, first=0, last=span.last - by, first_right=first_right, last_right=last_right)


def _gathered(clks: Sequence[NDArray[np.uint8]], row: Index, starts: Places) -> NDArray[np.uint64]:
    size = clks[0].shape[1]
    packed = np.zeros((row.size, -(-size // 8) * 8), np.uint8)
    # A row as one thing is copied twice as fast as byte by byte.
    whole = packed[:, :size].view(f"V{size}")[:, 0]
    dataset = np.searchsorted(starts, row, side="right") - 1
    for one in np.unique(dataset).tolist():
        (inside,) = np.nonzero(dataset == one)
        whole[inside] = clks[one].view(f"V{size}")[:, 0][row[inside] - starts[one]]
    return packed.view(np.uint64)


def in_buckets(datasets: Sequence[Dataset]) -> bool:
    """Say whether rows are compared by bucket."""
    return any(dataset.buckets is not None for dataset in datasets)


def bucketed_rows(datasets: Sequence[Dataset]) -> BucketedRows:
    """Give the rows of datasets that are all in buckets of the same keys."""
    buckets = np.concatenate([each.buckets for each in datasets if each.buckets is not None])
    dataset = np.repeat(np.arange(len(datasets), dtype=np.uint32), [each.rows for each in datasets])
    ordered = [_ordered(np.ascontiguousarray(of_key), dataset) for of_key in buckets.T]
    return BucketedRows(
        clks=tuple(each.clks for each in datasets),
        counts=np.concatenate([_count_bits(each.clks) for each in datasets]),
        buckets=buckets,
        rows=tuple(rows for rows, _ in ordered),
        stretches=tuple(stretches for _, stretches in ordered),
    )


def _count_bits(clks: NDArray[np.uint8]) -> NDArray[np.uint32]:
    counts = np.zeros(len(clks), np.uint32)
    for first in range(0, len(clks), ROWS_AT_ONCE):
        some = np.bitwise_count(clks[first : first + ROWS_AT_ONCE])
        counts[first : first + ROWS_AT_ONCE] = some.sum(axis=1, dtype=np.uint32)
    return counts


def _ordered(bucket: Index, dataset: Index) -> tuple[Index, Stretches]:
    # Rows are numbered dataset by dataset, so their numbers put those of a bucket in order. Sorting numbers is ten
    # times as fast as sorting indices by them.
    both = bucket.astype(np.uint64) << np.uint64(32) | np.arange(bucket.size, dtype=np.uint64)
    both = np.sort(both[bucket != NO_BLOCK])
    rows = (both & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    new_bucket = np.diff(both >> np.uint64(32)) != 0
    new_stretch = new_bucket | (np.diff(dataset[rows]) != 0)
    firsts, bucket_ends = _behind(new_stretch, rows.size), _behind(new_bucket, rows.size)
    ends = bucket_ends[np.searchsorted(bucket_ends, firsts, side="left")]
    return rows, Stretches(firsts=np.concatenate([np.zeros(1, np.int64), firsts]), ends=ends)


def _behind(new: NDArray[np.bool_], size: int) -> Places:
    """Give the place behind each run, `new` saying of each place but the first whether a run begins there."""
    return np.append(np.flatnonzero(new) + 1, [size] if size else []).astype(np.int64)


def count_pairs(buckets: Sequence[Buckets]) -> int:
    """Give how many pairs are compared of datasets with these buckets; one that shares several counts for each."""
    # Pairs of all rows of a bucket less those inside a dataset, each counted twice.
    within = sum(_squares(of_key) for each in buckets for of_key in each.T)
    return (sum(_squares(of_key) for of_key in np.concatenate(buckets).T) - within) // 2


def _squares(bucket: Index) -> int:
    _, counts = np.unique(bucket[bucket != NO_BLOCK], return_counts=True)
    return int((counts.astype(np.int64) ** 2).sum())


def cut_spans(rows: BucketedRows, *, pairs: int, most_rows: int = SPAN_ROWS) -> Iterator[Span]:
    """Cut the work into spans of some `pairs` pairs; nothing is left out, and no pair of places is in two spans.

    Left rows of a span are `most_rows` at most, so that it takes the rows of these and of the last one's bucket.
    """
    for key, stretches in enumerate(rows.stretches):
        sums = np.cumsum(stretches.others())
        total = int(sums[-1]) if sums.size else 0
        cuts = np.searchsorted(sums, np.arange(pairs, total, pairs), side="left") + 1
        bounds = np.unique(np.concatenate([np.arange(0, sums.size, most_rows), cuts, [sums.size]])).tolist()
        for first, last in pairwise(bounds):
            inside = int(sums[last - 1] - (sums[first - 1] if first else 0))
            if inside:
                yield Span(key=key, first=first, last=last, first_right=0, last_right=sums.size, pairs=inside)


def halved_span(stretches: Stretches, span: Span) -> tuple[Span, Span]:
    """Cut a span of more than one pair in two: between its rows, or where it has but one, between the others."""
    if span.last - span.first > 1:
        middle = (span.first + span.last) // 2
        halves = replace(span, last=middle), replace(span, first=middle)
    else:
        _, right = next(stretches.inside(span))
        middle = (right.start + right.stop) // 2
        halves = replace(span, last_right=middle), replace(span, first_right=middle)
    one, other = (replace(half, pairs=stretches.count(half)) for half in halves)
    return one, other
