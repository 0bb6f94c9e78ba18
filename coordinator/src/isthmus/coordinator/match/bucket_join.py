"""Which rows share a bucket (keyed blocks, docs/protocol.md section 5): the work of comparing them, and how it is cut.

The rows of all datasets are numbered end to end. Under each block key they are put in order by bucket, then dataset; a
*stretch* is the rows of one bucket and dataset. Each of its rows is compared with all rows of the bucket's later
stretches, which lie behind it in one piece: every pair of rows of two datasets once for each bucket that they share.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.keyed_blocks import NO_BLOCK
from isthmus.coordinator.match.encodings import Dataset

Index = NDArray[np.uint32]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucketOrder:
    """The rows that are in a bucket of one key, in order.

    Attributes:
        rows: uint32, the number of each row; a *place* is an index of it.
        firsts: int64, shape (stretches + 1,): the first place of each stretch, and the end.
        ends: int64, shape (stretches,): the place behind the bucket that the stretch is of.
    """

    rows: Index
    firsts: Places
    ends: Places

    def others(self) -> Places:
        """Give, for each place, how many rows its row is compared with."""
        return np.repeat(self.ends - self.firsts[1:], np.diff(self.firsts))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BucketedRows:
    """The rows of all datasets, end to end, and their orders by bucket.

    Attributes:
        words: uint64, shape (rows, words a row): the CLKs, zeros behind their last byte.
        counts: int64, shape (rows,): set bits.
        buckets: uint32, shape (rows, keys).
        dataset, number: uint32, shape (rows,): where each row comes from, and its number there.
        orders: by the number of the key.
    """

    words: NDArray[np.uint64]
    counts: NDArray[np.int64]
    buckets: Index
    dataset: Index
    number: Index
    orders: Mapping[int, BucketOrder]

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle so that what comes out on another machine may be written to: code is kept for such arrays."""
        columns = (self.words, self.counts, self.buckets, self.dataset, self.number)
        orders = {key: (order.rows, order.firsts, order.ends) for key, order in self.orders.items()}
        return _unpickled, (columns, orders)


