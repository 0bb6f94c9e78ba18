"""`isthmus-node opt-out`: what it keeps, what it says, and what it refuses."""

import json
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from unit.node.consent.consent_parts import PROJECT
from unit.node.parts import manifest

from isthmus.contract.membership import membership_of
from isthmus.node.cli_opt_out import opt_out
from isthmus.node.consent.opt_outs import Reason, exclusions
from isthmus.node.consent.store import open_opt_outs
from isthmus.node.vault import VAULT_NAME, open_vault
from isthmus.party.commands import Commands

FAR = date(2150, 1, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "node.toml").touch()
    return tmp_path


def _run(folder: Path, *words: str) -> Result:
    main = Commands("isthmus-node", commands={"opt-out": opt_out})
    return CliRunner().invoke(main, ["opt-out", words[0], "--dir", str(folder), *words[1:]])


def _reason(folder: Path, record_id: str = "4711", *, as_of: date = FAR) -> Reason | None:
    opt_outs = open_opt_outs(folder)
    found = exclusions(opt_outs.entries(), project=PROJECT, as_of=as_of).reason(record_id)
    opt_outs.close()
    return found


def _listed(folder: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(_run(folder, "list", "--json").stdout)
    return listed


def test_added_record_is_left_out_and_the_person_is_told_what_follows(folder: Path) -> None:
    done = _run(folder, "add", "4711", "--reason", "parent_opt_out")

    assert done.exit_code == 0
    assert _reason(folder) is Reason.PARENT_OPT_OUT
    assert "rounds that have not sent their rows yet leave it out" in done.stderr
    assert "isthmus-node opt-out apply" in done.stderr
    assert done.stdout == ""


def test_dates_and_project_are_kept(folder: Path) -> None:
    _run(folder, "add", "4711", "--from", "2140-01-01", "--until", "2150-01-01", "--project", PROJECT)

    (entry,) = _listed(folder)
    assert (entry["from"], entry["until"], entry["project"]) == ("2140-01-01", "2150-01-01", PROJECT)
    assert _reason(folder) is Reason.OTHER
    assert _reason(folder, as_of=date(2150, 1, 2)) is None


def test_opt_out_that_begins_later_says_so(folder: Path) -> None:
    assert "from 2140-01-01 on, rounds that have not sent" in _run(folder, "add", "4711", "--from", "2140-01-01").stderr


def test_adding_again_changes_nothing_and_says_so(folder: Path) -> None:
    _run(folder, "add", "4711")
    again = _run(folder, "add", "4711")

    assert "was on the list already" in again.stderr
    assert len(_listed(folder)) == 1


def test_revoked_record_takes_part_again_and_both_entries_stay(folder: Path) -> None:
    _run(folder, "add", "4711")
    done = _run(folder, "revoke", "4711", "--from", "2149-12-31")

    assert done.exit_code == 0
    assert _reason(folder) is None
    assert _reason(folder, as_of=date(2149, 12, 30)) is Reason.OTHER
    assert [entry["act"] for entry in _listed(folder)] == ["opt_out", "revoke"]


def test_revoking_asks_for_the_reason_where_there_are_several(folder: Path) -> None:
    _run(folder, "add", "4711", "--reason", "court_order")
    _run(folder, "add", "4711", "--reason", "parent_opt_out")

    asked = _run(folder, "revoke", "4711")
    done = _run(folder, "revoke", "4711", "--reason", "parent_opt_out")

    assert asked.exit_code == click.UsageError.exit_code
    assert "court_order, parent_opt_out" in asked.stderr
    assert done.exit_code == 0
    assert _reason(folder) is Reason.COURT_ORDER


@pytest.mark.parametrize("words", [("revoke", "4712"), ("revoke", "4711", "--reason", "court_order")])
def test_revoking_what_is_not_there_is_refused_without_the_id(folder: Path, words: tuple[str, ...]) -> None:
    _run(folder, "add", "4711")

    done = _run(folder, *words)

    assert done.exit_code == 6
    assert "opt-out-unknown" in done.stderr
    assert "471" not in done.stderr


def test_project_that_this_node_does_not_know_is_said_and_how_to_take_it_back(folder: Path) -> None:
    done = _run(folder, "add", "4711", "--project", "k12-to-wrk")

    assert done.exit_code == 0
    assert "has taken part in no round of k12-to-wrk yet, nor of any other" in done.stderr
    assert f"isthmus-node opt-out revoke --dir {folder} --project k12-to-wrk" in done.stderr


def test_project_that_this_node_knows_is_not_doubted(folder: Path) -> None:
    vault = open_vault(folder / VAULT_NAME)
    vault.save_membership(PROJECT, membership_of(manifest().key_terms()))
    vault.close()

    known = _run(folder, "add", "4711", "--project", PROJECT)
    other = _run(folder, "add", "4711", "--project", "another")

    assert f"it takes part in every project but {PROJECT}" in known.stderr
    assert f"no round of another yet, only of {PROJECT};" in other.stderr


@pytest.mark.parametrize("words", [("add", "4711"), ("revoke", "4711")])
def test_project_that_is_no_id_is_wrong_usage_with_an_example(folder: Path, words: tuple[str, ...]) -> None:
    done = _run(folder, *words, "--project", "My Project")

    assert done.exit_code == click.UsageError.exit_code
    assert "lower-case letters, digits and single hyphens, such as k12-to-work" in " ".join(done.stderr.split())
    assert _reason(folder) is None


def test_import_adds_all_rows_and_a_second_import_none(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("record_id,from,reason\n4711,12/31/2149,parent_opt_out\n4712,,\n")

    first = _run(folder, "import", str(file), "--dates", "MDY")
    second = _run(folder, "import", str(file), "--dates", "MDY")

    assert "2 opt-outs added, 0 were" in first.stderr
    assert "0 opt-outs added, 2 were" in second.stderr
    assert _reason(folder) is Reason.PARENT_OPT_OUT
    assert _reason(folder, as_of=date(2149, 12, 30)) is None
    assert len(_listed(folder)) == 2


def test_import_with_a_wrong_row_changes_nothing(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("record_id,from\n4711,\n4712,Quirin\n")

    done = _run(folder, "import", str(file))

    assert done.exit_code == 4
    assert "row 3: from is not a date" in done.stderr
    assert "Quirin" not in done.output
    assert _listed(folder) == []


def test_list_shows_every_entry_in_order(folder: Path) -> None:
    _run(folder, "add", "4711", "--from", "2026-01-01", "--until", "2026-02-01", "--reason", "legal_hold")
    _run(folder, "add", "4712", "--from", "2026-03-01", "--project", PROJECT)

    assert _run(folder, "list").stdout.splitlines() == [
        "4711  left out from 2026-01-01 until 2026-02-01  all projects  legal_hold",
        f"4712  left out from 2026-03-01  {PROJECT}  other",
    ]
    assert _run(folder, "list").stdout.count("4711") == 1


def test_counts_are_shown_exactly_by_project_and_reason_with_their_bands(folder: Path) -> None:
    for number in range(12):
        _run(folder, "add", f"{number}", "--from", "2020-01-01", "--reason", "parent_opt_out")
    _run(folder, "add", "50", "--from", "2020-01-01", "--project", PROJECT)
    _run(folder, "add", "51", "--from", "2140-01-01")

    counts = json.loads(_run(folder, "show", "--json").stdout)

    assert (counts["entries"], counts["records"]) == (14, 14)
    assert counts["left_out"] == {
        "all projects": {"records": 12, "band": "10-49", "reasons": {"parent_opt_out": 12}},
        PROJECT: {"records": 13, "band": "10-49", "reasons": {"parent_opt_out": 12, "other": 1}},
    }
    assert f"  {PROJECT}: 13 (12 parent opt out, 1 other)" in _run(folder, "show").stdout.splitlines()


def test_empty_list_is_said(folder: Path) -> None:
    assert _run(folder, "list").stdout == "nobody yet\n"


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("add", " "), "the record id is blank"),
        (("add", "a\x1bb"), "the record id is not one line"),
        (("add", "1", "--from", "2026-02-01", "--until", "2026-01-01"), "until is before from"),
        (("add", "1", "--from", "soon"), "'--from'"),
        (("add", "1", "--reason", "mood"), "'--reason'"),
    ],
)
def test_wrong_usage_is_told_and_nothing_is_kept(folder: Path, words: tuple[str, ...], problem: str) -> None:
    done = _run(folder, *words)

    assert done.exit_code == click.UsageError.exit_code
    assert problem in done.stderr
    assert _listed(folder) == []


def test_folder_without_a_node_is_refused(tmp_path: Path) -> None:
    done = _run(tmp_path, "add", "4711")

    assert done.exit_code == 3
    assert "isthmus-node init" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_clock_that_was_wrong_is_told_and_may_be_trusted_again(folder: Path) -> None:
    with closing(open_opt_outs(folder)) as opt_outs:
        opt_outs.asked_on(FAR)

    warned, forgotten, again = (_run(folder, one) for one in ("show", "trust-clock", "trust-clock"))

    assert f"behind {FAR}" in warned.stderr
    assert f"{FAR} is forgotten" in forgotten.stderr
    assert "no day after" in again.stderr
    assert _run(folder, "show").stderr == ""
