"""Searching in pieces: runs, memory, limits, and going on from what an earlier try kept."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest

import isthmus.coordinator.match.kernels.comparison as comparison_module
from isthmus.contract.ids import PartyId
from isthmus.coordinator.match.anonlink_engine import AnonlinkEngine
from isthmus.coordinator.match.best_of_row import BestOfEachRow, best_of_each_row
from isthmus.coordinator.match.crowding import check_rows, fitting_threshold
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, SimilarityEngine
from isthmus.coordinator.match.errors import CrowdedRows, TooManyCandidates
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.coordinator.match.kernels.comparison import Part, halved
from isthmus.coordinator.match.records import STEPS, count_steps, pack_pairs, unpack_pairs
from isthmus.coordinator.match.runs import RECORD, MemoryRuns, merged
from isthmus.coordinator.match.search import FEWEST_AT_ONCE, Limits

ENGINES: dict[str, Callable[..., SimilarityEngine]] = {"kernels": KernelEngine, "anonlink": AnonlinkEngine}


@pytest.fixture(params=ENGINES)
def make(request: pytest.FixtureRequest) -> Callable[..., SimilarityEngine]:
    """What makes each engine."""
    return ENGINES[str(request.param)]


def _silent(done: int, total: int) -> None:
    assert 0 <= done <= total


def _datasets(sizes: Sequence[int], seed: int = 1) -> list[Dataset]:
    rng = np.random.default_rng(seed)
    people = rng.random((max(sizes), 128)) < 0.4
    damaged = [people[:size] ^ (rng.random((size, 128)) < 0.1) for size in sizes]
    return [
        Dataset(party=PartyId(f"city-{number}"), clks=np.packbits(bits, axis=1)) for number, bits in enumerate(damaged)
    ]


def _bytes(pairs: CandidatePairs) -> list[bytes]:
    arrays = (pairs.similarity, pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    return [array.tobytes() for array in arrays]


def _random_pairs(number: int, *, rows: int = 50, steps: int = 7) -> CandidatePairs:
    rng = np.random.default_rng(3)
    places = rng.choice(3 * rows * rows, number, replace=False)
    left, right = np.array([(0, 1), (0, 2), (1, 2)], np.uint32)[places // rows**2].T
    similarity = 0.5 + rng.integers(0, steps, number) / 100
    left_row, right_row = (each.astype(np.uint32) for each in np.divmod(places % rows**2, rows))
    records = pack_pairs(similarity, left, right, left_row, right_row)
    return unpack_pairs([np.sort(records)])


def test_records_have_the_order_of_candidate_pairs_and_come_back_as_they_were() -> None:
    pairs = _random_pairs(500)
    columns = (pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    order = np.lexsort((*columns[::-1], -pairs.similarity))
    assert np.array_equal(order, np.arange(500))
    shuffled = np.random.default_rng(1).permutation(500)
    packed = pack_pairs(pairs.similarity[shuffled], *(column[shuffled] for column in columns))
    assert _bytes(unpack_pairs([np.sort(packed)])) == _bytes(pairs)


def test_steps_begin_at_the_floats_that_thresholds_are_read_as() -> None:
    thresholds = np.array([float(f"0.{step:03}") for step in range(1, 1000)] + [1.0])
    assert np.array_equal(np.flatnonzero(count_steps(thresholds)), np.arange(1, STEPS + 1))
    assert count_steps(np.nextafter(thresholds, 0))[:-1].sum() == STEPS


@pytest.mark.parametrize("at_once", [1, 7, 64, 10_000])
@pytest.mark.parametrize("runs_of", [1, 9])
def test_merging_gives_one_order_in_parts_of_bounded_length(at_once: int, runs_of: int) -> None:
    pairs = _random_pairs(2000)
    records = pack_pairs(pairs.similarity, pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    runs = MemoryRuns()
    for number in range(runs_of):
        runs.keep(str(number), records[number::runs_of])
    runs.keep("empty", np.empty(0, RECORD))

    parts = list(merged(runs, runs.names(), at_once=at_once))

    assert np.array_equal(np.concatenate(parts), records)
    assert max(map(len, parts)) <= max(at_once, 1) + runs_of + 1


def test_the_best_of_rows_in_parts_are_the_best_in_all() -> None:
    pairs = _random_pairs(3000)
    wanted = best_of_each_row(pairs, k=3)
    records = pack_pairs(pairs.similarity, pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    best = BestOfEachRow([50, 50, 50], k=3)
    found = []
    for first, last in pairwise([0, 1, 700, 701, 3000]):
        part = unpack_pairs([records[first:last]])
        found.append(best.kept(part))
    assert np.array_equal(np.concatenate(found), wanted)
    assert 0 < wanted.sum() < 3000


@pytest.mark.parametrize("k", [0, 255])
def test_a_number_of_best_that_is_out_of_range_is_refused(k: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        BestOfEachRow([1], k=k)


@pytest.mark.parametrize("memory_bytes", [1, 2**30])
def test_an_engine_gives_the_best_of_each_row(make: Callable[..., SimilarityEngine], memory_bytes: int) -> None:
    datasets = _datasets([120, 90, 100])
    engine = make(workers=1, max_pairs=10**6, memory_bytes=memory_bytes)
    everything = engine.candidate_pairs(datasets, threshold=0.4, progress=_silent)
    keep = best_of_each_row(everything, k=2)

    best = engine.candidate_pairs(datasets, threshold=0.4, progress=_silent, best_of_row=2)

    assert _bytes(best) == [
        np.frombuffer(each, dtype)[keep].tobytes()
        for each, dtype in zip(_bytes(everything), ["f8"] + 4 * ["u4"], strict=True)
    ]
    assert 0 < len(best) < len(everything)


@pytest.mark.parametrize("grouped", [1, 1000])
def test_pieces_of_equal_rows_give_back_the_best_of_their_rows_alone(
    monkeypatch: pytest.MonkeyPatch, grouped: int
) -> None:
    monkeypatch.setattr(comparison_module, "LEFT_BLOCKS", 2)
    monkeypatch.setattr(comparison_module, "RIGHT_BLOCKS", 3)
    party, row = PartyId("city"), np.packbits(np.arange(128) % 3 == 0)
    datasets = [Dataset(party=party, clks=np.tile(row, (size, 1))) for size in (70, 41, 55)]
    engine, runs = KernelEngine(workers=1, max_pairs=10**6, group_rows=grouped), MemoryRuns()
    everything = engine.candidate_pairs(datasets, threshold=0.4, progress=_silent)
    keep = best_of_each_row(everything, k=3)

    best = engine.candidate_pairs(datasets, threshold=0.4, progress=_silent, best_of_row=3, runs=runs)

    columns = (everything.left_dataset, everything.right_dataset, everything.left_row, everything.right_row)
    assert len(everything) == 70 * 41 + 70 * 55 + 41 * 55
    assert _bytes(best) == _bytes(unpack_pairs([pack_pairs(everything.similarity, *columns)[keep]]))
    assert sum(len(runs.open(name)) for name in runs.names()) <= 3 * 2 * (70 + 41 + 55)


def test_little_memory_gives_the_same_pairs_in_smaller_runs(make: Callable[..., SimilarityEngine]) -> None:
    datasets = _datasets([120, 90, 100])
    large, small = MemoryRuns(), MemoryRuns()
    wanted = make(workers=1, max_pairs=10**6).candidate_pairs(datasets, threshold=0.4, progress=_silent, runs=large)
    found = make(workers=1, max_pairs=10**6, memory_bytes=1).candidate_pairs(
        datasets, threshold=0.4, progress=_silent, runs=small
    )

    assert _bytes(found) == _bytes(wanted)
    assert len(wanted) > 10 * FEWEST_AT_ONCE
    assert max(len(large.open(name)) for name in large.names()) > FEWEST_AT_ONCE
    assert max(len(small.open(name)) for name in small.names()) <= FEWEST_AT_ONCE


def test_datasets_in_groups_give_the_pairs_of_datasets_one_by_one() -> None:
    datasets = _datasets([20, 0, 30, 1, 40, 25, 60])
    alone, *grouped = (
        KernelEngine(workers=1, max_pairs=10**6, group_rows=rows).candidate_pairs(
            datasets, threshold=0.5, progress=_silent
        )
        for rows in (1, 50, 100, 1000)
    )
    assert len(alone) > 100
    assert all(_bytes(each) == _bytes(alone) for each in grouped)


@pytest.mark.parametrize("best_of_row", [None, 2])
def test_slabs_of_large_datasets_give_the_pairs_of_whole_ones(best_of_row: int | None) -> None:
    datasets = _datasets([90, 20, 0, 130, 25])
    whole, *cut = (
        KernelEngine(workers=1, max_pairs=10**6, group_rows=50, slab_rows=rows).candidate_pairs(
            datasets, threshold=0.5, progress=_silent, best_of_row=best_of_row
        )
        for rows in (1000, 100, 33, 7)
    )
    assert len(whole) > 100
    assert all(_bytes(each) == _bytes(whole) for each in cut)


def test_rows_that_lie_apart_in_memory_give_the_pairs_of_rows_side_by_side(
    make: Callable[..., SimilarityEngine],
) -> None:
    beside, engine = _datasets([40, 50]), make(workers=1, max_pairs=10**6)
    apart = [
        Dataset(party=one.party, clks=np.pad(one.clks, ((0, 0), (3, 16)), constant_values=7)[:, 3:-16])
        for one in beside
    ]
    found, wanted = (engine.candidate_pairs(each, threshold=0.5, progress=_silent) for each in (apart, beside))
    assert len(wanted) > 50
    assert _bytes(found) == _bytes(wanted)


def test_what_an_earlier_try_found_is_not_compared_again(make: Callable[..., SimilarityEngine]) -> None:
    datasets, runs = _datasets([30, 40, 50]), MemoryRuns()
    sizes = {"group_rows": 1} if make is KernelEngine else {}
    engine = make(workers=1, max_pairs=10**6, **sizes)

    def interrupt(done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        engine.candidate_pairs(datasets, threshold=0.5, progress=interrupt, runs=runs)
    kept = runs.names()
    again = engine.candidate_pairs(datasets, threshold=0.5, progress=_silent, runs=runs)

    assert len(kept) == 1
    assert runs.names()[:1] == kept
    assert len(runs.names()) == 3
    assert _bytes(again) == _bytes(engine.candidate_pairs(datasets, threshold=0.5, progress=_silent))


@pytest.mark.parametrize("change", ["rows", "threshold", "best"])
def test_runs_of_another_question_are_left_alone(make: Callable[..., SimilarityEngine], change: str) -> None:
    engine, runs = make(workers=1, max_pairs=10**6), MemoryRuns()
    engine.candidate_pairs(_datasets([30, 40]), threshold=0.5, progress=_silent, runs=runs)
    datasets = _datasets([30, 40], seed=2 if change == "rows" else 1)
    asked = {"threshold": 0.6 if change == "threshold" else 0.5, "best_of_row": 2 if change == "best" else None}

    wanted = engine.candidate_pairs(datasets, progress=_silent, **asked)  # type: ignore[arg-type] # as named above
    found = engine.candidate_pairs(datasets, progress=_silent, runs=runs, **asked)  # type: ignore[arg-type] # the same

    assert _bytes(found) == _bytes(wanted)
    assert len(runs.names()) == 2


def test_the_threshold_that_a_refusal_names_fits_and_no_lower_one_does(make: Callable[..., SimilarityEngine]) -> None:
    datasets = _datasets([120, 90, 100])
    engine = make(workers=1, max_pairs=500, memory_bytes=1)
    with pytest.raises(TooManyCandidates) as caught:
        engine.candidate_pairs(datasets, threshold=0.4, progress=_silent)

    fits = float(caught.value.fits)
    assert caught.value.found == len(
        make(workers=1, max_pairs=10**6).candidate_pairs(datasets, threshold=0.4, progress=_silent)
    )
    assert len(engine.candidate_pairs(datasets, threshold=fits, progress=_silent)) <= 500
    with pytest.raises(TooManyCandidates):
        engine.candidate_pairs(datasets, threshold=fits - 0.001, progress=_silent)


def test_a_refusal_says_where_no_threshold_fits() -> None:
    steps = np.zeros(STEPS + 1, np.int64)
    steps[-1] = 3
    assert fitting_threshold(steps, limit=2) == "no threshold"
    assert fitting_threshold(steps, limit=3) == "0.000"


def test_crowded_rows_are_refused_and_the_threshold_that_fits_is_named(make: Callable[..., SimilarityEngine]) -> None:
    datasets = _datasets([120, 90, 100])
    engine = make(workers=1, max_pairs=10**6, max_pairs_of_row=5)
    with pytest.raises(CrowdedRows) as caught:
        engine.candidate_pairs(datasets, threshold=0.5, progress=_silent)

    fits = float(caught.value.fits)
    assert caught.value.rows > 1
    assert len(engine.candidate_pairs(datasets, threshold=fits, progress=_silent)) > 0
    with pytest.raises(CrowdedRows):
        engine.candidate_pairs(datasets, threshold=fits - 0.001, progress=_silent)


def test_rows_with_exactly_the_limit_are_allowed() -> None:
    pairs = unpack_pairs(
        [
            pack_pairs(
                np.array([0.9, 0.8]),
                np.array([0, 0], np.uint32),
                np.array([1, 1], np.uint32),
                np.array([0, 0], np.uint32),
                np.array([0, 1], np.uint32),
            )
        ]
    )
    check_rows(pairs, sizes=[1, 2], threshold=0.8, limit=2)
    with pytest.raises(CrowdedRows, match="1 row"):
        check_rows(pairs, sizes=[1, 2], threshold=0.8, limit=1)


@pytest.mark.parametrize("part", [(0, 5, 0, 3), (2, 3, 1, 9), (4, 6, 7, 8)], ids=str)
def test_halves_of_a_part_make_the_part(part: tuple[int, int, int, int]) -> None:
    whole = Part(first_left=part[0], last_left=part[1], first_right=part[2], last_right=part[3])
    places = [
        (left, right)
        for half in halved(whole)
        for left in range(half.first_left, half.last_left)
        for right in range(half.first_right, half.last_right)
    ]
    assert sorted(places) == [(left, right) for left in range(*part[:2]) for right in range(*part[2:])]
    assert all(half.pairs for half in halved(whole))


@pytest.mark.parametrize("wrong", ["max_pairs", "max_pairs_of_row", "memory_bytes"])
def test_limits_of_nothing_are_refused(wrong: str) -> None:
    numbers = {"max_pairs": 1, "max_pairs_of_row": 1, "memory_bytes": 1} | {wrong: 0}
    with pytest.raises(ValueError, match="positive"):
        Limits(**numbers)
