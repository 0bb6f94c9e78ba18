"""Pairs a second of the comparison kernels beside anonlink, in one process and by turns, on one core.

    .venv/bin/python benchmarks/compare.py
    .venv/bin/python benchmarks/compare.py --rows 16384 --kernel avx2

Two files of made-up people (`scripts/make_people`), a fifth of them in both, are encoded by the node's encoders:
`interop-1`, 1,024 bits, and the table of all fields of `hardened-1`, 2,048 diffused bits. In each turn anonlink
compares some rows with all of the other file, as the engine `anonlink` calls it, and then the kernel compares
everything. Times are of the processor, so that a busy machine is busy for both; the median turn counts. What is found
is held against anonlink's: other pairs or scores are an error.

- `exact`: stages as the sample chooses them; every pair. `all words`: no pair is given up before its last word.
- `test`: the sequential test on head words, at most one true pair in a million missed; diffused bits only.
- `ceiling`: the share that reading all words reaches of how fast this processor ANDs, counts and adds words that lie in
  its first-level cache, a vector at a time.

NUMBA_CPU_NAME=haswell NUMBA_CPU_FEATURES=+avx2,+popcnt makes this processor one with AVX2 and nothing newer.
"""

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.hardened import hardened_1
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.profile import interop_1
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.anonlink_engine import RIGHT_ROWS
from isthmus.coordinator.match.kernels.blocks import Blocks, block_rows
from isthmus.coordinator.match.kernels.comparison import Comparison, join, parts, plan
from isthmus.coordinator.match.kernels.compiled import compiled
from isthmus.coordinator.match.kernels.lanes import WORDS_A_TALLY, add, aligned, count, load, spread, store, tally, zero
from isthmus.coordinator.match.kernels.processors import KERNELS, Kernel, host_kernel
from isthmus.coordinator.match.reference import dice_pairs
from isthmus.node.encode.hardened import RoundKeys, encode_hardened
from isthmus.node.encode.interop import encode_interop
from isthmus.node.normalise import normalise_column

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
# The people live with the scripts, which are no package.
from isthmus_people.population import write_people

KEYS: Final = RoundKeys(
    encode=Secret(b"a benchmark keeps no secrets"), diffusion=Secret(b"no diffusion key"), match=Secret(b"no match key")
)
FIELDS: Final = ("first_name", "middle_name", "last_name", "dob", "sex", "street_number", "street_name", "city", "zip")
FLOOR: Final = 0.57
TURNS: Final = 5
LEFT_ROWS: Final = 1024
MISS: Final = 1e-6

