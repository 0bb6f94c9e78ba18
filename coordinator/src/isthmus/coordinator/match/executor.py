"""The seam between matching and what carries out its work: jobs in, results out in the order in which they are ready.

Threads of this process carry out jobs by default; `isthmus.coordinator.cluster` has other machines do it. Whoever
carries a job out, and in whatever order, its result is the same.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from concurrent.futures import Executor as Pool
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

Shared = TypeVar("Shared")
Own = TypeVar("Own")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Job(Generic[Shared, Own]):
    """One piece of work, complete in itself: what it shares with the jobs beside it, and what is its own.

    `shared` may be large: it travels once for all jobs in a row that have the same object. `own` is small. Both, and
    the result, can be pickled.
    """

    shared: Shared
    own: Own


class Executor(Protocol):
    """Carries out jobs, several at once."""

    @property
    def ahead(self) -> int:
        """How many jobs are under way or wait at most, so how many results may be held that nobody has taken."""
        ...

    def completed(
        self, work: Callable[[Shared, Own], Result], jobs: Iterable[Job[Shared, Own]]
    ) -> Generator[tuple[int, Result]]:
        """Give the place of each job and what `work` gives for it, as results come.

        A job is taken from `jobs` only when there is room for it, in the thread of the caller. What `work` raises is
        raised here. Closing the generator ends what is under way.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadExecutor:
    """An `Executor` of that many threads of this process; with one, the caller's own thread does the work."""

    workers: int

    def __post_init__(self) -> None:
        """Check that there is somebody to do the work."""
        if self.workers < 1:
            raise ValueError("workers must be positive")

    @property
    def ahead(self) -> int:
        """Two for each thread, so that none waits for the caller."""
        return 2 * self.workers if self.workers > 1 else 1

    def completed(
        self, work: Callable[[Shared, Own], Result], jobs: Iterable[Job[Shared, Own]]
    ) -> Generator[tuple[int, Result]]:
        """See `Executor`."""
        if self.workers == 1:
            yield from ((place, work(job.shared, job.own)) for place, job in enumerate(jobs))
            return
        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="compare")
        try:
            yield from as_ready(pool, work, enumerate(jobs), ahead=self.ahead)
        finally:
            pool.shutdown(cancel_futures=True)


def as_ready(
    pool: Pool,
    work: Callable[[Shared, Own], Result],
    jobs: Iterator[tuple[int, Job[Shared, Own]]],
    *,
    ahead: int,
) -> Generator[tuple[int, Result]]:
    """Give the places and results of jobs that a pool carries out, `ahead` of them at once."""
    waiting: dict[Future[Result], int] = {}
    exhausted = False
    while True:
        while not exhausted and len(waiting) < ahead:
            place, job = next(jobs, (-1, None))
            if job is None:
                exhausted = True
            else:
                waiting[pool.submit(work, job.shared, job.own)] = place
        if not waiting:
            return
        ready, _ = wait(waiting, return_when=FIRST_COMPLETED)
        # One at a time, so that its place is filled before the next is handed over.
        first = min(ready, key=waiting.__getitem__)
        yield waiting.pop(first), first.result()
