"""A real two-worker cluster gives the same bytes as threads, also if a worker is killed in the middle; TLS only."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from operator import add
from pathlib import Path

import numpy as np
import pytest
from faults.cluster import Cluster, running_cluster, write_keys

from isthmus.contract.ids import PartyId
from isthmus.coordinator.cluster import ClusterExecutor
from isthmus.coordinator.cluster_errors import ClusterUnavailable
from isthmus.coordinator.confine import can_confine
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.executor import Executor, Job, ThreadExecutor
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.coordinator.match.runs import MemoryRuns

pytestmark = [pytest.mark.process, pytest.mark.slow]

ROWS = 5_000


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_cluster(tmp_path, workers=2) as running:
        yield running


def _datasets(*, in_buckets: bool = False) -> list[Dataset]:
    rng = np.random.default_rng(1)
    people = rng.random((ROWS, 512)) < 0.4
    buckets = rng.integers(1, 20, (ROWS, 2), np.uint32) if in_buckets else None
    return [
        Dataset(
            party=PartyId(f"city-{number}"),
            clks=np.packbits(people ^ (rng.random(people.shape) < 0.05), axis=1),
            buckets=buckets,
        )
        for number in range(3)
    ]


def _find(
    executor: Executor,
    progress: Callable[[int], None] = lambda _: None,
    runs: MemoryRuns | None = None,
    *,
    in_buckets: bool = False,
) -> CandidatePairs:
    engine = KernelEngine(workers=1, max_pairs=10**6, executor=executor, piece_pairs=1, group_rows=1, span_pairs=10**5)
    datasets = _datasets(in_buckets=in_buckets)
    return engine.candidate_pairs(datasets, threshold=0.7, progress=lambda done, _: progress(done), runs=runs)


def _bytes(pairs: CandidatePairs) -> bytes:
    arrays = (pairs.similarity, pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row)
    return b"".join(array.tobytes() for array in arrays)


@pytest.mark.parametrize("in_buckets", [False, True], ids=["all pairs", "keyed blocks"])
def test_a_cluster_gives_the_same_bytes_as_threads_even_if_a_worker_is_killed(
    cluster: Cluster, in_buckets: bool
) -> None:
    wanted = _find(ThreadExecutor(workers=2), in_buckets=in_buckets)
    executor = ClusterExecutor(scheduler=cluster.address, keys=cluster.keys, ahead=3)

    whole = _find(executor, in_buckets=in_buckets)
    killed: list[int] = []

    def kill(done: int) -> None:
        if done and not killed:
            killed.append(cluster.workers[0].pid)
            os.kill(killed[0], signal.SIGKILL)

    disturbed = _find(executor, kill, in_buckets=in_buckets)

    assert len(wanted) >= 3 * ROWS
    assert _bytes(whole) == _bytes(wanted)
    assert killed
    assert cluster.workers[0].wait(10) == -signal.SIGKILL
    assert _bytes(disturbed) == _bytes(wanted)


def test_a_scheduler_that_dies_is_said_and_what_was_found_is_gone_on_with(cluster: Cluster) -> None:
    runs = MemoryRuns()
    executor = ClusterExecutor(scheduler=cluster.address, keys=cluster.keys, ahead=2, patience_s=5)
    with pytest.raises(ClusterUnavailable):
        _find(executor, lambda done: cluster.scheduler.kill() if done else None, runs)
    found = len(runs.names())

    pairs = _find(ThreadExecutor(workers=1), runs=runs)

    assert 0 < found < len(runs.names())
    assert _bytes(pairs) == _bytes(_find(ThreadExecutor(workers=1)))


def test_a_certificate_of_another_root_is_not_let_in(cluster: Cluster, tmp_path: Path) -> None:
    stranger = ClusterExecutor(scheduler=cluster.address, keys=write_keys(tmp_path / "stranger"))
    with pytest.raises(ClusterUnavailable, match="certificate"):
        list(stranger.completed(add, [Job(shared=1, own=2)]))


CONFINED = """
import sys
from pathlib import Path
from isthmus.coordinator.confine import confine
hub, scheduler = Path(sys.argv[1]), sys.argv[2]
confine(hub)
from operator import add
from isthmus.coordinator.cluster import ClusterExecutor, ClusterKeys
from isthmus.coordinator.match.executor import Job
keys = ClusterKeys(root=hub / "root.crt", certificate=hub / "member.crt", key=hub / "member.key")
print(*sorted(ClusterExecutor(scheduler=scheduler, keys=keys).completed(add, [Job(shared=1, own=n) for n in range(3)])))
"""


@pytest.mark.skipif(not can_confine(), reason="this machine offers no Landlock")
def test_a_confined_coordinator_can_use_a_cluster(cluster: Cluster) -> None:
    hub = cluster.keys.root.parent
    (hub / "data").mkdir()
    environment = os.environ | {"TMPDIR": str(hub / "data")}
    words = [sys.executable, "-c", CONFINED, str(hub), cluster.address]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert (done.stdout, done.returncode) == ("(0, 1) (1, 2) (2, 3)\n", 0), done.stderr