Packed = NDArray[np.uint8]
Found = set[tuple[float, int, int]]
Columns = dict[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One way to compare at one threshold: pairs a second of both, and the share of the ceiling or 0."""

    data: str
    threshold: float
    way: str
    heads: tuple[int, ...]
    ours: float
    anonlinks: float
    share: float


def read_people(folder: Path, rows: int) -> list[Columns]:
    """Give the normalised columns of two files."""
    *paths, _ = write_people(folder, rows=rows, providers=2, overlap=0.2, seed=rows)
    return [_normalised(path) for path in paths]


def _normalised(path: Path) -> Columns:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {field: normalise_column(field, [row[field] for row in rows]).values for field in FIELDS}


def by_interop(columns: Columns) -> Packed:
    """Give the CLKs of `interop-1`."""
    profile = interop_1(FIELDS)
    schema = parse_linkage_schema(profile.linkage_schema)
    return encode_interop([columns[field] for field in profile.fields], schema=schema, secret=KEYS.encode.reveal())


def by_table(columns: Columns) -> Packed:
    """Give the vectors of the table of all fields of `hardened-1`."""
    profile = hardened_1(FIELDS)
    encoded = encode_hardened([columns[field] for field in profile.fields], profile=profile, keys=KEYS)
    return np.concatenate([part.clks for part in encoded if part.table == profile.tables[0].name])


def seconds(work: Callable[[], object]) -> float:
    """Give the processor time of this thread that the work takes."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


@compiled
def _count_in_cache(unit: Any, words: NDArray[np.uint64], rounds: int) -> None:
    """AND, count and add, four sums side by side, words that never leave the first-level cache: 128 vectors a round."""
    sum0, sum1, sum2, sum3 = zero(), zero(), zero(), zero()
    for _ in range(rounds):
        part0, part1, part2, part3 = zero(), zero(), zero(), zero()
        for word in range(WORDS_A_TALLY):
            theirs = load(words, word * 8)
            part0 = count(unit, part0, theirs, spread(words, word))
            part1 = count(unit, part1, theirs, spread(words, word + 16))
            part2 = count(unit, part2, theirs, spread(words, word + 32))
            part3 = count(unit, part3, theirs, spread(words, word + 48))
        sum0, sum1 = add(sum0, tally(unit, part0)), add(sum1, tally(unit, part1))
        sum2, sum3 = add(sum2, tally(unit, part2)), add(sum3, tally(unit, part3))
    store(words, 0, add(add(sum0, sum1), add(sum2, sum3)))


def ceiling(kernel: Kernel, rounds: int = 200_000) -> float:
    """Give the vectors that this processor counts in a second."""
    words = aligned((8 * WORDS_A_TALLY,), np.uint64)
    return 4 * WORDS_A_TALLY * rounds / seconds(lambda: _count_in_cache(kernel.unit, words, rounds))


def entries(comparison: Comparison) -> int:
    """Give how many vectors a word of all rows takes, without those that the numbers of set bits rule out."""
    first, last = comparison.windows
    return int(4 * np.maximum(last - first, 0).sum())


def find(comparison: Comparison) -> Found:
    """Compare everything."""
    return {
        pair
        for part in parts(comparison)
        for found in join(comparison, part)
        for pair in zip(found.similarity.tolist(), found.left_row.tolist(), found.right_row.tolist(), strict=True)
    }


def find_by_anonlink(left: Packed, right: Packed, threshold: float) -> Found:
    """Compare everything by anonlink."""
    found: Found = set()
    for first in range(0, len(right), RIGHT_ROWS):
        scores, ours, theirs = dice_pairs(left, right[first : first + RIGHT_ROWS], threshold)
        found.update(zip(scores.tolist(), ours.tolist(), (theirs + np.uint32(first)).tolist(), strict=True))
    return found


def ways(kernel: Kernel, *, threshold: float, diffused: bool) -> dict[str, Callable[[Blocks, Blocks], Comparison]]:
    """Give the ways to compare."""
    exact = partial(plan, threshold=threshold, kernel=kernel)
    chosen: dict[str, Callable[[Blocks, Blocks], Comparison]] = {
        "exact": exact,
        "all words": lambda left, right: exact(left, right, heads=(left.words_a_row,)),
    }
    return chosen | ({"test": partial(exact, miss=MISS)} if diffused else {})


def measure(data: str, sides: Sequence[Packed], threshold: float, kernel: Kernel) -> list[Line]:
    """Let anonlink, the ceiling and each way take turns; raise `ValueError` where the pairs differ."""
    left, right = (block_rows(side) for side in sides)
    plans = {
        way: make(left, right) for way, make in ways(kernel, threshold=threshold, diffused=data != "interop-1").items()
    }
    check(plans, sides, threshold)
    times: dict[str, list[float]] = {way: [] for way in (*plans, "anonlink", "ceiling")}
    for turn in range(TURNS):
        some = sides[0][turn * LEFT_ROWS % len(sides[0]) :][:LEFT_ROWS]
        took = seconds(lambda some=some: find_by_anonlink(some, sides[1], threshold))  # type: ignore[misc]
        times["anonlink"].append(len(some) * len(sides[1]) / took)
        times["ceiling"].append(ceiling(kernel))
        for way, comparison in plans.items():
            took = seconds(lambda comparison=comparison: find(comparison))  # type: ignore[misc]
            times[way].append(len(sides[0]) * len(sides[1]) / took)
    rates = {name: median(each) for name, each in times.items()}
    vectors = entries(plans["all words"]) * left.words_a_row / (len(sides[0]) * len(sides[1]))
    return [
        Line(
            data=data,
            threshold=threshold,
            way=way,
            heads=comparison.heads,
            ours=rates[way],
            anonlinks=rates["anonlink"],
            share=rates[way] * vectors / rates["ceiling"] if way == "all words" else 0.0,
        )
        for way, comparison in plans.items()
    ]


def check(plans: dict[str, Comparison], sides: Sequence[Packed], threshold: float) -> None:
    """Raise `ValueError` unless each exact way finds what anonlink finds, and the test nothing else."""
    few = slice(0, LEFT_ROWS)
    wanted = find_by_anonlink(sides[0][few], sides[1], threshold)
    for way, comparison in plans.items():
        found = {pair for pair in find(comparison) if pair[1] < LEFT_ROWS}
        if found != wanted and not (way == "test" and found < wanted):
            raise ValueError(f"{way}: the pairs are not those of anonlink")


def table(lines: Sequence[Line]) -> str:
    """Give the lines in columns."""
    head = (
        f"{'data':<16} {'t':>4}  {'way':<9} {'words read':<12}"
        f" {'M pairs/s':>9} {'anonlink':>8} {'ratio':>6} {'ceiling':>7}"
    )
    return "\n".join([
        head,
        *(
            f"{each.data:<16} {each.threshold:>4.2f}  {each.way:<9} {' '.join(map(str, each.heads)):<12}"
            f" {each.ours / 1e6:>9.0f} {each.anonlinks / 1e6:>8.1f} {each.ours / each.anonlinks:>5.1f}x"
            f" {f'{each.share:.0%}' if each.share else '':>7}"
            for each in lines
        ),
    ])  # fmt: skip


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="pairs a second of the comparison kernels beside anonlink")
    parser.add_argument("--rows", type=int, default=8192, help="rows of each file")
    parser.add_argument("--kernel", choices=tuple(KERNELS), help="which kernel (default: the one that suits)")
    arguments = parser.parse_args()
    kernel = KERNELS[arguments.kernel] if arguments.kernel else host_kernel()
    with tempfile.TemporaryDirectory() as folder:
        people = read_people(Path(folder), arguments.rows)
    print(f"kernel {kernel.name}, {arguments.rows:,} rows a side, one core", file=sys.stderr, flush=True)
    plain, diffused = [by_interop(each) for each in people], [by_table(each) for each in people]
    lines = [line for threshold in (0.7, 0.8, 0.9) for line in measure("interop-1", plain, threshold, kernel)]
    lines += measure("hardened-1 all", diffused, FLOOR, kernel)
    print(table(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
