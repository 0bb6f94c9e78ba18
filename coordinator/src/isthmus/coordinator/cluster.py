"""The executor of a dask.distributed cluster: other machines compare, this one keeps what they find.

The scheduler and its workers speak TLS both ways under an authority of their own (`authority.cluster`). Whoever holds a
certificate of it can have the cluster run any program, and what a worker sends back is unpickled here: a worker is as
trusted as the coordinator itself. docs/guides/cluster.md.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import distributed

from isthmus.coordinator.cluster_errors import ClusterUnavailable
from isthmus.coordinator.match.executor import Job, Own, Result, Shared

_dask: Final[Any] = distributed
"""Its own types cover it in part only."""

TRIES: Final = 4
"""How often a job is begun at most: workers that held it, or what it shares, may have died."""

LOST: Final = frozenset({"CancelledError", "FutureCancelledError", "KilledWorker", "CommClosedError"})
"""Names of what dask says of a job that went down with a worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterKeys:
    """Files in PEM: the cluster's root, and this coordinator's certificate and key under it."""

    root: Path
    certificate: Path
    key: Path

    def security(self) -> object:
        """Give them as dask takes them; plain connections are refused."""
        return _dask.Security(
            require_encryption=True,
            tls_ca_file=str(self.root),
            tls_client_cert=str(self.certificate),
            tls_client_key=str(self.key),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterExecutor:
    """An `Executor` on the workers of a scheduler, `tls://host:port`.

    What jobs share is sent to the workers once, and anew only if the workers that had it are gone. A job that goes down
    with its worker is begun again, up to `TRIES` times in all. `patience_s` is how long to wait for the scheduler, also
    where it went away, and for its first worker.
    """

    scheduler: str
    keys: ClusterKeys
    ahead: int = 64
    patience_s: float = 30.0

    def completed(
        self, work: Callable[[Shared, Own], Result], jobs: Iterable[Job[Shared, Own]]
    ) -> Generator[tuple[int, Result]]:
        """See `Executor`. Raises `ClusterUnavailable` where no worker is there, or one after the other dies."""
        with self._client() as client:
            yield from _Round(client, work, ahead=self.ahead).results(enumerate(jobs))

    @contextmanager
    def _client(self) -> Iterator[Any]:
        try:
            client = _dask.Client(
                self.scheduler, security=self.keys.security(), timeout=self.patience_s, set_as_default=False
            )
        except OSError as exc:  # dask raises these for whatever keeps it from its scheduler, TLS too
            raise ClusterUnavailable(problem="its scheduler does not answer, or not under this certificate") from exc
        try:
            client.wait_for_workers(1, timeout=self.patience_s)
            yield client
        except OSError as exc:  # a timeout is one too
            raise ClusterUnavailable(problem="it has no worker, or its scheduler is gone") from exc
        finally:
            client.close()


class _Round:
    """One run of jobs through a cluster."""

    def __init__(self, client: Any, work: Callable[..., Any], *, ahead: int) -> None:
        self._client, self._work, self._ahead = client, work, ahead
        self._begun: dict[object, tuple[int, Job[Any, Any], int, Any]] = {}
        self._sent: tuple[object, Any] | None = None

    def results(self, jobs: Iterator[tuple[int, Job[Any, Any]]]) -> Generator[tuple[int, Any]]:
        waiting = _dask.as_completed(loop=self._client.loop)
        self._fill(waiting, jobs)
        for future in waiting:
            place, job, tries, sent = self._begun.pop(future.key)
            try:
                result = future.result()
            except Exception as exc:
                # A result may also go down with the worker that holds it, after the job was done.
                if type(exc).__name__ not in LOST:
                    raise
                if self._sent is not None and self._sent[1] is sent:
                    self._sent = None  # what was shared may have gone down too
                waiting.add(self._begin(place, job, tries=tries + 1))
            else:
                yield place, result
            future.release()
            self._fill(waiting, jobs)

    def _fill(self, waiting: Any, jobs: Iterator[tuple[int, Job[Any, Any]]]) -> None:
        while len(self._begun) < self._ahead:
            place, job = next(jobs, (-1, None))
            if job is None:
                return
            waiting.add(self._begin(place, job, tries=1))

    def _begin(self, place: int, job: Job[Any, Any], *, tries: int) -> Any:
        if tries > TRIES:
            raise ClusterUnavailable(problem="its workers die, one after the other, over the same piece of work")
        if self._sent is None or self._sent[0] is not job.shared:
            # Under a name of its own: what had the same content may be lost.
            self._sent = (job.shared, self._client.scatter(job.shared, broadcast=True, hash=False))
        future = self._client.submit(self._work, self._sent[1], job.own, pure=False)
        self._begun[future.key] = (place, job, tries, self._sent[1])
        return future
