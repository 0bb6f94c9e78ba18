"""Candidate pairs a second of grouping beside anonlink's greedy solver, in one process and by turns, on one core.

    .venv/bin/python benchmarks/solve.py
    .venv/bin/python benchmarks/solve.py --pairs 100000 1000000 --parties 2 10 --turns 5

Made-up candidates: each person is in half of the files; 95 % of the pairs of a person's rows are candidates, with high
scores, and as many pairs of any two rows have lower ones that overlap with them. Scores have three decimals, so ties
abound. Times are of the processor, so that a busy machine is busy for both; the median turn counts. Ours is from
`CandidatePairs` to checked `Groups`, anonlink's from arrays to its list of groups, without making these arrays. Other
groups than anonlink's are an error.

Bytes a pair: how far the resident memory of a process of its own peaks over what it was before grouping, with the
compiled code loaded (Linux: VmHWM, reset by clear_refs). The 24 bytes of each pair that it is given are not in it.
`start`: from starting Python to the first result of 100,000 pairs, in a process of its own with the code on disk.
"""

import argparse
import ctypes
import multiprocessing
import subprocess
import sys
import time
import warnings
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any, Final, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.engine import CandidatePairs, Found, merge_found
from isthmus.coordinator.match.group import Groups, group_rows

with warnings.catch_warnings():
    # anonlink imports pkg_resources, which warns; each process would print that.
    warnings.simplefilter("ignore")
    from anonlink.solving import greedy_solve

IN_A_FILE: Final = 0.5
FOUND: Final = 0.95
START: Final = """
import sys
sys.path.insert(0, sys.argv[1])
from solve import group_rows, made_up_pairs
pairs, sizes = made_up_pairs(3, 100_000)
"""

Sizes = list[int]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timed(Generic[Result]):
    """What work gave, and the processor time of its thread that it took."""

    result: Result
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One case: pairs a second of both, and how many bytes a pair grouping takes."""

    parties: int
    pairs: int
    linked: int
    ours: float
    anonlinks: float
    bytes_a_pair: float


def made_up_pairs(parties: int, wanted: int, *, seed: int = 1) -> tuple[CandidatePairs, Sizes]:
    """Give about so many candidate pairs and the sizes of the files."""
    rng = np.random.default_rng(seed)
    sides = list(combinations(range(parties), 2))
    people = int(wanted / 2 / (len(sides) * IN_A_FILE**2 * FOUND))
    rows = [_rows(rng, people) for _ in range(parties)]
    sizes = [int(each.max()) + 1 for each in rows]
    parts = [_found(rng, left, right, rows, sizes, wanted // 2 // len(sides)) for left, right in sides]
    return merge_found(parts), sizes


def _rows(rng: np.random.Generator, people: int) -> NDArray[np.int64]:
    """Give the row of each person in a file, or -1."""
    inside = np.flatnonzero(rng.random(people) < IN_A_FILE)
    rows = np.full(people, -1)
    rows[inside] = rng.permutation(inside.size)
    return rows


def _found(
    rng: np.random.Generator, left: int, right: int, rows: list[NDArray[np.int64]], sizes: Sizes, others: int
) -> Found:
    both = (rows[left] >= 0) & (rows[right] >= 0) & (rng.random(rows[left].size) < FOUND)
    left_row = np.concatenate([rows[left][both], rng.integers(0, sizes[left], others)])
    right_row = np.concatenate([rows[right][both], rng.integers(0, sizes[right], others)])
    true = np.count_nonzero(both)
    scores = np.concatenate([0.5 + rng.beta(20, 2, true) / 2, 0.7 + np.minimum(rng.exponential(0.05, others), 0.29)])
    _, first = np.unique(left_row * sizes[right] + right_row, return_index=True)
    return Found(
        left_dataset=left,
        right_dataset=right,
        similarity=scores[first].round(3),
        left_row=left_row[first].astype(np.uint32),
        right_row=right_row[first].astype(np.uint32),
    )


def for_anonlink(pairs: CandidatePairs) -> Any:
    """Give the pairs as anonlink takes them."""
    datasets = (pairs.left_dataset, pairs.right_dataset), (pairs.left_row, pairs.right_row)
    sides = [tuple(array("I", side.tobytes()) for side in both) for both in datasets]
    return array("d", pairs.similarity.tobytes()), *sides


def group_by_anonlink(asked: Any) -> Sequence[Sequence[tuple[int, int]]]:
    """Give anonlink's groups of pairs that `for_anonlink` gave."""
    groups: Sequence[Sequence[tuple[int, int]]] = greedy_solve(asked)
    return groups


