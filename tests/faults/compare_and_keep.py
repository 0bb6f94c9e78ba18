"""A process that looks for candidate pairs and keeps runs in a folder; others kill it. Words: engine, folder.

The engine is `anonlink`, `kernels`, or `blocks`: the kernels, for rows that share a bucket alone.

Prints `ready` when the comparison begins; at the end, how many record pairs were compared before, and the digest of the
candidate pairs.
"""

import hashlib
import sys
from pathlib import Path

import numpy as np

from isthmus.contract.ids import PartyId
from isthmus.coordinator.match.anonlink_engine import AnonlinkEngine
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import SimilarityEngine
from isthmus.coordinator.match.kernel_engine import KernelEngine
from isthmus.coordinator.store.runs import RunFolder

PROVIDERS, ROWS = 6, 800
MOST, MEMORY = 10**6, 100_000
"""So little memory that pieces are cut in halves and the runs are merged in many parts."""


def datasets(*, in_buckets: bool) -> list[Dataset]:
    """Give files of the same people with damage, and of enough rows that much is alike by chance."""
    rng = np.random.default_rng(1)
    people = rng.random((ROWS, 256)) < 0.4
    buckets = rng.integers(1, 4, (ROWS, 2), np.uint32) if in_buckets else None
    return [
        Dataset(
            party=PartyId(f"city-{number}"),
            clks=np.packbits(people ^ (rng.random(people.shape) < 0.1), axis=1),
            buckets=buckets,
        )
        for number in range(PROVIDERS)
    ]


def engine_of(name: str) -> SimilarityEngine:
    """Give the engine."""
    if name == "anonlink":
        return AnonlinkEngine(workers=1, max_pairs=MOST, memory_bytes=MEMORY)
    return KernelEngine(workers=2, max_pairs=MOST, memory_bytes=MEMORY, piece_pairs=1, group_rows=1, span_pairs=20_000)


def main(name: str, folder: str) -> None:
    """Look for the pairs."""
    runs = RunFolder(Path(folder))
    runs.forget_unfinished()

    def progress(done: int, _: int) -> None:
        if not done:
            print("ready", flush=True)

    found = datasets(in_buckets=name == "blocks")
    pairs = engine_of(name).candidate_pairs(found, threshold=0.55, progress=progress, best_of_row=None, runs=runs)
    digest = hashlib.sha256(pairs.similarity.tobytes())
    for column in (pairs.left_dataset, pairs.right_dataset, pairs.left_row, pairs.right_row):
        digest.update(column.tobytes())
    print(runs.compared_before, len(pairs), digest.hexdigest(), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
