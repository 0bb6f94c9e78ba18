"""Running a coordinator: two servers and a worker in one process, until it is told to stop."""

import asyncio
import os
import signal
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from isthmus.coordinator.actions.housekeeping import sweep_blobs, sweep_runs
from isthmus.coordinator.config import FILE_NAME, Matching
from isthmus.coordinator.machine import machine_bytes
from isthmus.coordinator.match import DEFAULT_MAX_PAIRS, ENGINES, WORKER_BYTES, engine_facts
from isthmus.coordinator.match.engine import SimilarityEngine
from isthmus.coordinator.match.executor import Executor
from isthmus.coordinator.match.memory import MIB, Memory, default_max_pairs
from isthmus.coordinator.match.search import DEFAULT_MAX_PAIRS_OF_ROW, DEFAULT_MEMORY_BYTES
from isthmus.coordinator.rpc.server import enrolment_server, serve, service_server
from isthmus.coordinator.setup import Installation
from isthmus.coordinator.worker import run_worker
from isthmus.party.errors import SettingsInvalid

Announce = Callable[[str], None]


def run_coordinator(installation: Installation, *, announce: Announce) -> None:
    """Serve and match until SIGINT or SIGTERM; calls and matching under way are let end or go on at the next start."""
    os.environ["TMPDIR"] = str(installation.data / "scratch")
    os.environ.setdefault("NUMBA_CACHE_DIR", str(installation.data / "scratch" / "kernels"))
    tempfile.tempdir = None  # so that the line above counts even if a temporary file was made before
    sweep_blobs(installation.context)
    sweep_runs(installation.context)
    asyncio.run(_run(installation, announce))


async def _run(installation: Installation, announce: Announce) -> None:
    listen = installation.config.listen
    service, service_port = service_server(
        installation.context,
        installation.keys,
        doors=installation.doors,
        address=f"{listen.address}:{listen.service_port}",
    )
    enrolment, enrolment_port = enrolment_server(
        installation.context, installation.keys, address=f"{listen.address}:{listen.enrolment_port}"
    )
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    halt = threading.Event()
    facts = engine_facts(installation.config.matching.engine)
    memory = matching_memory(installation.config.matching, machine=machine_bytes())
    worker = threading.Thread(
        target=run_worker,
        args=(installation.context,),
        kwargs={"engine": _engine(installation, memory), "stop": halt, "facts": facts, "memory": memory},
        name="worker",
        daemon=True,
    )
    worker.start()
    announce(f"serving {listen.address}:{service_port}, enrolment {listen.address}:{enrolment_port}")
    announce(comparing_text(facts))
    await serve([service, enrolment], stop)
    halt.set()
    worker.join(timeout=5)


def comparing_text(facts: Mapping[str, str]) -> str:
    """Say for the operator by what rounds are compared; `facts` are those of `engine_facts`."""
    if "kernel" not in facts:
        return f"comparing by the engine {facts['engine']}"
    return (
        f"comparing by the engine {facts['engine']}, kernel {facts['kernel']}"
        f" (counts bits by {facts['unit']}; decided by this processor's features: {facts['features']})"
        + ("; large rounds take long with it: docs/guides/operator.md, Log" if facts["kernel"] == "plain" else "")
    )


def matching_memory(settings: Matching, *, machine: int) -> Memory:
    """Give what matching may take of a machine's memory: what the settings say, or three quarters of it."""
    return Memory(
        allowed_bytes=settings.memory_mib * MIB or machine * 3 // 4,
        search_bytes=min(DEFAULT_MEMORY_BYTES, max(MIB, machine // 10)),
        workers=settings.workers,
        worker_bytes=WORKER_BYTES[settings.engine],
    )


def matching_pairs(settings: Matching, *, machine: int) -> int:
    """Give how many candidate pairs a round may hold.

    By the machine and not by what is allowed of it: else a round would need more as soon as more is allowed.
    """
    return settings.max_pairs or default_max_pairs(machine * 3 // 4, most=DEFAULT_MAX_PAIRS)


def _engine(installation: Installation, memory: Memory) -> SimilarityEngine:
    settings = installation.config.matching
    return ENGINES[settings.engine](
        workers=settings.workers,
        max_pairs=matching_pairs(settings, machine=machine_bytes()),
        max_pairs_of_row=settings.max_pairs_of_row or DEFAULT_MAX_PAIRS_OF_ROW,
        memory_bytes=memory.search_bytes,
        executor=cluster_executor(installation.folder, settings.cluster),
    )


def cluster_executor(folder: Path, scheduler: str) -> Executor | None:
    """Give the executor of the scheduler that the settings name; none where they name none.

    Raises:
        SettingsInvalid: the program or the folder lacks what a cluster needs.
    """
    if not scheduler:
        return None
    try:
        # dask comes with the extra `cluster`, and takes half a second to load: only for those who use it.
        from isthmus.coordinator.cluster import ClusterExecutor, ClusterKeys  # noqa: PLC0415 - as said above
    except ModuleNotFoundError as exc:
        problem = "matching.cluster needs the extra `cluster`: install isthmus-coordinator[cluster]"
        raise SettingsInvalid(file=FILE_NAME, problem=problem) from exc
    keys = folder / "authority" / "cluster"
    files = ClusterKeys(root=keys / "root.crt", certificate=keys / "coordinator.crt", key=keys / "coordinator.key")
    if not files.key.exists():
        problem = "matching.cluster needs keys: make them with isthmus-coordinator cluster-keys"
        raise SettingsInvalid(file=FILE_NAME, problem=problem)
    return ClusterExecutor(scheduler=scheduler, keys=files)