def timed(work: Callable[[], Result]) -> Timed[Result]:
    """Do the work."""
    began = time.thread_time()
    result = work()
    return Timed(result=result, seconds=time.thread_time() - began)


def check(groups: Groups, theirs: Sequence[Sequence[tuple[int, int]]]) -> None:
    """Raise `ValueError` unless both have the same groups in them."""
    members = np.array([member for group in sorted(map(sorted, theirs)) for member in group], np.uint32).reshape(-1, 2)
    ends = np.flatnonzero(np.diff(groups.entity, append=np.uint32(groups.entities))) + 1
    lengths = np.array([len(group) for group in sorted(map(sorted, theirs))], np.int64)
    same = np.array_equal(members, np.stack([groups.dataset, groups.row], axis=1))
    if not same or not np.array_equal(np.cumsum(lengths), ends):
        raise ValueError("the groups are not those of anonlink")


def measure(parties: int, wanted: int, turns: int) -> Line:
    """Let both group the same pairs by turns."""
    pairs, sizes = made_up_pairs(parties, wanted)
    asked = for_anonlink(pairs)
    theirs = timed(lambda: group_by_anonlink(asked))
    ours = timed(lambda: group_rows(pairs, sizes=sizes))
    check(ours.result, theirs.result)
    linked, times = len(ours.result), [(ours.seconds, theirs.seconds)]
    del ours, theirs
    for _ in range(1, turns):
        theirs_s = timed(lambda: group_by_anonlink(asked)).seconds
        times.append((timed(lambda: group_rows(pairs, sizes=sizes)).seconds, theirs_s))
    ours_s, theirs_s = (median(each) for each in zip(*times, strict=True))
    return Line(
        parties=parties,
        pairs=len(pairs),
        linked=linked,
        ours=len(pairs) / ours_s,
        anonlinks=len(pairs) / theirs_s,
        bytes_a_pair=peak_bytes(parties, wanted) / len(pairs),
    )


def peak_bytes(parties: int, wanted: int) -> int:
    """Give by how much a process of its own grows while it groups."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_growth, (parties, wanted))


def _growth(parties: int, wanted: int) -> int:
    pairs, sizes = made_up_pairs(parties, wanted)
    group_rows(pairs, sizes=sizes)
    # What this left behind would hide what grouping takes.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _resident("VmRSS")
    group_rows(pairs, sizes=sizes)
    return _resident("VmHWM") - before


def _resident(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(name))


def start_up() -> tuple[float, float]:
    """Give how long two fresh processes take that make pairs up and that group them as well, code on disk; seconds."""
    times = []
    for program in (START, START + "group_rows(pairs, sizes=sizes)"):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", program, str(Path(__file__).parent)], check=True)
        times.append(time.perf_counter() - began)
    return times[0], times[1]


def table(lines: Sequence[Line]) -> str:
    """Give the lines in columns."""
    head = (
        f"{'parties':>7} {'pairs':>11} {'rows linked':>11} {'M pairs/s':>9} {'anonlink':>8} {'ratio':>7}"
        f" {'bytes a pair':>12}"
    )
    rows = [
        f"{line.parties:>7} {line.pairs:>11,} {line.linked:>11,} {line.ours / 1e6:>9.2f} {line.anonlinks / 1e6:>8.3f}"
        f" {line.ours / line.anonlinks:>6.1f}x {line.bytes_a_pair:>12.1f}"
        for line in lines
    ]
    return "\n".join([head, *rows])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="candidate pairs a second of grouping beside anonlink's greedy solver")
    parser.add_argument("--pairs", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--parties", type=int, nargs="+", default=[2, 3, 10])
    parser.add_argument("--turns", type=int, default=3)
    arguments = parser.parse_args()
    few, sizes = made_up_pairs(2, 1000)
    began = time.perf_counter()
    group_rows(few, sizes=sizes)
    print(f"first call of this process: {time.perf_counter() - began:.2f} s", flush=True)
    without, whole = start_up()
    print(f"start to first result: {whole:.2f} s, of which {whole - without:.2f} s grouping", flush=True)
    lines = []
    for wanted in arguments.pairs:
        for parties in arguments.parties:
            lines.append(measure(parties, wanted, arguments.turns))
            print(table(lines[-1:]).splitlines()[1], file=sys.stderr, flush=True)
    print(table(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
