"""Seconds and memory of comparing, linking and grouping as the rows grow, the exponent of each, and a chart of them.

    .venv/bin/python benchmarks/scale.py
    .venv/bin/python benchmarks/scale.py --rows 2000 4000 8000 --only "kernels: exact join" --json numbers.json
    .venv/bin/python benchmarks/scale.py --json docs/benchmarks/time-against-rows.json \\
        --chart docs/benchmarks/time-against-rows.svg
    .venv/bin/python benchmarks/scale.py --from docs/benchmarks/time-against-rows.json

Two files of made-up people (`scripts/make_people`), a fifth of them in both, of n rows each:

- `exact join`: every pair of 1,024-bit CLKs (`interop-1`) at threshold 0.8, by the kernels and by anonlink;
- `keyed blocks`: the same where only rows that share a bucket are compared, four keys and fifty rows a bucket;
- `hardened-1`: candidates and scores of its two tables and its match keys, by the kernels (`link_tables`);
- `grouping`: of about n candidate pairs as `benchmarks/solve.py` makes them up, ours and anonlink's greedy solver.

Each point has a process of its own, with compiled code loaded by a small run before. Seconds are of the processor on
one core, so that a busy machine costs little; short work is repeated, and the median counts. Peak memory is of the
process with its input while it works (Linux: VmHWM, reset by clear_refs); `grown` is without what it had before. What
is fitted: `log_chart`. Files and encodings are made anew for each point, which takes longer than most that is measured.

A further series is a function that takes n and gives the work, and a line in `CASES`.
"""

import argparse
import ctypes
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

from isthmus.contract.hardened import hardened_1
from isthmus.contract.ids import PartyId
from isthmus.contract.keyed_blocks import FEWEST_BUCKETS, Blocks
from isthmus.contract.secret import Secret
from isthmus.coordinator.match import ENGINES
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.group import group_rows
from isthmus.coordinator.match.table_rules import link_rules
from isthmus.coordinator.match.tables import link_tables
from isthmus.node.encode.buckets import BucketEncoder

sys.path.insert(0, str(Path(__file__).parents[1]))
# The other benchmarks are no package.
from benchmarks.compare import FIELDS, Columns, Packed, by_interop, read_people
from benchmarks.link_accuracy import submission
from benchmarks.log_chart import Point, Series, chart, read_series, table, write_series
from benchmarks.solve import FOUND, IN_A_FILE, for_anonlink, group_by_anonlink, made_up_pairs

TITLE: Final = "Time against rows, one core"
THRESHOLD: Final = 0.8
MAX_PAIRS: Final = 10**7
WARM_ROWS: Final = 200
BLOCK_KEYS: Final = ("initial-birth", "last_initial-birth", "stems-month_day", "initial-number-zip")
ROWS_A_BUCKET: Final = 50
ENOUGH_S: Final = 0.3
"""Work is repeated until it took so long."""

Work = Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A series: what prepares the work for n rows a side, and up to how many rows it is measured."""

    prepare: Callable[[int], Work]
    most_rows: int = 10**9
    peer: bool = False


def people(rows: int) -> list[Columns]:
    """Give the normalised columns of two files."""
    with tempfile.TemporaryDirectory() as folder:
        return read_people(Path(folder), rows)


def join_by(engine: str) -> Callable[[int], Work]:
    """Give what prepares the exact join by an engine."""

    def prepare(rows: int) -> Work:
        sides = [_dataset(by_interop(columns)) for columns in people(rows)]
        made = ENGINES[engine](workers=1, max_pairs=MAX_PAIRS)
        return lambda: made.candidate_pairs(sides, threshold=THRESHOLD, progress=_silent)

    return prepare


def join_in_buckets(rows: int) -> Work:
    """Prepare the join of rows that share a bucket, by the kernels."""
    blocks = Blocks(keys=BLOCK_KEYS, buckets=max(FEWEST_BUCKETS, rows // ROWS_A_BUCKET))
    encoder = BucketEncoder(blocks, fields=FIELDS, key=Secret(b"a benchmark keeps no secrets"))
    sides = [
        Dataset(party=PartyId("provider"), clks=by_interop(columns), buckets=encoder.encode([*columns.values()]))
        for columns in people(rows)
    ]
    engine = ENGINES["kernels"](workers=1, max_pairs=MAX_PAIRS)
    return lambda: engine.candidate_pairs(sides, threshold=THRESHOLD, progress=_silent)


def linking(rows: int) -> Work:
    """Prepare linking by the tables of `hardened-1`."""
    profile = hardened_1(FIELDS)
    sides = [submission(columns, profile) for columns in people(rows)]
    engine, rules = ENGINES["kernels"](workers=1, max_pairs=MAX_PAIRS), link_rules(profile)
    return lambda: link_tables(sides, rules=rules, engine=engine, max_pairs=MAX_PAIRS, progress=_silent)


def grouping(rows: int) -> Work:
    """Prepare grouping."""
    pairs, sizes = made_up_pairs(2, _pairs_of(rows))
    return lambda: group_rows(pairs, sizes=sizes)


def grouping_by_anonlink(rows: int) -> Work:
    """Prepare anonlink's grouping of the same pairs."""
    asked = for_anonlink(made_up_pairs(2, _pairs_of(rows))[0])
    return lambda: group_by_anonlink(asked)