def _unpickled(
    columns: tuple[NDArray[np.uint64], Places, Index, Index, Index], orders: dict[int, tuple[Index, Places, Places]]
) -> BucketedRows:
    words, counts, buckets, dataset, number = (column.copy() for column in columns)
    copies = {
        key: BucketOrder(rows=rows.copy(), firsts=firsts.copy(), ends=ends.copy())
        for key, (rows, firsts, ends) in orders.items()
    }
    return BucketedRows(words=words, counts=counts, buckets=buckets, dataset=dataset, number=number, orders=copies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of the work under one key: rows at places from `first` on, against those from `first_right` on.

    `last` and `last_right` are exclusive. Of the rows on the right only those count that a left one is compared with.
    """

    key: int
    first: int
    last: int
    first_right: int
    last_right: int
    pairs: int


def in_buckets(datasets: Sequence[Dataset]) -> bool:
    """Say whether the rows are compared by buckets."""
    return any(dataset.buckets is not None for dataset in datasets)


def bucketed_rows(datasets: Sequence[Dataset]) -> BucketedRows:
    """Give the rows of datasets that are all in buckets of the same keys."""
    sizes = [dataset.rows for dataset in datasets]
    words = _words(datasets)
    buckets = np.concatenate([each.buckets for each in datasets if each.buckets is not None])
    dataset = np.repeat(np.arange(len(sizes), dtype=np.uint32), sizes)
    return BucketedRows(
        words=words,
        counts=np.bitwise_count(words).sum(axis=1, dtype=np.int64),
        buckets=np.ascontiguousarray(buckets),
        dataset=dataset,
        number=np.concatenate([np.arange(size, dtype=np.uint32) for size in sizes]),
        orders={key: _order(np.ascontiguousarray(buckets[:, key]), dataset) for key in range(buckets.shape[1])},
    )


def _words(datasets: Sequence[Dataset]) -> NDArray[np.uint64]:
    clk_bytes = datasets[0].clk_bytes
    padded = np.zeros((sum(dataset.rows for dataset in datasets), -(-clk_bytes // 8) * 8), np.uint8)
    np.concatenate([dataset.clks for dataset in datasets], out=padded[:, :clk_bytes])
    return padded.view(np.uint64)


def _order(bucket: Index, dataset: Index) -> BucketOrder:
    # Numbers rise from dataset to dataset, so they put the rows of a bucket in order. Sorting numbers is ten times as
    # fast as sorting indices by them.
    both = bucket.astype(np.uint64) << np.uint64(32) | np.arange(bucket.size, dtype=np.uint64)
    both = np.sort(both[bucket != NO_BLOCK])
    rows = (both & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    bucket_ends = _ends(both >> np.uint64(32))
    new = np.diff(dataset[rows]) != 0
    new[bucket_ends[:-1] - 1] = True
    firsts = np.concatenate([[0] if rows.size else [], np.flatnonzero(new) + 1, [rows.size]]).astype(np.int64)
    ends = bucket_ends[np.searchsorted(bucket_ends, firsts[:-1], side="right")]
    return BucketOrder(rows=rows, firsts=firsts, ends=ends)


def _ends(ordered: NDArray[np.uint64]) -> Places:
    """Give the place behind each run of equal numbers."""
    changes = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    return np.append(changes, [ordered.size] if ordered.size else []).astype(np.int64)


def compared_pairs(rows: BucketedRows) -> int:
    """Give how many pairs are compared in all; one that shares several buckets counts under each."""
    return sum(int(order.others().sum()) for order in rows.orders.values())


def spans(rows: BucketedRows, *, pairs: int) -> Iterator[Span]:
    """Cut the work into spans of some `pairs` pairs; nothing is left out, and no pair of places is in two spans."""
    for key, order in rows.orders.items():
        sums = np.cumsum(order.others())
        total = int(sums[-1]) if sums.size else 0
        cuts = np.searchsorted(sums, np.arange(pairs, total, pairs), side="left") + 1
        bounds = np.unique(np.concatenate([[0], cuts, [sums.size]])).tolist()
        for first, last in zip(bounds[:-1], bounds[1:], strict=True):
            inside = int(sums[last - 1] - (sums[first - 1] if first else 0))
            if inside:
                yield Span(key=key, first=first, last=last, first_right=0, last_right=sums.size, pairs=inside)


def halved_span(rows: BucketedRows, span: Span) -> tuple[Span, Span]:
    """Cut a span of more than one pair in two: between its rows, or where it has but one, between the others."""
    order = rows.orders[span.key]
    if span.last - span.first > 1:
        middle = (span.first + span.last) // 2
        halves = replace(span, last=middle), replace(span, first=middle)
    else:
        right = range(*_right(order, span))
        middle = right[len(right) // 2]
        halves = replace(span, last_right=middle), replace(span, first_right=middle)
    one, other = (replace(half, pairs=_count(order, half)) for half in halves)
    return one, other


def _right(order: BucketOrder, span: Span) -> tuple[int, int]:
    """Give the places that the first row of a span is compared with; the last is exclusive."""
    stretch = int(np.searchsorted(order.firsts, span.first, side="right")) - 1
    first, last = int(order.firsts[stretch + 1]), int(order.ends[stretch])
    return max(first, span.first_right), min(last, span.last_right)


def _count(order: BucketOrder, span: Span) -> int:
    left = np.diff(np.clip(order.firsts, span.first, span.last))
    first, last = (np.clip(each, span.first_right, span.last_right) for each in (order.firsts[1:], order.ends))
    return int((left * (last - first)).sum())


def stretches(order: BucketOrder, span: Span) -> Iterator[tuple[Index, Index]]:
    """Give the rows of each stretch that are in a span, and those that they are compared with there."""
    begin = int(np.searchsorted(order.firsts, span.first, side="right")) - 1
    end = int(np.searchsorted(order.firsts[:-1], span.last, side="left"))
    for first, last, behind in zip(
        order.firsts[begin:end].tolist(),
        order.firsts[begin + 1 : end + 1].tolist(),
        order.ends[begin:end].tolist(),
        strict=True,
    ):
        left = order.rows[max(first, span.first) : min(last, span.last)]
        right = order.rows[max(last, span.first_right) : min(behind, span.last_right)]
        if left.size and right.size:
            yield left, right


def shares_bucket(left: Index, right: Index) -> NDArray[np.bool_]:
    """Say of pairs of rows whether they share a bucket of any key; the bucket numbers of both, shape (pairs, keys)."""
    return np.asarray(((left == right) & (left != NO_BLOCK)).any(axis=1))


def detached(rows: BucketedRows, span: Span) -> tuple[BucketedRows, Span]:
    """Give a span with the rows that it compares, and no others."""
    order = rows.orders[span.key]
    stretches = slice(
        int(np.searchsorted(order.firsts, span.first, side="right")) - 1,
        int(np.searchsorted(order.firsts, span.last - 1, side="right")),
    )
    end = int(order.ends[stretches][-1])
    stretches = slice(stretches.start, int(np.searchsorted(order.firsts, end, side="left")))
    taken = order.rows[span.first : end]
    firsts = np.maximum(np.append(order.firsts[stretches], end) - span.first, 0)
    own = BucketOrder(
        rows=np.arange(taken.size, dtype=np.uint32), firsts=firsts, ends=order.ends[stretches] - span.first
    )
    few = BucketedRows(
        words=rows.words[taken],
        counts=rows.counts[taken],
        buckets=rows.buckets[taken],
        dataset=rows.dataset[taken],
        number=rows.number[taken],
        orders={span.key: own},
    )
    here = replace(span, first=0, last=span.last - span.first, first_right=0, last_right=taken.size)
    return few, here
