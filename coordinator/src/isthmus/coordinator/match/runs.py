"""Runs: what pieces of the comparison have found, kept until all are done, so that it need not fit into memory.

Where they are kept is another matter: `isthmus.coordinator.store.runs` keeps files, from which a killed worker goes on.
"""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

Records = NDArray[np.bytes_]
"""Candidate pairs as byte strings, dtype S24, shape (pairs,): `isthmus.coordinator.match.records`."""

RECORD: Final = np.dtype("S24")


class Runs(Protocol):
    """A place for runs by name. A run is kept whole or not at all."""

    def keep(self, name: str, records: Records) -> None:
        """Keep a run; the records are in order. Under a name that is taken nothing changes."""
        ...

    def holds(self, name: str, *, pairs: int) -> bool:
        """Say whether there is a run of that name, whole and unaltered; finding it took comparing so many pairs."""
        ...

    def open(self, name: str) -> Records:
        """Give a run that is there, to read parts of; it need not be in memory."""
        ...


class MemoryRuns:
    """`Runs` of this process alone."""

    def __init__(self) -> None:
        """Begin with none."""
        self._runs: dict[str, Records] = {}

    def keep(self, name: str, records: Records) -> None:
        """See `Runs`."""
        self._runs.setdefault(name, records)

    def holds(self, name: str, *, pairs: int) -> bool:  # noqa: ARG002 - a promise of `Runs`
        """See `Runs`."""
        return name in self._runs

    def open(self, name: str) -> Records:
        """See `Runs`."""
        return self._runs[name]

    def names(self) -> list[str]:
        """Give the names of all runs, in the order in which they came."""
        return list(self._runs)


def merged(runs: Runs, names: Sequence[str], *, at_once: int) -> Iterator[Records]:
    """Give the records of several runs in one order, in parts of some `at_once` records: all that is in memory.

    The runs are cut at the same records, which a sample of them names so that no part grows too long; each part is
    sorted on its own. A part may be longer than `at_once` by one record of each run, if that is few.
    """
    sizes = [len(runs.open(name)) for name in names]
    step = max(1, at_once // (4 * max(1, len(names))))
    samples = np.sort(np.concatenate([np.empty(0, RECORD), *(runs.open(name)[step - 1 :: step] for name in names)]))
    pivots = samples[max(1, at_once // (2 * step)) - 1 :: max(1, at_once // (2 * step))]
    cuts = [
        [0, *np.searchsorted(runs.open(name), pivots).tolist(), size] for name, size in zip(names, sizes, strict=True)
    ]
    for part in range(len(pivots) + 1):
        inside = [runs.open(name)[cut[part] : cut[part + 1]] for name, cut in zip(names, cuts, strict=True)]
        records = np.sort(np.concatenate([np.empty(0, RECORD), *inside]))
        if len(records):
            yield records
