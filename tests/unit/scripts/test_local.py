"""The local round's scripts touch nothing that they did not make, and say early what cannot work."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from isthmus_local import demo, try_files
from isthmus_local.local_round import stage_text
from isthmus_local.processes import CommandFailed
from isthmus_local.watch import begun, watching

from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView

GOOD = "rec_id,first_name,last_name\n1,Quor,Zyl\n"


def attempt(*arguments: object) -> str:
    result = CliRunner().invoke(try_files.main, [str(argument) for argument in arguments])
    assert result.exit_code == 4, result.output
    return result.output


def test_try_refuses_to_write_a_result_over_a_file_that_it_reads(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text(GOOD)
    (tmp_path / "b.csv").write_text(GOOD)
    said = attempt("--out", tmp_path, f"a={tmp_path / 'counts.csv'}", f"b={tmp_path / 'b.csv'}")
    assert "would be overwritten" in said
    assert (tmp_path / "counts.csv").read_text() == GOOD


@pytest.mark.parametrize(
    ("text", "options", "problem"),
    [
        ("rec_id,first_name\n1,Quor\n", (), "fewer than two standard columns in common"),
        (
            "first_name,last_name\nQuor,Zyl\n",
            (),
            "b.csv): it has no column rec_id; rename the one that tells rows apart",
        ),
        (GOOD.replace("last_name", "FIRST NAME"), (), "two columns of one name"),
        (GOOD, ("--threshold", "85"), "a similarity from 0.1 to 1.0"),
    ],
)
def test_try_says_before_it_starts_anything_what_is_wrong(
    tmp_path: Path, text: str, options: tuple[str, ...], problem: str
) -> None:
    (tmp_path / "a.csv").write_text(GOOD)
    (tmp_path / "b.csv").write_text(text)
    said = attempt("--out", tmp_path / "out", *options, f"a={tmp_path / 'a.csv'}", f"b={tmp_path / 'b.csv'}")
    assert problem in said
    assert "Quor" not in said
    assert not (tmp_path / "out").exists()


def test_try_names_the_columns_that_it_does_not_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(GOOD.replace("last_name", "Surname"))
    (tmp_path / "b.csv").write_text(GOOD)

    said = attempt("--out", tmp_path / "out", f"a={tmp_path / 'a.csv'}", f"b={tmp_path / 'b.csv'}")

    assert "not read, for these are no standard names: Surname" in said
    assert said.count("not read") == 1


def test_try_refuses_a_truth_file_that_is_none(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text(GOOD)
    truth = tmp_path / "a.csv"
    said = attempt("--out", tmp_path / "out", "--truth", truth, f"a={truth}", f"b={tmp_path / 'b.csv'}")
    assert "its columns must be holder, rec_id and entity_id" in said


def test_demo_replaces_an_earlier_demo_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(CommandFailed, match="not a demo"):
        demo._make_folder(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "mine"
    demo._make_folder(tmp_path / "demo")
    (tmp_path / "demo" / "old").write_text("of the earlier demo")
    demo._make_folder(tmp_path / "demo")
    assert not (tmp_path / "demo" / "old").exists()


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["schools", "colleges"], ["schools", "colleges"]),
        (["provider_1", "2020", "ü"], ["provider-1", "p-2020", "px"]),
        (["A b", "a-b"], ["a-b-1", "a-b-2"]),
    ],
)
def test_any_name_becomes_a_lawful_party_id_of_its_own(names: list[str], ids: list[str]) -> None:
    assert try_files._party_ids(names) == ids


def test_try_refuses_a_truth_that_does_not_know_the_files_before_it_starts_anything(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(GOOD)
    truth = tmp_path / "truth.csv"
    truth.write_text("holder,rec_id,entity_id\nschool_1,1,e\nschool_2,1,e\n")

    said = attempt("--out", tmp_path / "out", "--truth", truth, f"a={tmp_path / 'a.csv'}", f"b={tmp_path / 'b.csv'}")

    assert "you gave a, b; it has school_1, school_2" in said
    assert not (tmp_path / "out").exists()


def test_time_left_is_that_of_the_present_stage_at_its_own_pace() -> None:
    stage = begun("matching", 0, 0, now_s=10.0)
    assert stage.left_s(now_s=30.0) is None

    stage = stage.further(0, 100, now_s=50.0)  # what came before there was anything to do does not count
    assert stage.left_s(now_s=52.0) is None
    stage = stage.further(20, 100, now_s=54.0)

    assert stage.left_s(now_s=54.0) == 16.0
    assert stage.further(20, 100, now_s=60.0).left_s(now_s=60.0) == 10.0
    assert stage.left_s(now_s=99.0) == 0.0
    assert stage.further(100, 100, now_s=70.0).left_s(now_s=70.0) is None


def test_work_of_an_earlier_try_does_not_count_for_the_pace() -> None:
    stage = begun("matching", 60, 100, now_s=0.0).further(70, 100, now_s=5.0)

    assert stage.left_s(now_s=5.0) == 15.0


@pytest.mark.parametrize(
    ("state", "done", "total", "text"),
    [
        (RoundState.COLLECTING, 0, 0, "collecting, encoding, sending"),
        (RoundState.MATCHING, 0, 0, "matching, reading"),
        (RoundState.MATCHING, 3, 9, "matching, comparing"),
        (RoundState.MATCHING, 9, 9, "matching, grouping"),
        (RoundState.LOCKED, 0, 0, "locked"),
    ],
)
def test_stage_of_a_long_state_says_what_goes_on(state: RoundState, done: int, total: int, text: str) -> None:
    view = RoundView(
        round_id=RoundId("r-1"),
        project_id=ProjectId("r"),
        state=state,
        manifest_hash=b"",
        waiting_for=(),
        updated_at=datetime(2026, 1, 15, tzinfo=UTC),
        pairs_done=done,
        pairs_total=total,
    )

    said = ["r-1: collecting\nreading ...\nencoding ...\n", "encoding ...\nsending ...\nr-1: collecting\n", ""]

    assert stage_text(view, said) == text


def test_a_stage_that_is_wholly_done_is_told_once_where_nobody_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with watching() as report:
        for done in (0, 5, 9, 9):
            report("matching, comparing", done, 9)
        report("released", 0, 0)

    assert capsys.readouterr().err.split("\n") == ["  matching, comparing", "  released", ""]
