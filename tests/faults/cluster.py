"""A real dask.distributed cluster on this machine under TLS: a scheduler and workers, each a process of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from isthmus.coordinator.authority.cluster import new_cluster_authority, new_member_certificate
from isthmus.coordinator.cluster import ClusterKeys


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where the scheduler listens, the coordinator's keys, and the processes."""

    address: str
    keys: ClusterKeys
    scheduler: subprocess.Popen[bytes]
    workers: Sequence[subprocess.Popen[bytes]]


def write_keys(folder: Path) -> ClusterKeys:
    """Make a cluster's root and a certificate under it."""
    folder.mkdir(parents=True)
    now = datetime.now(UTC)
    authority = new_cluster_authority(now=now)
    key, certificate = new_member_certificate(authority, name="coordinator", now=now)
    keys = ClusterKeys(root=folder / "root.crt", certificate=folder / "member.crt", key=folder / "member.key")
    for path, text in ((keys.root, authority.root_pem()), (keys.certificate, certificate), (keys.key, key)):
        path.write_bytes(text)
    return keys


@contextmanager
def running_cluster(folder: Path, *, workers: int) -> Iterator[Cluster]:
    """Give a cluster that runs until the block ends."""
    keys = write_keys(folder / "keys")
    files = ["--tls-ca-file", keys.root, "--tls-cert", keys.certificate, "--tls-key", keys.key]
    address = f"tls://127.0.0.1:{_free_port()}"
    with ExitStack() as stack:
        scheduler = ["scheduler", "--host", address, "--no-dashboard", "--no-show", *files]
        first = stack.enter_context(_process(folder, "scheduler", scheduler))
        worker = ["worker", address, "--nthreads", "1", "--no-dashboard", "--no-nanny", "--local-directory", folder]
        started = [
            stack.enter_context(_process(folder, f"worker-{number}", [*worker, *files])) for number in range(workers)
        ]
        yield Cluster(address=address, keys=keys, scheduler=first, workers=started)


@contextmanager
def _process(folder: Path, name: str, words: Sequence[object]) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "dask", *map(str, words)],
            stdout=log,
            stderr=log,
            env=os.environ | {"DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION": "True", "PYTHONPATH": _paths()},
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _paths() -> str:
    """What this process can import, so that a worker can too."""
    return os.pathsep.join(path for path in sys.path if path)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
