"""Many small providers in one round: seconds, memory and disk of finding their candidate pairs.

Made-up rows: random bits, of which each provider shares some people with the next. The comparison does not know people;
what it costs follows from the numbers of rows and bits, and from how many pairs reach the threshold.

Example: .venv/bin/python benchmarks/many_providers.py --providers 100 --rows 2000
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from isthmus.contract.ids import PartyId
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.kernel_engine import GROUP_ROWS, KernelEngine
from isthmus.coordinator.store.runs import RunFolder

CLK_BITS: Final = 2048
SHARED: Final = 0.25
"""Share of a provider's rows that are people of the provider before."""

DAMAGE: Final = 0.15
"""Share of bits that differ between two rows of a person: Dice about 0.75, far above the floor of a table."""

FLOOR: Final = 0.57


def datasets(providers: int, rows: int) -> list[Dataset]:
    """Give the providers' rows."""
    rng = np.random.default_rng(1)
    kept = np.empty((0, CLK_BITS), np.bool_)
    made = []
    for number in range(providers):
        own = rng.random((rows, CLK_BITS)) < 0.5
        own[: len(kept)] = kept ^ (rng.random(kept.shape) < DAMAGE)
        made.append(Dataset(party=PartyId(f"programme-{number}"), clks=np.packbits(own, axis=1)))
        kept = own[-int(SHARED * rows) :]
    return made


def peak_mib() -> int:
    """Give the most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="seconds and memory of a round of many small providers")
    parser.add_argument("--providers", type=int, default=100)
    parser.add_argument("--rows", type=int, default=2000, help="rows of each provider")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--one-by-one", action="store_true", help="compare each two providers apart")
    arguments = parser.parse_args()
    rows = datasets(arguments.providers, arguments.rows)
    group_rows = 1 if arguments.one_by_one else GROUP_ROWS
    engine = KernelEngine(workers=arguments.workers, max_pairs=10**7, group_rows=group_rows)
    engine.candidate_pairs([rows[0], rows[0]], threshold=FLOOR, progress=lambda *_: None, best_of_row=3)
    before = peak_mib()
    with tempfile.TemporaryDirectory() as folder:
        began, used = time.monotonic(), time.process_time()
        runs = RunFolder(Path(folder) / "runs")
        pairs = engine.candidate_pairs(rows, threshold=FLOOR, progress=lambda *_: None, best_of_row=3, runs=runs)
        took, used = time.monotonic() - began, time.process_time() - used
        files = list((Path(folder) / "runs").iterdir())
        disk = sum(file.stat().st_size for file in files)
    compared = arguments.providers * (arguments.providers - 1) // 2 * arguments.rows**2
    print(
        f"{arguments.providers} providers of {arguments.rows:,} rows, {compared:,} record pairs, {len(pairs):,} found"
    )
    print(f"{took:.1f} s, {used:.1f} s of processor time, {compared / used / 1e6:,.0f} million pairs a core second")
    print(f"memory {peak_mib()} MiB at most, {before} MiB before; {len(files)} runs of {disk / 2**20:.1f} MiB in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
