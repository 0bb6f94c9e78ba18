"""What every engine promises: the same pairs, scores and order, within its limits."""

import numpy as np
import pytest

from isthmus.contract.ids import PartyId
from isthmus.coordinator.match import DEFAULT_MAX_PAIRS, ENGINES
from isthmus.coordinator.match.anonlink_engine import AnonlinkEngine
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, SimilarityEngine
from isthmus.coordinator.match.errors import TooManyCandidates
from isthmus.coordinator.match.kernel_engine import KernelEngine


@pytest.fixture(params=ENGINES)
def name(request: pytest.FixtureRequest) -> str:
    """The name of each engine."""
    return str(request.param)


def _engine(name: str, max_pairs: int = DEFAULT_MAX_PAIRS) -> SimilarityEngine:
    return ENGINES[name](workers=1, max_pairs=max_pairs)


def _datasets(sizes: list[int], *, clk_bytes: int = 128) -> list[Dataset]:
    """Files that share their first rows but for a few flipped bits."""
    rng = np.random.default_rng(1)
    shared = rng.random((max(sizes), clk_bytes * 8)) < 0.35
    noisy = [shared[:size] ^ (rng.random((size, clk_bytes * 8)) < 0.03) for size in sizes]
    return [Dataset(party=PartyId(f"college-{i}"), clks=np.packbits(bits, axis=1)) for i, bits in enumerate(noisy)]


def _bytes(pairs: CandidatePairs) -> list[bytes]:
    arrays = (pairs.similarity, pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    return [array.tobytes() for array in arrays]


def _silent(done: int, total: int) -> None:
    assert 0 <= done <= total


def test_engines_are_made_by_name() -> None:
    assert ENGINES["anonlink"](workers=1, max_pairs=5) == AnonlinkEngine(workers=1, max_pairs=5)
    assert ENGINES["kernels"](workers=1, max_pairs=5) == KernelEngine(workers=1, max_pairs=5)


@pytest.mark.parametrize(("workers", "max_pairs"), [(0, 1), (1, 0)])
def test_settings_that_are_not_positive_are_refused(name: str, workers: int, max_pairs: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        ENGINES[name](workers=workers, max_pairs=max_pairs)


def test_datasets_that_differ_in_length_are_refused(name: str) -> None:
    datasets = [*_datasets([2], clk_bytes=8), *_datasets([2], clk_bytes=16)]
    with pytest.raises(ValueError, match="length"):
        _engine(name).candidate_pairs(datasets, threshold=0.5, progress=_silent)


def test_pairs_are_those_of_anonlink_in_its_order(name: str) -> None:
    from anonlink.candidate_generation import find_candidate_pairs
    from anonlink.similarities import dice_coefficient

    datasets = _datasets([40, 60, 50])
    theirs = find_candidate_pairs(
        [[row.tobytes() for row in dataset.clks] for dataset in datasets], dice_coefficient, 0.6
    )
    scores, (left_dataset, right_dataset), (left_row, right_row) = theirs
    ours = _engine(name).candidate_pairs(datasets, threshold=0.6, progress=_silent)
    assert len(ours) > 100
    wanted = [array.tobytes() for array in (scores, left_dataset, right_dataset, left_row, right_row)]
    assert _bytes(ours) == wanted


@pytest.mark.parametrize("sizes", [[], [5], [0, 0], [0, 5], [5, 0, 0]], ids=str)
def test_nothing_to_compare_gives_no_pairs(name: str, sizes: list[int]) -> None:
    datasets = [Dataset(party=PartyId("city"), clks=np.ones((size, 8), np.uint8)) for size in sizes]
    assert len(_engine(name).candidate_pairs(datasets, threshold=0.5, progress=_silent)) == 0


def test_progress_begins_at_nothing_and_ends_at_all_pairs(name: str) -> None:
    told: list[tuple[int, int]] = []
    datasets = _datasets([9, 8, 7])
    datasets[1].clks[3] = 0

    _engine(name).candidate_pairs(datasets, threshold=0.8, progress=lambda *both: told.append(both))

    total = 9 * 8 + 9 * 7 + 8 * 7
    assert (told[0], told[-1]) == ((0, total), (total, total))
    assert told == sorted(told)


def test_exactly_the_limit_is_allowed(name: str) -> None:
    ones = Dataset(party=PartyId("city"), clks=np.full((2, 8), 255, np.uint8))
    assert len(_engine(name, max_pairs=4).candidate_pairs([ones, ones], threshold=1.0, progress=_silent)) == 4


def test_one_more_than_the_limit_is_refused(name: str) -> None:
    ones = Dataset(party=PartyId("city"), clks=np.full((2, 8), 255, np.uint8))
    with pytest.raises(TooManyCandidates) as caught:
        _engine(name, max_pairs=3).candidate_pairs([ones, ones], threshold=1.0, progress=_silent)
    assert (caught.value.threshold, caught.value.limit) == (1.0, 3)
