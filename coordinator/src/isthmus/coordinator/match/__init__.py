"""Matching: CLKs in, entities and true counts out. Pure: no clock, no log, no store, no network.

`engine` is what a comparing engine promises, `ENGINES` are the ones there are, `group` makes entities, `overlap` counts
them. Nothing here may be shown to anyone; that is for `isthmus.coordinator.disclosure`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Protocol

from isthmus.coordinator.match.engine import SimilarityEngine
from isthmus.coordinator.match.executor import Executor
from isthmus.coordinator.match.search import DEFAULT_MAX_PAIRS_OF_ROW, DEFAULT_MEMORY_BYTES

DEFAULT_MAX_PAIRS = 10_000_000
"""Candidate pairs that a round may hold at most: this many take 0.7 GB, and 20 s of a core to find, sort and group."""


class EngineFactory(Protocol):
    """Makes an engine within limits; `workers` processes or threads do its work, or the executor if one is given."""

    def __call__(
        self,
        *,
        workers: int,
        max_pairs: int,
        max_pairs_of_row: int = DEFAULT_MAX_PAIRS_OF_ROW,
        memory_bytes: int = DEFAULT_MEMORY_BYTES,
        executor: Executor | None = None,
    ) -> SimilarityEngine:
        """Give the engine."""
        ...


def _kernel_engine(
    *,
    workers: int,
    max_pairs: int,
    max_pairs_of_row: int = DEFAULT_MAX_PAIRS_OF_ROW,
    memory_bytes: int = DEFAULT_MEMORY_BYTES,
    executor: Executor | None = None,
) -> SimilarityEngine:
    # numba takes half a second and 60 MB to load: only for those who use it.
    from isthmus.coordinator.match.kernel_engine import KernelEngine  # noqa: PLC0415 - as said above

    return KernelEngine(
        workers=workers,
        max_pairs=max_pairs,
        max_pairs_of_row=max_pairs_of_row,
        memory_bytes=memory_bytes,
        executor=executor,
    )


def _anonlink_engine(**settings: Any) -> SimilarityEngine:
    # anonlink takes a quarter of a second to load: only for those who use it.
    from isthmus.coordinator.match.anonlink_engine import AnonlinkEngine  # noqa: PLC0415 - as said above

    return AnonlinkEngine(**settings)


ENGINES: Mapping[str, EngineFactory] = MappingProxyType({"anonlink": _anonlink_engine, "kernels": _kernel_engine})
"""Every engine by the name that a configuration file gives it."""


def engine_facts(name: str) -> dict[str, str]:
    """Say by what an engine of `ENGINES` compares on this machine: its name, and for `kernels` the kernel and why."""
    if name != "kernels":
        return {"engine": name}
    # Loads numba, as making the engine does.
    from isthmus.coordinator.match.kernels.processors import host_facts  # noqa: PLC0415 - as said above

    return {"engine": name} | host_facts()


WORKER_BYTES: Mapping[str, int] = MappingProxyType({"anonlink": 512 * 2**20, "kernels": 16 * 2**20})
"""What a worker of each engine takes beside what follows from the rows: anonlink's are processes (measured)."""