CASES: Final[Mapping[str, Case]] = {
    "kernels: exact join": Case(prepare=join_by("kernels")),
    "anonlink: exact join": Case(prepare=join_by("anonlink"), most_rows=16_000, peer=True),
    "kernels: keyed blocks": Case(prepare=join_in_buckets),
    "kernels: hardened-1, linking": Case(prepare=linking),
    "isthmus: grouping": Case(prepare=grouping),
    "anonlink: grouping": Case(prepare=grouping_by_anonlink, peer=True),
}
"""Every series of the chart, in its order."""


def _pairs_of(rows: int) -> int:
    """Give how many pairs `made_up_pairs` is asked for, so that each of two files has so many rows."""
    return round(2 * IN_A_FILE * FOUND * rows)


def _dataset(clks: Packed) -> Dataset:
    return Dataset(party=PartyId("provider"), clks=clks)


def _silent(done: int, total: int) -> None:
    """Nobody waits."""


def measure(prepare: Callable[[int], Work], rows: int) -> Point:
    """Measure one point in this process."""
    prepare(WARM_ROWS)()
    work, times = prepare(rows), list[float]()
    # What preparing left behind would hide what the work takes.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = _memory_mib("VmRSS")
    while sum(times) < ENOUGH_S:
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    peak = _memory_mib("VmHWM")
    return Point(rows=rows, seconds=median(times), peak_mib=peak, grown_mib=peak - before)


def _memory_mib(name: str) -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(name))


def point_apart(name: str, rows: int) -> Point:
    """Measure one point in a process of its own."""
    command = [sys.executable, __file__, "--point", name, str(rows)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    point = Point(**json.loads(done.stdout.splitlines()[-1]))
    print(f"{name}, {rows:,} rows a side: {point.seconds:.3f} s", file=sys.stderr, flush=True)
    return point


def measure_all(names: list[str], rows: list[int]) -> list[Series]:
    """Measure the series at the given numbers of rows, the fewest of all series first."""
    points: dict[str, list[Point]] = {name: [] for name in names}
    for each in sorted(rows):
        for name in names:
            if each <= CASES[name].most_rows:
                points[name].append(point_apart(name, each))
    return [Series(name=name, peer=CASES[name].peer, points=tuple(some)) for name, some in points.items() if some]


def main() -> int:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description="seconds and memory as the rows grow, with the exponents")
    parser.add_argument("--rows", type=int, nargs="+", default=[2_000, 4_000, 8_000, 16_000, 32_000, 64_000])
    parser.add_argument("--only", action="append", choices=tuple(CASES), help="which series (default: all)")
    parser.add_argument("--json", type=Path, help="write the numbers to this file")
    parser.add_argument("--chart", type=Path, help="draw the chart into this SVG file")
    parser.add_argument("--from", dest="given", type=Path, help="measure nothing; take the numbers of this file")
    parser.add_argument("--point", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.point:
        name, rows = arguments.point
        print(json.dumps(asdict(measure(CASES[name].prepare, int(rows)))))
        return 0
    series = (
        read_series(arguments.given) if arguments.given else measure_all(arguments.only or [*CASES], arguments.rows)
    )
    print(table(series))
    if arguments.json:
        write_series(arguments.json, series)
    if arguments.chart:
        arguments.chart.write_text(chart(series, title=TITLE), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
