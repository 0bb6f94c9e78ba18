"""One million people against one million, from CSV files to linked IDs, on this machine: time, memory and recall.

    .venv/bin/python benchmarks/million.py --folder /var/tmp/million
    .venv/bin/python benchmarks/million.py --rows 20000

Two files of made-up people (`scripts/make_people`), 40 % of them in both, with the errors of typing, moving and
marrying that it makes, are linked by the programs that a project runs: a coordinator and two nodes, each a process of
its own, over gRPC and TLS. The project grants keyed blocks; the profile is `interop-1` at its own threshold. The files
are kept in the folder, so that a second run begins at once.

`pairs` are what was compared, `all` what comparing everything would take. A *near* pair is a true one whose Dice
reaches the threshold, found by encoding both files once more under a key of the benchmark's own; `recall` is the share
of near pairs whose rows were linked with each other. CPU and memory are of each process with those that it started.
Times are of the wall clock, so the machine should have nothing else to do.
"""

import argparse
import csv
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.linkage_schema import parse_linkage_schema
from isthmus.contract.profile import default_threshold, interop_1
from isthmus.node.encode.interop import encode_interop
from isthmus.node.normalise import normalise_column

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
# The people and the local round live with the scripts, which are no packages.
from isthmus_local.evaluate import links_of
from isthmus_local.local_round import (
    LocalProvider,
    LocalRound,
    LocalSettings,
    Timeline,
    enrol_everybody,
    propose,
    run_nodes,
    serving,
    set_up,
)
from isthmus_local.usage import POLL_S, Watch
from isthmus_people.population import write_people

FIELDS: Final = ("first_name", "last_name", "dob", "sex", "street_number", "street_name", "zip")
OVERLAP: Final = 0.4
SEED: Final = 7
BLOCK_KEYS: Final = ("initial-birth", "last_initial-birth", "stems-month_day", "initial-number-zip")
"""Of 13 keys that the fields allow, the four that leave fewest near pairs apart: .996 share a part, .990 with the best
two, .993 with the best three. Each tolerates an error where the others do not: in a last name, in a first name, in the
year, in the date at all."""

ROWS_A_BUCKET: Final = 50
MB: Final = 10**6

Packed = NDArray[np.uint8]
Rows = NDArray[np.intp]


def made_people(folder: Path, rows: int) -> Sequence[Path]:
    """Give the paths of two files of people and of the truth, made if they are not there."""
    paths = [folder / name for name in ("provider_1.csv", "provider_2.csv", "truth.csv")]
    if not all(path.exists() for path in paths):
        print(f"making 2 files of {rows} people ...", file=sys.stderr)
        paths = write_people(folder, rows=rows, providers=2, overlap=OVERLAP, seed=SEED)
    return paths


def local_round(folder: Path, files: Sequence[Path], *, rows: int, buckets: int) -> LocalRound:
    """Give the round: two providers, `interop-1` at its own threshold, keyed blocks."""
    providers = [
        LocalProvider(
            party=path.stem.replace("_", "-"),
            name=path.stem,
            kind="district",
            file=path,
            id_column="rec_id",
            columns=dict(zip(FIELDS, FIELDS, strict=True)),
        )
        for path in files
    ]
    blocks = Blocks(keys=BLOCK_KEYS, buckets=buckets, least_rows=min(10, rows // buckets // 2))
    settings = LocalSettings(
        project="million",
        title="A benchmark",
        purpose="To see how long it takes.",
        profile="interop-1",
        blocks=blocks,
    )
    return LocalRound(folder=folder, providers=providers, settings=settings, timeline=Timeline())


def run_round(local: LocalRound, watch: Watch) -> tuple[str, int]:
    """Run the round through; give its id and how many pairs were compared."""
    most = [0]

    def told(_: str, _done: int, total: int) -> None:
        most[0] = max(most[0], total)

    set_up(local)
    with serving(local) as coordinator:
        enrol_everybody(local)
        round_id = propose(local)
        with watch.running():
            run_nodes(local, round_id, coordinator=coordinator, report=told)
            time.sleep(2 * POLL_S)
    return round_id, most[0]


def near_pairs(files: Sequence[Path], truth: Mapping[tuple[str, str], str]) -> list[tuple[str, str]]:
    """Give the record ids of the true pairs whose Dice reaches the threshold."""
    sides = [_read(path) for path in files]
    places = [
        {truth[path.stem, key]: at for at, key in enumerate(ids)} for path, (ids, _) in zip(files, sides, strict=True)
    ]
    both = sorted(places[0].keys() & places[1].keys())
    left, right = ([place[entity] for entity in both] for place in places)
    scores = _dice(_encoded(sides[0][1], left), _encoded(sides[1][1], right))
    near = np.flatnonzero(scores >= float(default_threshold(FIELDS))).tolist()
    return [(sides[0][0][left[at]], sides[1][0][right[at]]) for at in near]


def _read(path: Path) -> tuple[list[str], list[list[str]]]:
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["rec_id"], *(row[name] for name in FIELDS)) for row in csv.DictReader(file)]
    ids, *columns = zip(*rows, strict=True)
    named = dict(zip(FIELDS, columns, strict=True))
    return list(ids), [list(normalise_column(name, named[name]).values) for name in interop_1(FIELDS).fields]


