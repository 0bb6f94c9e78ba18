"""A few thousand of dupehell's students through a node's report and preparation, counted against their maker's truth.

`benchmarks/students.py` does the same with a hundred thousand.
"""

import json
import random
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from unit.node.parts import COLLEGE, RIVERSIDE, ROUND, manifest, project

from isthmus.contract.encodings import Submission, unpack_rows
from isthmus.contract.project import ProviderTerms
from isthmus.contract.secret import Secret
from isthmus.node.config import DatasetConfig
from isthmus.node.normalise import normalise_column
from isthmus.node.outbox import payload_path
from isthmus.node.prepare import Job, prepare_submission
from isthmus.node.report.command import profile
from isthmus.node.round_encoding import RoundEncoding
from isthmus.node.sources.errors import DuplicateIds
from isthmus.node.sources.open_source import open_source
from isthmus.node.vault import open_vault

pytest.importorskip("dupehell", reason="dupehell has no wheel for this machine")
from isthmus_people.students import COLUMNS, ID_COLUMN, PERSON_COLUMN, StudentFile, read_students, write_students

FIELDS = tuple(COLUMNS)
TERMS = tuple(ProviderTerms(party=party, dataset="students", fields=FIELDS) for party in (RIVERSIDE, COLLEGE))


@pytest.fixture(scope="module")
def students(tmp_path_factory: pytest.TempPathFactory) -> StudentFile:
    """Students, and beside their file a copy as CSV and the settings of a node."""
    file = write_students(tmp_path_factory.mktemp("students"), rows=1500, seed=3)
    pl.read_parquet(file.path).write_csv(file.path.with_suffix(".csv"))
    columns = "".join(f'{field} = "{column}"\n' for field, column in COLUMNS.items())
    settings = f'[datasets.students]\nfile = "{file.path.name}"\nid_column = "{ID_COLUMN}"\n'
    (file.path.parent / "node.toml").write_text(f"{settings}[datasets.students.columns]\n{columns}")
    return file


@pytest.fixture(scope="module")
def report(students: StudentFile) -> dict[str, Any]:
    """What `isthmus-node profile` counts of them."""
    arguments = ["--dir", str(students.path.parent), "--dataset", "students", "--json"]
    found = CliRunner().invoke(profile, arguments, catch_exceptions=False)
    assert found.exit_code == 0
    told: dict[str, Any] = json.loads(found.stdout)
    return told


@pytest.fixture(scope="module")
def normal(students: StudentFile) -> dict[str, list[str]]:
    """Their columns in normal form."""
    return {field: normalise_column(field, values).values for field, values in read_students(students).items()}


def _dataset(students: StudentFile, id_column: str) -> DatasetConfig:
    """A data set of the same rows as CSV; the report reads Parquet."""
    return DatasetConfig(file=students.path.with_suffix(".csv").name, id_column=id_column, columns=COLUMNS)


def test_students_are_as_many_as_their_maker_says(students: StudentFile) -> None:
    assert len(students.entities) == students.rows > 1500
    assert students.rows - len(set(students.entities)) == students.repeated > 300


def test_report_on_students_counts_every_row_in_every_field(students: StudentFile, report: dict[str, Any]) -> None:
    outcomes = ("sound", "damaged", "placeholder", "blank")

    assert report["rows"] == students.rows
    assert [field["field"] for field in report["fields"]] == list(FIELDS)
    assert {sum(field[outcome] for outcome in outcomes) for field in report["fields"]} == {students.rows}


def test_report_on_students_counts_blank_and_distinct_values_exactly(
    students: StudentFile, normal: dict[str, list[str]], report: dict[str, Any]
) -> None:
    raw = read_students(students)

    for field in report["fields"]:
        assert field["blank"] == raw[field["field"]].count("")
        assert field["distinct"] == len({*normal[field["field"]]} - {""})


def test_report_on_students_counts_repeats_exactly_and_their_makers_copies_are_among_them(
    students: StudentFile, normal: dict[str, list[str]], report: dict[str, Any]
) -> None:
    for told in report["repeats"]:
        rows = list(zip(*(normal[field] for field in told["fields"]), strict=True))
        times = Counter(row for row in rows if all(row) or len(told["fields"]) == len(FIELDS))
        assert told["surplus"] == times.total() - len(times) > 0
        assert told["rows"] == sum(count for count in times.values() if count > 1)
        assert students.copies
        assert min(times[rows[row]] for row in students.copies) > 1


def test_node_counts_every_row_of_a_student_who_has_an_earlier_one(students: StudentFile) -> None:
    stream = open_source(students.path.parent, _dataset(students, PERSON_COLUMN))

    with pytest.raises(DuplicateIds) as found:
        list(stream.pieces())

    assert found.value.total == students.repeated


def _submitted(students: StudentFile, name: str, folder: Path) -> tuple[Submission, dict[str, bytes]]:
    """What a node of that profile would send: the declaration, and the CLK by record id."""
    terms = manifest(project(profile=name, providers=TERMS))
    encoding = RoundEncoding(manifest=terms, profile=terms.read_profile(), key=Secret(b"k" * 32), encoder="isthmus")
    dataset = _dataset(students, ID_COLUMN)
    with closing(open_vault(folder / "vault.sqlite")) as vault:
        submission = prepare_submission(
            open_source(students.path.parent, dataset, fields=encoding.profile.fields),
            Job(dataset=dataset, encoding=encoding),
            party=RIVERSIDE,
            outbox=folder / "outbox",
            vault=vault,
            random_bytes=random.Random(1).randbytes,
            progress=lambda _stage, _done, _total: None,
        )
        ids = vault.record_ids(ROUND)
    payload = payload_path(folder / "outbox", submission).read_bytes()
    handles, clks = unpack_rows(payload, row_bits=submission.row_bits)
    return submission, {
        ids[handle.tobytes()]: clk.tobytes() for handle, clk in zip(handles, clks, strict=True) if clk.any()
    }


@pytest.mark.parametrize("name", ["interop-1", "hardened-single-1"])
def test_submission_of_students_has_every_row_once_and_equal_clks_for_equal_rows_only(
    name: str, students: StudentFile, normal: dict[str, list[str]], tmp_path: Path
) -> None:
    submission, clk_of = _submitted(students, name, tmp_path)

    assert submission.rows == students.rows
    ids = [f"R-{number:013}" for number in range(students.rows)]
    assert sorted(clk_of) == ids
    rows = list(zip(*normal.values(), strict=True))
    clk_of_row = dict(zip(rows, map(clk_of.__getitem__, ids), strict=True))
    assert [clk_of[record] for record in ids] == [clk_of_row[row] for row in rows]
    assert len(set(clk_of.values())) == len(clk_of_row) < len(rows)
