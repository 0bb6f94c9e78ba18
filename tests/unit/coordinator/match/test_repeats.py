"""Datasets that repeat people, at every engine: each two of their rows once, within the engine's limits."""

from collections.abc import Callable

import numpy as np
import pytest

from isthmus.contract.ids import PartyId
from isthmus.coordinator.match import DEFAULT_MAX_PAIRS, ENGINES
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, SimilarityEngine
from isthmus.coordinator.match.errors import TooManyCandidates
from isthmus.coordinator.match.runs import MemoryRuns


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Callable[..., SimilarityEngine]:
    """Each engine, for so many pairs at most."""

    def make(max_pairs: int = DEFAULT_MAX_PAIRS) -> SimilarityEngine:
        return ENGINES[request.param](workers=1, max_pairs=max_pairs)

    return make


def _rows(count: int, *, repeats: bool = True) -> Dataset:
    bits = np.random.default_rng(count).random((count, 64)) < 0.4
    return Dataset(party=PartyId("city"), clks=np.packbits(bits, axis=1), repeats=repeats)


def _pairs(made: SimilarityEngine, *datasets: Dataset, **how: object) -> CandidatePairs:
    return made.candidate_pairs(datasets, threshold=1.0, progress=lambda *_: None, **how)  # type: ignore[arg-type] # as each test says


def test_file_of_equal_rows_gives_every_two_of_them_once(engine: Callable[..., SimilarityEngine]) -> None:
    ones = Dataset(party=PartyId("city"), clks=np.full((5, 8), 255, np.uint8), repeats=True)
    found = _pairs(engine(max_pairs=10), ones)
    assert list(zip(found.left_row.tolist(), found.right_row.tolist(), strict=True)) == [
        (left, right) for left in range(5) for right in range(left + 1, 5)
    ]
    with pytest.raises(TooManyCandidates):
        _pairs(engine(max_pairs=9), ones)


def test_file_that_does_not_repeat_people_is_not_compared_with_itself(engine: Callable[..., SimilarityEngine]) -> None:
    ones = np.full((5, 8), 255, np.uint8)
    once, again = (Dataset(party=PartyId("city"), clks=ones, repeats=repeats) for repeats in (False, True))
    found = _pairs(engine(), once, again)
    inside = found.left_dataset == found.right_dataset
    assert (len(found), found.left_dataset[inside].tolist()) == (25 + 10, [1] * 10)


def test_equal_rows_far_apart_in_a_long_file_are_found(engine: Callable[..., SimilarityEngine]) -> None:
    # Longer than a block of the anonlink engine, so that some blocks are on the diagonal and some below it.
    long = _rows(4200)
    long.clks[[4150, 4199]] = long.clks[[3, 4160]]
    found = _pairs(engine(), long)
    assert (found.left_row.tolist(), found.right_row.tolist()) == ([3, 4160], [4150, 4199])


def test_progress_counts_every_two_rows_of_a_file_that_repeats_people(
    engine: Callable[..., SimilarityEngine],
) -> None:
    told: list[tuple[int, int]] = []
    datasets = [_rows(9), _rows(8, repeats=False)]
    engine().candidate_pairs(datasets, threshold=0.8, progress=lambda *both: told.append(both))
    assert (told[0], told[-1]) == ((0, 9 * 8 + 36), (9 * 8 + 36, 9 * 8 + 36))


def test_runs_of_files_that_do_not_repeat_people_are_not_taken_for_others(
    engine: Callable[..., SimilarityEngine],
) -> None:
    runs, clks = MemoryRuns(), np.full((5, 8), 255, np.uint8)
    both = [[Dataset(party=PartyId("city"), clks=clks, repeats=repeats)] * 2 for repeats in (False, True)]
    assert [len(_pairs(engine(), *datasets, runs=runs)) for datasets in both] == [25, 25 + 20]