def _encoded(columns: Sequence[Sequence[str]], rows: Sequence[int]) -> Packed:
    schema = parse_linkage_schema(interop_1(FIELDS).linkage_schema)
    taken = [[column[row] for row in rows] for column in columns]
    return encode_interop(taken, schema=schema, secret=b"a benchmark keeps no secrets")


def _dice(left: Packed, right: Packed) -> NDArray[np.float64]:
    common, *both = (np.bitwise_count(each).sum(axis=1, dtype=np.int64) for each in (left & right, left, right))
    return np.asarray(2 * common / np.maximum(1, both[0] + both[1]))


def print_phases(watch: Watch, local: LocalRound, began: float) -> None:
    """Print how long each part took, by what the logs said and the states that the round was seen in."""
    for provider in local.providers:
        said = [(at, line) for at, name, line in watch.lines if name == provider.party and line.strip()]
        print(f"\n{provider.party}, seconds until each line of its log")
        print(*(f"  {at - began:7.1f}  {line[:90]}" for at, line in said), sep="\n")
    marks = [
        ("load, order", watch.when("matching")[0]),
        ("join", watch.when("comparing")[0]),
        ("merge, group, maps", watch.when("comparing")[-1]),
        ("end", watch.when("released")[0]),
    ]
    print("\nmatching, seconds")
    for (name, at), (_, after) in pairwise(marks):
        print(f"  {after - at:7.1f}  {name}")
    print("\nstates, seconds")
    print(*(f"  {seconds:7.1f}  {name}" for name, seconds in local.timeline.spans()), sep="\n")


def main() -> None:
    """Run it as the command line says, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of each file")
    parser.add_argument(
        "--rows-a-bucket", type=int, default=ROWS_A_BUCKET, help="rows of a file in a bucket, by chance"
    )
    parser.add_argument("--folder", type=Path, help="where the files of people are kept")
    arguments = parser.parse_args()
    rows, buckets = arguments.rows, max(16, arguments.rows // arguments.rows_a_bucket)
    with tempfile.TemporaryDirectory() as scratch:
        *files, truth_file = made_people((arguments.folder or Path(scratch)) / f"people-{rows}", rows)
        local = local_round(Path(scratch) / "round", files, rows=rows, buckets=buckets)
        watch = Watch(local.folder)
        round_id, compared = run_round(local, watch)
        print(f"{rows} x {rows} rows, {buckets} buckets under each of {', '.join(BLOCK_KEYS)}")
        print_phases(watch, local, watch.lines[0][0])
        print(f"\n{'process':<14} {'CPU s':>7} {'peak MB':>8}")
        for one in watch.processes.values():
            print(f"{one.name:<14} {sum(one.cpu.values()):>7.1f} {one.peak / MB:>8.0f}")
        print(f"\npairs {compared:.3g} of all {rows * rows:.3g}: {compared / rows / rows:.3%}")
        print_recall(local, round_id, files, truth_file)


def print_recall(local: LocalRound, round_id: str, files: Sequence[Path], truth_file: Path) -> None:
    """Print which share of the near pairs was linked, and which share of the links is true."""
    with truth_file.open(encoding="utf-8", newline="") as file:
        truth = {(row["holder"], row["rec_id"]): row["entity_id"] for row in csv.DictReader(file)}
    holders = {provider.party: provider.name for provider in local.providers}
    linked = {(holders[party], key): number for party, key, number in links_of(local, round_id)}
    near = near_pairs(files, truth)
    names = [path.stem for path in files]
    found = sum(
        linked.get((names[0], one), "none here") == linked.get((names[1], other), "none there") for one, other in near
    )
    entities: dict[str, list[str]] = {}
    for record, number in linked.items():
        entities.setdefault(number, []).append(truth[record])
    right = sum(len(set(members)) == 1 for members in entities.values())
    true_pairs = len(truth) - len(set(truth.values()))
    print(f"true pairs {true_pairs}, near {len(near)} ({len(near) / max(1, true_pairs):.2%}), linked {len(entities)}")
    print(f"recall of near pairs {found / max(1, len(near)):.2%}, precision {right / max(1, len(entities)):.2%}")


if __name__ == "__main__":
    main()
