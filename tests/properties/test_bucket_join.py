"""Comparing by bucket against comparing everything and dropping the pairs that share no bucket."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from isthmus.contract.ids import PartyId
from isthmus.coordinator.match.anonlink_engine import AnonlinkEngine
from isthmus.coordinator.match.best_of_row import best_of_each_row
from isthmus.coordinator.match.bucket_join import bucketed_rows, count_pairs, cut_spans, halved_span
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, SimilarityEngine
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.coordinator.match.kernels.processors import KERNELS

MOST = 10**6
EVERYTHING = AnonlinkEngine(workers=1, max_pairs=MOST)


def _kernels(name: str) -> Callable[..., SimilarityEngine]:
    return lambda **limits: KernelEngine(kernel=KERNELS[name], **limits)


ENGINES: dict[str, Callable[..., SimilarityEngine]] = {
    "uint64": _kernels("avx512"),
    "uint8": _kernels("plain"),
    "anonlink": AnonlinkEngine,
}
"""The engines; that of the kernels once for each way to count."""


@st.composite
def files(draw: st.DrawFn) -> list[Dataset]:
    """Some files of near-copies of few rows in few buckets of up to four keys; some rows are empty or in no bucket."""
    clk_bytes, keys = draw(st.sampled_from([8, 12, 128, 320])), draw(st.integers(1, 4))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    models = rng.random((4, clk_bytes * 8)) < rng.choice([0.1, 0.4, 0.8], (4, 1))

    def file(rows: int) -> Dataset:
        bits = models[rng.integers(0, 4, rows)] ^ (rng.random((rows, clk_bytes * 8)) < rng.choice([0, 0.03]))
        bits[rng.random(rows) < 0.1] = False
        # A wide file that its CLKs are a part of: they need not lie side by side.
        wide = np.hstack([np.packbits(bits, axis=1), np.zeros((rows, 5), np.uint8)])
        buckets = rng.integers(0, rng.choice([3, 9]), (rows, keys)).astype(np.uint32)
        return Dataset(party=PartyId("city"), clks=wide[:, :clk_bytes], buckets=buckets)

    sizes = st.lists(st.one_of(st.integers(0, 3), st.integers(0, 50)), min_size=1, max_size=4)
    return [file(rows) for rows in draw(sizes)]


def _shared(left: Dataset, right: Dataset) -> NDArray[np.bool_]:
    """Say of each key and pair of rows whether they share its bucket: shape (keys, left rows, right rows)."""
    assert left.buckets is not None
    assert right.buckets is not None
    ours, theirs = left.buckets.T[:, :, None], right.buckets.T[:, None, :]
    return np.asarray((ours == theirs) & (ours != 0))


def _plainly(datasets: Sequence[Dataset], threshold: float) -> CandidatePairs:
    """Compare everything, and keep the pairs that share a bucket of some key."""
    plain = [replace(dataset, buckets=None) for dataset in datasets]
    found = EVERYTHING.candidate_pairs(plain, threshold=threshold, progress=lambda *_: None)
    keep = [
        bool(_shared(datasets[left], datasets[right])[:, row, other].any())
        for left, right, row, other in zip(
            found.left_dataset, found.right_dataset, found.left_row, found.right_row, strict=True
        )
    ]
    return _kept(found, np.array(keep, np.bool_))


def _kept(pairs: CandidatePairs, keep: NDArray[np.bool_]) -> CandidatePairs:
    return CandidatePairs(
        similarity=pairs.similarity[keep],
        left_dataset=pairs.left_dataset[keep],
        right_dataset=pairs.right_dataset[keep],
        left_row=pairs.left_row[keep],
        right_row=pairs.right_row[keep],
    )


def _bytes(pairs: CandidatePairs) -> list[bytes]:
    columns = (pairs.similarity, pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    return [column.tobytes() for column in columns]


@pytest.mark.parametrize("name", ENGINES)
@settings(max_examples=40, deadline=None)
@given(
    datasets=files(),
    threshold=st.sampled_from([0.5, 0.75, 0.8, 1.0]),
    span_pairs=st.sampled_from([1, 37, 2**20]),
    memory_bytes=st.sampled_from([1, 2**30]),
)
def test_pairs_scores_and_order_are_those_of_comparing_everything(
    name: str, datasets: list[Dataset], threshold: float, span_pairs: int, memory_bytes: int
) -> None:
    engine = ENGINES[name](workers=1, max_pairs=MOST, span_pairs=span_pairs, memory_bytes=memory_bytes)
    told: list[tuple[int, int]] = []

    found = engine.candidate_pairs(datasets, threshold=threshold, progress=lambda *both: told.append(both))

    assert _bytes(found) == _bytes(_plainly(datasets, threshold))
    total = sum(int(_shared(left, right).sum()) for left, right in combinations(datasets, 2))
    assert (told[0], told[-1]) == ((0, total), (total, total))


@pytest.mark.parametrize("name", ENGINES)
@settings(max_examples=15, deadline=None)
@given(datasets=files(), memory_bytes=st.sampled_from([1, 2**30]))
def test_the_best_of_each_row_are_those_among_the_pairs_that_share_a_bucket(
    name: str, datasets: list[Dataset], memory_bytes: int
) -> None:
    everything = _plainly(datasets, 0.5)
    engine = ENGINES[name](workers=1, max_pairs=MOST, span_pairs=50, memory_bytes=memory_bytes)

    found = engine.candidate_pairs(datasets, threshold=0.5, progress=lambda *_: None, best_of_row=2)

    assert _bytes(found) == _bytes(_kept(everything, best_of_each_row(everything, k=2)))


@settings(max_examples=40, deadline=None)
@given(datasets=files(), pairs=st.integers(1, 200), most_rows=st.sampled_from([1, 7, 2**20]))
def test_spans_and_their_halves_hold_each_pair_of_a_bucket_once(
    datasets: list[Dataset], pairs: int, most_rows: int
) -> None:
    rows = bucketed_rows(datasets)
    spans = list(cut_spans(rows, pairs=pairs, most_rows=most_rows))
    assert all(span.last - span.first <= most_rows for span in spans)
    total = count_pairs([each.buckets for each in datasets if each.buckets is not None])

    assert sum(span.pairs for span in spans) == total
    while spans:
        span = spans.pop()
        stretches = rows.of_key(span.key)
        inside = sum((left.stop - left.start) * (right.stop - right.start) for left, right in stretches.inside(span))
        assert span.pairs == stretches.count(span) == inside
        if span.pairs > 1:
            halves = halved_span(stretches, span)
            assert sum(half.pairs for half in halves) == span.pairs
            assert all(half.last > half.first and half.last_right >= half.first_right for half in halves)
            spans += [half for half in halves if 1 < half.pairs < span.pairs]
