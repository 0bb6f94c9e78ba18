"""The engine `anonlink`: blocks, processes, limits and interruption."""

import multiprocessing
import signal
import subprocess
import sys
import textwrap
from multiprocessing.process import BaseProcess

import numpy as np
import pytest

from isthmus.contract.ids import PartyId
from isthmus.coordinator.match import DEFAULT_MAX_PAIRS
from isthmus.coordinator.match.anonlink_engine import LEFT_ROWS, RIGHT_ROWS, AnonlinkEngine, end_with, tie_to_parent
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.errors import TooManyCandidates
from isthmus.coordinator.match.reference import NATIVE_COUNT_ROWS


def _datasets(sizes: list[int], *, clk_bytes: int = 128, seed: int = 1) -> list[Dataset]:
    """Files that share their first rows but for a few flipped bits."""
    rng = np.random.default_rng(seed)
    shared = rng.random((max(sizes), clk_bytes * 8)) < 0.35

    def noisy(size: int) -> np.ndarray:
        flipped = shared[:size] ^ (rng.random((size, clk_bytes * 8)) < 0.03)
        return np.packbits(flipped, axis=1)

    return [Dataset(party=PartyId(f"college-{i}"), clks=noisy(size)) for i, size in enumerate(sizes)]


def _engine(workers: int = 1, max_pairs: int = DEFAULT_MAX_PAIRS, worth_a_pool: int = 0) -> AnonlinkEngine:
    return AnonlinkEngine(workers=workers, max_pairs=max_pairs, worth_a_pool=worth_a_pool)


def _bytes(pairs: CandidatePairs) -> list[bytes]:
    arrays = (pairs.similarity, pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    return [array.tobytes() for array in arrays]


def _silent(done: int, total: int) -> None:
    assert 0 <= done <= total


def test_blocks_stay_clear_of_the_wrong_count_of_anonlink() -> None:
    assert RIGHT_ROWS < NATIVE_COUNT_ROWS


def test_rows_of_later_blocks_keep_their_numbers() -> None:
    datasets = _datasets([LEFT_ROWS + 7, RIGHT_ROWS + 9], clk_bytes=16)
    progress: list[tuple[int, int]] = []
    pairs = _engine().candidate_pairs(
        datasets, threshold=0.95, progress=lambda done, total: progress.append((done, total))
    )
    left, right = datasets[0].clks[pairs.left_row], datasets[1].clks[pairs.right_row]
    common = np.bitwise_count(left & right).sum(axis=1, dtype=np.int64)
    both = (np.bitwise_count(left).sum(axis=1, dtype=np.int64), np.bitwise_count(right).sum(axis=1, dtype=np.int64))
    assert np.array_equal(2 * common / (both[0] + both[1]), pairs.similarity)
    assert pairs.left_row.max() >= LEFT_ROWS
    total = datasets[0].rows * datasets[1].rows
    assert len(progress) == 5
    assert (progress[0], progress[-1]) == ((0, total), (total, total))
    assert progress == sorted(progress)


def test_more_pairs_than_the_limit_are_counted_and_refused() -> None:
    datasets = _datasets([LEFT_ROWS * 3, 4], clk_bytes=16)
    with pytest.raises(TooManyCandidates) as caught:
        _engine(max_pairs=5).candidate_pairs(datasets, threshold=0.1, progress=_silent)
    assert (caught.value.threshold, caught.value.limit) == (0.1, 5)
    assert 20_000 < caught.value.found <= LEFT_ROWS * 3 * 4
    assert len(_engine().candidate_pairs(datasets, threshold=float(caught.value.fits), progress=_silent)) <= 5
    assert "threshold 0.1" in str(caught.value)
    assert "higher threshold" in str(caught.value)


@pytest.mark.slow
@pytest.mark.process
def test_result_is_the_same_bytes_for_any_number_of_workers() -> None:
    datasets = _datasets([LEFT_ROWS * 5, 500, 300], clk_bytes=16)
    alone, pooled = (
        _engine(workers=workers).candidate_pairs(datasets, threshold=0.7, progress=_silent) for workers in (1, 2)
    )
    assert len(alone) > 300
    assert _bytes(alone) == _bytes(pooled)


@pytest.mark.slow
@pytest.mark.process
def test_workers_are_gone_after_an_interruption() -> None:
    def interrupt(done: int, total: int) -> None:
        if done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _engine(workers=2).candidate_pairs(
            _datasets([LEFT_ROWS * 8, 8], clk_bytes=16), threshold=0.7, progress=interrupt
        )
    assert multiprocessing.active_children() == []


def _parent_that_is_killed() -> str:
    return textwrap.dedent(
        """
        import multiprocessing, os, signal, sys
        import numpy as np
        from isthmus.coordinator.match.anonlink_engine import AnonlinkEngine
        from isthmus.coordinator.match.encodings import Dataset

        def die(done, total):
            if done:
                print(*(child.pid for child in multiprocessing.active_children()), flush=True)
                os.kill(os.getpid(), signal.SIGKILL)

        if __name__ == "__main__":
            many = Dataset(party="city", clks=np.ones((20000, 8), np.uint8))
            few = Dataset(party="college", clks=np.zeros((4, 8), np.uint8))
            AnonlinkEngine(workers=2, max_pairs=9, worth_a_pool=0).candidate_pairs(
                [many, few], threshold=0.5, progress=die
            )
        """
    )


@pytest.mark.slow
@pytest.mark.process
def test_workers_end_with_a_parent_that_is_killed_and_print_nothing(tmp_path: object) -> None:
    script = f"{tmp_path}/parent.py"
    with open(script, "w", encoding="utf-8") as file:  # noqa: PTH123 - one line for a script of the test
        file.write(_parent_that_is_killed())
    # The pipes end when the last process that holds them ends: the workers too.
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(done.stdout.split()) == 2
    assert "pkg_resources" not in done.stderr
    assert "Traceback" not in done.stderr


class _EndedParent(BaseProcess):
    def __init__(self) -> None:
        pass

    def join(self, timeout: float | None = None) -> None:
        """It has ended."""


def test_following_an_ended_parent_asks_this_process_to_end() -> None:
    asked: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    try:
        [watching] = end_with(_EndedParent())
        watching.join()
    finally:
        signal.signal(signal.SIGTERM, before)
    assert asked == [signal.SIGTERM]


def test_a_process_without_parent_only_leaves_interrupts_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    try:
        tie_to_parent()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
