"""Rows a second and memory of every profile beside clkhash, in one run: same rows, same schema, one process each.

    .venv/bin/python benchmarks/encode.py
    .venv/bin/python benchmarks/encode.py --rows 20000 100000 1000000

The people are those of `scripts/make_people`, with its errors, shuffled and in the normal form of `norm-1`: dates,
numbers and mistyped names go on being new as the rows grow, as they do in real files. They are written to a file first.

Every encoder then has a process of its own, which reads the file slab by slab, encodes, and drops the CLKs as a node
does that writes them out. The processes take turns, a slab each, so that a busy machine is busy for all of them. Timed
is encoding alone, in both clocks; reading is not, nor the first ten rows, which are encoded once before to load code.
clkhash gets the same slabs through `generate_clks` in its own process without a pool; its caches stay filled from
slab to slab, as ours do. `interop-1` has clkhash's schema and secret, and their CLKs are compared: other bytes are an
error. The hardened profiles encode the same fields and are held against the same clkhash. Peak memory is of the whole
process.
"""

import argparse
import csv
import hashlib
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, Protocol

from isthmus.contract.hardened import HardenedProfile, hardened_1, hardened_2, hardened_single_1
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.profile import interop_1
from isthmus.contract.secret import Secret
from isthmus.node.encode.hardened import RoundKeys, encode_slabs
from isthmus.node.encode.interop import encode_interop_slabs
from isthmus.node.encode.match_keys import MatchKeyEncoder

SECRET: Final = b"a benchmark keeps no secrets"
KEYS: Final = RoundKeys(encode=Secret(SECRET), diffusion=Secret(SECRET[::-1]), match=Secret(SECRET[1:]))
SLAB_ROWS: Final = 2**15
FIELDS: Final = (
    "first_name",
    "middle_name",
    "last_name",
    "dob",
    "sex",
    "street_number",
    "street_name",
    "city",
    "state",
    "zip",
    "phone",
    "ssn",
)
"""All that the made-up people have, in standard order."""

Slab = list[tuple[str, ...]]
"""Columns."""


class Encoded(Protocol):
    """CLKs: a bitarray of one, or an array of many."""

    def tobytes(self) -> bytes:
        """Give the bytes of the CLKs."""
        ...


Step = Callable[[Slab], Iterator[Sequence[Encoded]]]
"""Encodes a slab, table after table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One encoder's run; `peak_mb` is the most that its process ever held, in 10**6 bytes."""

    encoder: str
    rows: int
    wall_s: float
    cpu_s: float
    peak_mb: float
    digest: str


def write_people(path: Path, rows: int, fields: Sequence[str]) -> dict[str, int]:
    """Write a CSV file of normalised people without a header; give the number of distinct values of each field."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
    # Only the process that makes people needs what makes them.
    from isthmus_people.population import as_filed, people, read_marginals  # noqa: PLC0415

    from isthmus.node.normalise.norm1 import normalise_column  # noqa: PLC0415

    marginals, rng = read_marginals(), random.Random(rows)
    filed = [as_filed(person, marginals, rng) for person in islice(people(marginals, rng), rows)]
    rng.shuffle(filed)
    columns = [normalise_column(field, [person[field] for person in filed]).values for field in fields]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(zip(*columns, strict=True))
    return {field: len(set(column)) for field, column in zip(fields, columns, strict=True)}


def read_slabs(path: Path) -> Iterator[Slab]:
    """Give the columns of the file, slab after slab."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        while rows := list(islice(reader, SLAB_ROWS)):
            yield list(zip(*rows, strict=True))


def _by_clkhash(fields: Sequence[str]) -> Step:
    from clkhash.clk import generate_clks  # noqa: PLC0415 - its memory is not to count for the others.
    from clkhash.schema import from_json_dict  # noqa: PLC0415

    schema = from_json_dict(interop_1(fields).linkage_schema)

    def step(slab: Slab) -> Iterator[Sequence[Encoded]]:
        yield generate_clks(list(zip(*slab, strict=True)), schema, SECRET, max_workers=1)

    return step


def _by_interop(fields: Sequence[str]) -> Step:
    schema = parse_linkage_schema(interop_1(fields).linkage_schema)
    return _fed(lambda slabs: encode_interop_slabs(slabs, schema=schema, secret=SECRET), arrays=1)


def _by_tables(profile: HardenedProfile) -> Step:
    def clks(slabs: Iterator[Slab]) -> Iterator[Encoded]:
        return (found.clks for found in encode_slabs(slabs, profile=profile, keys=KEYS))

    tables, tags = _fed(clks, arrays=len(profile.tables)), MatchKeyEncoder(profile, KEYS)

    def step(slab: Slab) -> Iterator[Sequence[Encoded]]:
        yield from tables(slab)
        if profile.match_keys:
            yield [tags.encode(slab).reshape(len(slab[0]), -1)]

    return step


