"""Searching by bucket: threads, going on from what was kept, what does not fit together, large buckets."""

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from isthmus.contract.ids import PartyId
from isthmus.coordinator.match.anonlink_engine import AnonlinkEngine
from isthmus.coordinator.match.bucket_join import SPAN_ROWS, SpanRows, bucketed_rows, cut_spans
from isthmus.coordinator.match.bucket_search import BucketSides, compare_span
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, SimilarityEngine
from isthmus.coordinator.match.errors import TooManyCandidates
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.coordinator.match.kernels import lanes
from isthmus.coordinator.match.kernels.buckets import CHUNK_PAIRS, LANES_DIGEST, bucket_pairs
from isthmus.coordinator.match.kernels.processors import host_kernel
from isthmus.coordinator.match.runs import MemoryRuns

ENGINES: dict[str, Callable[..., SimilarityEngine]] = {"kernels": KernelEngine, "anonlink": AnonlinkEngine}


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest) -> Callable[..., SimilarityEngine]:
    """What makes an engine, of each kind."""
    return ENGINES[str(request.param)]


def _datasets(rows: int = 300, *, buckets: int = 20) -> list[Dataset]:
    """Two files of the same people in the same order, with errors."""
    rng = np.random.default_rng(1)
    people = rng.random((rows, 128)) < 0.4
    own = rng.integers(1, buckets + 1, (rows, 3)).astype(np.uint32)
    noisy = [np.packbits(people ^ (rng.random(people.shape) < 0.02), axis=1) for _ in range(2)]
    return [Dataset(party=PartyId("city"), clks=clks, buckets=own) for clks in noisy]


