"""`isthmus-coordinator log` on a coordinator's folder."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from harness import START

from isthmus.contract.clock import FixedClock
from isthmus.coordinator.cli import main
from isthmus.coordinator.setup import make_installation


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    made = tmp_path_factory.mktemp("coordinator") / "hub"
    ports = {"service_port": 7443, "enrolment_port": 7444}
    make_installation(made, address="127.0.0.1", host="127.0.0.1", clock=FixedClock(START), **ports)
    yield made


def _run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["log", *words, "--dir", str(folder)])


def test_show_prints_the_events_of_a_scope(folder: Path) -> None:
    events = json.loads(_run(folder, "show", "coordinator", "--json").stdout)

    assert [one["action"] for one in events][:2] == ["party.add", "token.mint"]
    lines = _run(folder, "show", "coordinator").stdout.splitlines()
    assert len(lines) == len(events)
    assert "party.add" in lines[0]


def test_scope_without_events_is_not_found(folder: Path) -> None:
    assert _run(folder, "show", "no-such-project").exit_code == 6


def test_export_holds_the_signed_end_and_all_keys(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "log.json"

    done = _run(folder, "export", "coordinator", str(file))

    assert done.exit_code == 0, done.output
    export = json.loads(file.read_text())
    assert json.loads(export["checkpoint"])["sequence"] == len(export["events"])
    assert list(export["identity_keys"]) == ["operator"]
    assert len(bytes.fromhex(export["signature"])) == 64


def test_verify_confirms_each_chain_and_finds_one_that_is_broken(folder: Path) -> None:
    assert _run(folder, "verify").stdout.startswith("ok   coordinator: ")
    with closing(sqlite3.connect(folder / "data" / "coordinator.sqlite")) as connection, connection:
        connection.execute("DELETE FROM events WHERE sequence = 2")

    broken = _run(folder, "verify")

    assert broken.exit_code == 4
    assert "BAD  coordinator: the event 2 of the log of coordinator" in broken.stdout
