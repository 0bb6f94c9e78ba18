"""A hundred thousand of dupehell's students at a node: what is counted beside the truth, seconds and peak memory.

    .venv/bin/python benchmarks/students.py
    .venv/bin/python benchmarks/students.py --rows 20000 --seed 2 --profiles interop-1

The Parquet file of the maker is read as it is: first by `isthmus-node profile`, whose counts of rows and repeats are
held against the same counted plainly; then with the maker's own truth for record ids, so that the node must find every
row of a person who has an earlier one; then submissions are prepared from it. Peak memory is of the larger of a
command's processes: Parquet is read by a process of its own; `start` holds what makes students, too. Ends with 1 where
a count is not what it should be.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from isthmus.contract.profiles import PROFILE_NAMES
from isthmus.node.config import DatasetConfig
from isthmus.node.normalise import normalise_column
from isthmus.node.sources.errors import DuplicateIds
from isthmus.node.sources.open_source import open_source

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
# The students live with the scripts, which are no package; preparing is measured as by the benchmark beside this one.
from isthmus_people.students import COLUMNS, ID_COLUMN, PERSON_COLUMN, StudentFile, read_students, write_students

from benchmarks.prepare import HEADING, alone, line_of, measure

Check = tuple[str, int, int]
"""What is counted, as the node counts it, and as it should be."""


def make_students(folder: Path, rows: int, seed: int) -> StudentFile:
    """Write students and the settings of a node that has them."""
    students = write_students(folder, rows=rows, seed=seed)
    columns = "".join(f'{field} = "{column}"\n' for field, column in COLUMNS.items())
    settings = f'[datasets.students]\nfile = "{students.path.name}"\nid_column = "{ID_COLUMN}"\n'
    (folder / "node.toml").write_text(f"{settings}[datasets.students.columns]\n{columns}", encoding="utf-8")
    return students


def profile(folder: Path) -> tuple[dict[str, Any], float, float]:
    """Run `isthmus-node profile`; give its report, wall seconds and peak memory in 10**6 bytes."""
    node = str(Path(sys.executable).with_name("isthmus-node"))
    command = [node, "profile", "--dir", str(folder), "--dataset", "students", "--json"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        told = process.stdout.read() if process.stdout else b""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 2**10
    return json.loads(told), time.perf_counter() - began, used.ru_maxrss * unit / 10**6


def report_checks(students: StudentFile, report: dict[str, Any]) -> Iterator[Check]:
    """Hold rows and repeats of a report against the maker's number and a plain count of normal forms."""
    yield "rows", report["rows"], students.rows
    normal = {field: normalise_column(field, values).values for field, values in read_students(students).items()}
    for told in report["repeats"]:
        whole = len(told["fields"]) == len(COLUMNS)
        rows = zip(*(normal[field] for field in told["fields"]), strict=True)
        times = Counter(row for row in rows if whole or all(row))
        name = "all fields" if whole else ", ".join(told["fields"])
        yield f"repeat {name}", told["rows"], sum(count for count in times.values() if count > 1)
        yield f"repeat {name}, not the first", told["surplus"], times.total() - len(times)


def repeated_people(folder: Path, file: str) -> int:
    """Give how many rows a node refuses when the maker's truth is the column of record ids."""
    try:
        for _ in open_source(folder, DatasetConfig(file=file, id_column=PERSON_COLUMN, columns=COLUMNS)).pieces():
            pass
    except DuplicateIds as found:
        return found.total
    return 0


def submission_checks(folder: Path, students: StudentFile, profiles: Sequence[str]) -> Iterator[Check]:
    """Prepare a submission under each profile and print what it took."""
    dataset = DatasetConfig(file=students.path.name, id_column=ID_COLUMN, columns=COLUMNS)
    print(HEADING)
    for name in profiles:
        measured = alone(measure, folder, dataset, "parquet", name)
        print(line_of(measured), flush=True)
        yield f"rows of the submission, {name}", measured.rows, students.rows


def run(folder: Path, rows: int, seed: int, profiles: Sequence[str]) -> bool:
    """Make students, measure and count; give whether every count is what it should be."""
    students: StudentFile = alone(make_students, folder, rows, seed)
    report, seconds, peak_mb = profile(folder)
    print(f"isthmus-node profile: {students.rows:,} rows in {seconds:.1f} s, peak {peak_mb:.0f} MB")
    checks = [
        *report_checks(students, report),
        ("rows of a person who has an earlier row", repeated_people(folder, students.path.name), students.repeated),
        *submission_checks(folder, students, profiles),
    ]
    for what, told, truth in checks:
        print(f"{told:>9,} {'as' if told == truth else 'NOT AS'} it should be ({truth:,}): {what}")
    return all(told == truth for _, told, truth in checks)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="dupehell's students at a node, counted against their truth")
    parser.add_argument("--rows", type=int, default=100_000, help="about how many students")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--profiles", nargs="+", default=PROFILE_NAMES, choices=PROFILE_NAMES)
    parser.add_argument("--folder", type=Path, help="where files go meanwhile; on a disk, not in memory")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        return 0 if run(Path(folder), arguments.rows, arguments.seed, arguments.profiles) else 1


if __name__ == "__main__":
    sys.exit(main())