def _bytes(pairs: CandidatePairs) -> list[bytes]:
    columns = (pairs.similarity, pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    return [column.tobytes() for column in columns]


def _travelled(sides: BucketSides) -> BucketSides:
    there: BucketSides = pickle.loads(pickle.dumps(sides))  # noqa: S301 - of this test's own making
    return there


def _silent(done: int, total: int) -> None:
    assert 0 <= done <= total


def test_result_is_the_same_bytes_for_any_number_of_threads(make: Callable[..., SimilarityEngine]) -> None:
    alone, pooled = (
        make(workers=workers, max_pairs=10**5, span_pairs=200).candidate_pairs(
            _datasets(), threshold=0.5, progress=_silent
        )
        for workers in (1, 3)
    )
    assert len(alone) > 300
    assert _bytes(alone) == _bytes(pooled)


def test_rows_of_more_set_bits_than_sixteen_bits_count_are_compared(make: Callable[..., SimilarityEngine]) -> None:
    full, bucket = np.full((1, 2**16 // 8), 255, np.uint8), np.ones((1, 1), np.uint32)
    datasets = [Dataset(party=PartyId("city"), clks=full, buckets=bucket) for _ in range(2)]

    pairs = make(workers=1, max_pairs=10).candidate_pairs(datasets, threshold=0.9, progress=_silent)

    assert pairs.similarity.tolist() == [1.0]


def test_search_goes_on_from_the_runs_of_an_earlier_one(make: Callable[..., SimilarityEngine]) -> None:
    runs, engine = MemoryRuns(), make(workers=1, max_pairs=10**5, span_pairs=500)

    def stop(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.candidate_pairs(_datasets(), threshold=0.5, progress=stop, runs=runs)
    kept, told = len(runs.names()), list[int]()
    again = engine.candidate_pairs(_datasets(), threshold=0.5, progress=lambda done, _: told.append(done), runs=runs)

    fresh = engine.candidate_pairs(_datasets(), threshold=0.5, progress=_silent)
    assert _bytes(again) == _bytes(fresh)
    assert len(told) < len(runs.names()) - kept + 3


@pytest.mark.parametrize("changed", [1, 299])
def test_runs_of_other_buckets_are_left_alone(make: Callable[..., SimilarityEngine], changed: int) -> None:
    datasets, runs, engine = _datasets(), MemoryRuns(), make(workers=1, max_pairs=10**5)
    engine.candidate_pairs(datasets, threshold=0.5, progress=_silent, runs=runs)
    before = set(runs.names())
    buckets = datasets[1].buckets
    assert buckets is not None
    moved = buckets.copy()
    moved[changed] = 0

    found = engine.candidate_pairs(
        [datasets[0], replace(datasets[1], buckets=moved)], threshold=0.5, progress=_silent, runs=runs
    )

    assert not before & (set(runs.names()) - before)
    assert len(set(runs.names()) - before) == len(before)
    assert changed not in found.right_row


def test_more_pairs_than_the_limit_are_counted_once_each(make: Callable[..., SimilarityEngine]) -> None:
    ones = Dataset(party=PartyId("city"), clks=np.full((40, 16), 255, np.uint8), buckets=np.full((40, 3), 7, np.uint32))
    with pytest.raises(TooManyCandidates) as caught:
        make(workers=1, max_pairs=5, span_pairs=100).candidate_pairs([ones, ones], threshold=0.9, progress=_silent)
    assert caught.value.found == 40 * 40


def test_a_bucket_that_finds_more_than_fits_at_once_is_gone_on_with() -> None:
    rows = CHUNK_PAIRS // 128
    ones = Dataset(
        party=PartyId("city"), clks=np.full((rows, 8), 255, np.uint8), buckets=np.full((rows, 1), 7, np.uint32)
    )

    pairs = KernelEngine(workers=1, max_pairs=10**6, span_pairs=2**30).candidate_pairs(
        [ones, ones], threshold=1.0, progress=_silent
    )

    assert len(pairs) == rows * rows > 3 * CHUNK_PAIRS
    assert np.array_equal(pairs.left_row, np.arange(rows).repeat(rows))
    assert np.array_equal(pairs.right_row, np.tile(np.arange(rows), rows))


@pytest.mark.parametrize("keys", [None, 2], ids=["none", "other"])
def test_datasets_in_buckets_of_other_keys_are_refused(make: Callable[..., SimilarityEngine], keys: int | None) -> None:
    one, other = _datasets()
    assert other.buckets is not None
    strange = replace(other, buckets=other.buckets[:, :keys] if keys else None)
    with pytest.raises(ValueError, match="number of block keys"):
        make(workers=1, max_pairs=5).candidate_pairs([one, strange], threshold=0.5, progress=_silent)


@pytest.mark.parametrize("buckets", [np.zeros((3, 2), np.int64), np.zeros((2, 2), np.uint32), np.zeros(3, np.uint32)])
def test_buckets_of_another_type_or_shape_are_refused(buckets: np.ndarray) -> None:
    with pytest.raises(ValueError, match="buckets must be uint32"):
        Dataset(party=PartyId("city"), clks=np.zeros((3, 8), np.uint8), buckets=buckets)


def test_a_piece_that_travelled_finds_the_same() -> None:
    rows = bucketed_rows(_datasets())
    compare = partial(bucket_pairs, kernel=host_kernel())
    for best_of_row in (None, 2):
        sides = BucketSides(rows=rows, threshold=0.5, best_of_row=best_of_row, compare=compare)
        alone = [replace(sides, rows=rows.take(span).alone()) for span in cut_spans(rows, pairs=2000)]
        for span, own in zip(cut_spans(rows, pairs=2000), alone, strict=True):
            here = compare_span(sides, (span, 10**5)).records
            there = compare_span(_travelled(sides), (span, 10**5)).records
            apart = _travelled(own)
            assert here is not None
            assert there is not None
            assert here.tobytes() == there.tobytes()
            assert isinstance(apart.rows, SpanRows)
            found = compare_span(apart, (apart.rows.span, 10**5)).records
            assert found is not None
            assert found.tobytes() == here.tobytes()


def test_compiled_code_is_made_anew_when_the_operations_change() -> None:
    assert hashlib.sha256(Path(lanes.__file__).read_bytes()).hexdigest() == LANES_DIGEST


def test_few_pairs_spread_over_many_rows_are_not_copied_all_at_once() -> None:
    rows = SPAN_ROWS + 3_000
    own = np.arange(1, rows + 1, dtype=np.uint32)[:, None]
    one = Dataset(party=PartyId("city"), clks=np.zeros((rows, 8), np.uint8), buckets=own)
    everything = bucketed_rows([one, one])

    taken = [everything.take(span).row.size for span in cut_spans(everything, pairs=2**40)]

    assert sum(taken) >= 2 * rows
    assert max(taken) <= SPAN_ROWS + 2
