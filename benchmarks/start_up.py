"""From starting Python to the first candidate pairs: seconds that pass, and of processor time, in fresh processes.

    .venv/bin/python benchmarks/start_up.py
    .venv/bin/python benchmarks/start_up.py --turns 9 --imports

Each process starts Python, makes two data sets of 1,000 rows of 1,024 bits, and lets the engine compare them at 0.8.
`cold` has to compile, into an empty folder; `warm` loads what was compiled there, and is what every start but the first
on a machine takes. Beside them, what is not ours: Python alone, numpy, numba. Best and median of the turns, which all
kinds take one after another; processor time is that of the whole process and hardly minds a busy machine.

Where the tests' environment is installed, numba loads `coverage` and `yaml` because they are there. Run it by the
Python of an environment made from requirements/coordinator.txt to see what a coordinator takes.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

FIRST: Final = """
import sys
import numpy as np
from isthmus.coordinator.match import ENGINES
from isthmus.coordinator.match.encodings import Dataset
rng = np.random.default_rng(1)
people = rng.random((1000, 1024)) < 0.3
damaged = people ^ (rng.random(people.shape) < 0.02)
sides = [Dataset(party=party, clks=np.packbits(bits, axis=1)) for party, bits in (("a", people), ("b", damaged))]
engine = ENGINES[sys.argv[1]](workers=1, max_pairs=10**6)
print(len(engine.candidate_pairs(sides, threshold=0.8, progress=lambda *_: None)))
"""
PAIRS: Final = 1000
"""Every person with the own damaged row; strangers do not come near the threshold."""

PROGRAMS: Final[Mapping[str, tuple[str, ...]]] = {
    "python": ("pass",),
    "numpy": ("import numpy",),
    "numba": ("import numba",),
    "kernels, warm": (FIRST, "kernels"),
    "anonlink": (FIRST, "anonlink"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Took:
    """What one process took from its start to its end, in seconds."""

    wall_s: float
    cpu_s: float


def run(program: tuple[str, ...], *, cache: Path, options: tuple[str, ...] = ()) -> tuple[Took, str, str]:
    """Run a program by this Python, compiled code in the folder; give what it took, and what it said on both streams.

    Raises `ValueError` where the comparison found other pairs than there are.
    """
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        [sys.executable, *options, "-c", *program],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
    )
    wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    if program[0] is FIRST and int(done.stdout) != PAIRS:
        raise ValueError(f"{done.stdout.strip()} pairs were found, and there are {PAIRS}")
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Took(wall_s=wall_s, cpu_s=cpu_s), done.stdout, done.stderr


def measure(turns: int, *, cache: Path) -> dict[str, list[Took]]:
    """Give what each kind of process took, turn by turn; `cold` has one turn for each, with a folder of its own."""
    took: dict[str, list[Took]] = {"kernels, cold": []}
    for turn in range(turns):
        took["kernels, cold"].append(run((FIRST, "kernels"), cache=cache / f"cold-{turn}")[0])
        for name, program in PROGRAMS.items():
            # The code that the first turn compiled is there from then on.
            took.setdefault(name, []).append(run(program, cache=cache / "cold-0")[0])
    return took


def table(took: Mapping[str, list[Took]]) -> str:
    """Give the times in columns."""
    head = f"{'':<14} {'wall, best':>10} {'median':>7} {'CPU, best':>10} {'median':>7}   seconds"
    rows = [
        f"{name:<14} {min(wall):>10.2f} {median(wall):>7.2f} {min(cpu):>10.2f} {median(cpu):>7.2f}"
        for name, each in sorted(took.items(), key=lambda item: median(one.cpu_s for one in item[1]))
        for wall, cpu in [([one.wall_s for one in each], [one.cpu_s for one in each])]
    ]
    return "\n".join([head, *rows])


def imports(cache: Path, *, most: int = 12) -> str:
    """Give which packages take longest to import on the warm path, each without those that it imports; milliseconds."""
    said = run((FIRST, "kernels"), cache=cache / "cold-0", options=("-X", "importtime"))[2]
    own: Counter[str] = Counter()
    for line in said.splitlines():
        if line.startswith("import time:") and line[12:23].strip().isdigit():
            microseconds, _, name = line.removeprefix("import time:").split("|")
            own[name.strip().partition(".")[0]] += int(microseconds)
    return "\n".join(f"{name:<14} {spent / 1000:>10.0f} ms" for name, spent in own.most_common(most))


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="from starting Python to the first candidate pairs")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--imports", action="store_true", help="also print which packages take longest to import")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(table(measure(arguments.turns, cache=Path(folder))))
        if arguments.imports:
            print(imports(Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