def _fed(encode: Callable[[Iterator[Slab]], Iterator[Encoded]], *, arrays: int) -> Step:
    """Drive a generator over slabs by hand; it gives so many arrays for each."""
    inbox = deque[Slab]()
    found = encode(iter(inbox.popleft, None))

    def step(slab: Slab) -> Iterator[Sequence[Encoded]]:
        inbox.append(slab)
        return ([clks] for clks in islice(found, arrays))

    return step


ENCODERS: Final[dict[str, Callable[[Sequence[str]], Step]]] = {
    "clkhash": _by_clkhash,
    "interop-1": _by_interop,
    "hardened-single-1": lambda fields: _by_tables(hardened_single_1(fields)),
    "hardened-1": lambda fields: _by_tables(hardened_1(fields)),
    "hardened-2": lambda fields: _by_tables(hardened_2(fields)),
}


def measure(path: Path, rows: int, fields: Sequence[str]) -> list[Measurement]:
    """Let all encoders take turns over the file."""
    workers = {name: _start(name, path, fields) for name in ENCODERS}
    found: dict[str, Measurement] = {}
    while len(found) < len(workers):
        for name, connection in workers.items():
            connection.send("next")
            answer = connection.recv()
            if answer is not None:
                found[name] = Measurement(encoder=name, rows=rows, **answer)
    return list(found.values())


def _start(name: str, path: Path, fields: Sequence[str]) -> "Connection[Any, Any]":
    here, there = multiprocessing.Pipe()
    multiprocessing.get_context("spawn").Process(target=_work, args=(name, path, fields, there), daemon=True).start()
    return here


def _work(name: str, path: Path, fields: Sequence[str], connection: "Connection[Any, Any]") -> None:
    """Encode a slab each time that the parent asks; after the last answer with what it all took."""
    list(ENCODERS[name](fields)([column[:10] for column in next(read_slabs(path))]))
    step, slabs, seen = ENCODERS[name](fields), read_slabs(path), hashlib.sha256()
    wall_s = cpu_s = 0.0
    while connection.recv() and (slab := next(slabs, None)) is not None:
        for wall, cpu, clks in _timed(step(slab)):
            wall_s, cpu_s = wall_s + wall, cpu_s + cpu
            for each in clks:
                seen.update(each.tobytes())
        del slab
        connection.send(None)
    connection.send({"wall_s": wall_s, "cpu_s": cpu_s, "peak_mb": _peak_mb(), "digest": seen.hexdigest()})


def _timed(tables: Iterator[Sequence[Encoded]]) -> Iterator[tuple[float, float, Sequence[Encoded]]]:
    """Give the CLKs of each table after the seconds of the clock and of the processor that they took."""
    while True:
        wall, cpu = time.perf_counter(), time.process_time()
        clks = next(tables, None)
        if clks is None:
            return
        yield time.perf_counter() - wall, time.process_time() - cpu, clks


def _peak_mb() -> float:
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 10**6


def run(rows: int, fields: Sequence[str]) -> list[Measurement]:
    """Make people, say how many values they have, and measure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people.csv"
        # A process for itself: its memory would pass for that of the processes that this one starts.
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            distinct = pool.apply(write_people, (path, rows, fields))
        counts = ", ".join(f"{field} {count:,}" for field, count in distinct.items())
        print(f"{rows:,} rows, distinct values: {counts}", file=sys.stderr, flush=True)
        return measure(path, rows, fields)


def table(found: Sequence[Measurement]) -> str:
    """Give rows a second and how many times clkhash that is, by the clock and by processor time."""
    peer = {each.rows: each for each in found if each.encoder == "clkhash"}
    lines = [f"{'rows':>9}  {'encoder':<17} {'rows/s':>9} {'ratio':>7} {'CPU us/row':>10} {'ratio':>7} {'peak MB':>7}"]
    lines += [
        f"{each.rows:>9,}  {each.encoder:<17} {each.rows / each.wall_s:>9,.0f}"
        f" {peer[each.rows].wall_s / each.wall_s:>6.1f}x {1e6 * each.cpu_s / each.rows:>10.2f}"
        f" {peer[each.rows].cpu_s / each.cpu_s:>6.1f}x {each.peak_mb:>7.0f}"
        for each in found
    ]
    return "\n".join(lines)


def main() -> int:
    """Measure, print, and give 1 where the CLKs of clkhash and `interop-1` differ."""
    parser = argparse.ArgumentParser(description="rows a second of the encoder beside clkhash")
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 100_000], help="how many people")
    parser.add_argument("--fields", nargs="+", default=list(FIELDS), choices=FIELDS, help="fields to encode")
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")
    arguments = parser.parse_args()
    found = [each for rows in arguments.rows for each in run(rows, arguments.fields)]
    print(json.dumps([asdict(each) for each in found], indent=2) if arguments.json else table(found))
    clks = {(each.encoder, each.rows): each.digest for each in found}
    return 0 if all(clks["clkhash", rows] == clks["interop-1", rows] for rows in arguments.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
