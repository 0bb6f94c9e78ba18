"""`isthmus-node audit`: from a data set of node.toml to a report on standard output."""

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from unit.node.audit.audit_parts import synthetic_columns

from isthmus.contract.profiles import build_profile
from isthmus.node.audit.command import audit
from isthmus.party.commands import Commands

FIELDS = ("first_name", "last_name", "dob")
SETTINGS = """
[datasets.students]
file = "students.csv"
id_column = "Id"
[datasets.students.columns]
first_name = "First"
last_name = "Last"
dob = "Born"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A node's folder with seventy students."""
    columns = synthetic_columns(70)
    (tmp_path / "node.toml").write_text(SETTINGS, "utf-8")
    with (tmp_path / "students.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Id", "First", "Last", "Born"])
        writer.writerows([str(row), *(columns[field][row] for field in FIELDS)] for row in range(70))
    return tmp_path


def _run(folder: Path, *options: str) -> Result:
    group = Commands("isthmus-node")
    group.add_command(audit)
    return CliRunner().invoke(group, ["audit", "--dir", str(folder), "--profile", "interop-1", "--seed", "4", *options])


def test_audit_attacks_a_sample_of_the_data_set(folder: Path) -> None:
    result = _run(folder, "--dataset", "students", "--sample", "60", "--json")
    data = json.loads(result.stdout)

    assert result.exit_code == 0
    assert (data["profile"], data["rows"]) == ("interop-1", 60)
    assert {attack["known"] for attack in data["attacks"]} == {0, 20}


def test_audit_without_json_is_text_and_names_nobody(folder: Path) -> None:
    result = _run(folder, "--dataset", "students")
    last_names = {name for name in synthetic_columns(70)["last_name"] if len(name) > 6}

    assert result.stdout.startswith("Self-audit of 70 encodings under interop-1")
    assert not [name for name in last_names if name in result.output]


def test_audit_of_an_unknown_data_set_says_so(folder: Path) -> None:
    result = _run(folder, "--dataset", "pupils")

    assert result.exit_code != 0
    assert "has no data set pupils; those that it has: students; give --dataset" in result.output


def test_audit_of_a_sample_that_is_too_small_says_so(folder: Path) -> None:
    result = _run(folder, "--dataset", "students", "--sample", "10")

    assert result.exit_code == 4
    assert "audit-too-small" in result.output


def test_audit_writes_nothing(folder: Path) -> None:
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    _run(folder, "--dataset", "students")

    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    ("name", "tables"), [("hardened-1", 2), ("hardened-2", 2), ("hardened-single-1", 1), ("interop-1", 1)]
)
def test_profiles_go_by_their_names(name: str, tables: int) -> None:
    found = build_profile(name, FIELDS, name_table=name == "hardened-1")

    assert found.name == name
    assert len(found.table_names) == tables
