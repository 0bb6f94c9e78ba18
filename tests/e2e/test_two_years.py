"""Two rounds of a longitudinal project with real processes: records keep their IDs, and what changed is told."""

import csv
import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from e2e.people import write_files
from isthmus_local.local_round import (
    NODE,
    LocalRound,
    LocalSettings,
    Timeline,
    enrol_everybody,
    id_file,
    propose,
    run_nodes,
    serving,
    set_up,
)
from isthmus_local.processes import run

from isthmus.contract.encodings import submission_from_bytes
from isthmus.contract.ids import RoundId
from isthmus.node.vault import open_vault

pytestmark = pytest.mark.process

MOVED_AWAY = 12
ROWS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """Two rounds that ran; `changes` are what each node wrote of the second."""

    local: LocalRound
    rounds: tuple[str, str]
    shown: str
    changes: dict[str, dict[str, object]]
    gone: set[str]

    def ids(self, party: str, year: int) -> dict[str, str]:
        """Give the IDs of a provider's records in a year, 0 or 1."""
        with id_file(self.local, party, self.rounds[year]).open(newline="") as file:
            return {row["rec_id"]: row["pseudonym"] for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Done:
    folder = tmp_path_factory.mktemp("years")
    files = write_files(folder / "files", rows=ROWS, providers=2)
    settings = LocalSettings(project="two-years", title="Two years", purpose="Testing", longitudinal=True)
    local = LocalRound(folder=folder / "round", providers=files.providers, settings=settings, timeline=Timeline())
    set_up(local)
    with serving(local) as coordinator:
        enrol_everybody(local)
        first = propose(local)
        run_nodes(local, first, coordinator=coordinator, report=lambda *_: None)
        gone = _pass_a_year(files.providers[0].file)
        second = propose(local)
        shown = run(NODE, "round", "show", "--dir", str(local.node("provider-1")), second)
        run_nodes(local, second, coordinator=coordinator, report=lambda *_: None)
        changes = {
            one.party: json.loads(run(NODE, "round", "changes", "--dir", str(local.node(one.party)), second, "--json"))
            for one in local.providers
        }
    return Done(local=local, rounds=(first, second), shown=shown, changes=changes, gone=gone)


def _pass_a_year(file: Path) -> set[str]:
    """Let the first records of a file leave, and a stranger come; give the ids of who left."""
    head, *rows = file.read_text("utf-8").splitlines()
    stranger = "provider-1-stranger,Nemo,Nobodyhere,1991-01-01,10000"
    file.write_text("\n".join([head, *reversed(rows[MOVED_AWAY:]), stranger]) + "\n", "utf-8")
    return {row.partition(",")[0] for row in rows[:MOVED_AWAY]}


def test_records_of_both_years_have_the_same_ids(done: Done) -> None:
    for party in ("provider-1", "provider-2"):
        first, second = done.ids(party, 0), done.ids(party, 1)
        both = first.keys() & second.keys()

        assert len(both) >= ROWS // 2 - MOVED_AWAY
        assert {record: first[record] for record in both} == {record: second[record] for record in both}


def test_encodings_are_new_though_handles_are_not(done: Done) -> None:
    node = done.local.node("provider-2")
    with closing(open_vault(node / "vault.sqlite")) as vault:
        first, second = (vault.record_ids(RoundId(one)) for one in done.rounds)
        prepared = [vault.prepared(RoundId(one)) for one in done.rounds]
    digests = {submission_from_bytes(one.document).digest for one in prepared if one is not None}

    assert len(first) == ROWS
    assert first == second
    assert len(digests) == 2, "the same file under the same handles: only other encodings make another digest"
    assert (node / "keys" / "two-years.handles").stat().st_mode & 0o777 == 0o600


def test_people_who_left_have_no_id_and_nobody_else_has_theirs(done: Done) -> None:
    first, second = done.ids("provider-1", 0), done.ids("provider-1", 1)

    assert not done.gone & second.keys()
    assert not {first[record] for record in done.gone & first.keys()} & set(second.values())


def test_steward_reads_that_ids_last_and_nodes_say_what_changed(done: Done) -> None:
    assert "lasting    IDs stay the same from round to round" in done.shown
    for party, told in done.changes.items():
        assert (told["longitudinal"], told["merged"], told["split"], told["moved"]) == (True, 0, 0, 0)
        written = (done.local.node(party) / "ids" / f"{done.rounds[1]}.changes.csv").read_text("utf-8")
        assert written == "rec_id,before,now,reason\n"
