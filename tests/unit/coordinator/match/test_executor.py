"""Executors: every job's result once, in bounded numbers, and nothing left running."""

import pickle
import threading
from collections.abc import Iterator
from operator import add

import numpy as np
import pytest

from isthmus.coordinator.match.anonlink_engine import ProcessExecutor
from isthmus.coordinator.match.executor import Executor, Job, ThreadExecutor
from isthmus.coordinator.match.kernels.blocks import block_rows
from isthmus.coordinator.match.kernels.comparison import join, parts, plan
from isthmus.coordinator.match.kernels.processors import KERNELS


def _fail(shared: int, own: int) -> int:
    raise LookupError(f"{shared} {own}")


def _jobs(number: int) -> list[Job[int, int]]:
    return [Job(shared=1000, own=own) for own in range(number)]


@pytest.mark.parametrize("workers", [1, 3])
def test_each_job_has_one_result_under_its_place(workers: int) -> None:
    results = list(ThreadExecutor(workers=workers).completed(add, _jobs(40)))
    assert sorted(results) == [(own, 1000 + own) for own in range(40)]


@pytest.mark.slow
@pytest.mark.process
def test_processes_give_the_same_results() -> None:
    results = list(ProcessExecutor(workers=2).completed(add, _jobs(9)))
    assert sorted(results) == [(own, 1000 + own) for own in range(9)]


@pytest.mark.parametrize("workers", [1, 2])
def test_no_more_jobs_are_taken_than_the_executor_has_room_for(workers: int) -> None:
    executor: Executor = ThreadExecutor(workers=workers)
    taken: list[int] = []

    def jobs() -> Iterator[Job[int, int]]:
        for job in _jobs(20):
            taken.append(job.own)
            yield job

    for given, _ in enumerate(executor.completed(add, jobs()), start=1):
        assert len(taken) - given < executor.ahead
    assert len(taken) == 20


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_job_raises_is_raised_to_the_caller(workers: int) -> None:
    with pytest.raises(LookupError, match="1000 0"):
        list(ThreadExecutor(workers=workers).completed(_fail, _jobs(1)))


def test_closing_ends_the_threads() -> None:
    results = ThreadExecutor(workers=2).completed(add, _jobs(9))
    next(results)
    results.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("compare")]


def test_an_executor_without_workers_is_refused() -> None:
    with pytest.raises(ValueError, match="positive"):
        ThreadExecutor(workers=0)


def test_a_comparison_that_was_pickled_is_aligned_and_finds_the_same() -> None:
    rng = np.random.default_rng(1)
    left, right = (block_rows(np.packbits(rng.random((50, 256)) < 0.4, axis=1)) for _ in range(2))
    here = plan(left, right, threshold=0.5, kernel=KERNELS["plain"])
    there = pickle.loads(pickle.dumps(here, protocol=5))  # noqa: S301 - what was pickled a line above

    assert all(each.ctypes.data % 64 == 0 for each in (there.left.words, there.left_limits, there.windows))
    found = [
        [pair.left_row.tobytes() + pair.right_row.tobytes() for part in parts(each) for pair in join(each, part)]
        for each in (here, there)
    ]
    assert found[0] == found[1] != [b""]
