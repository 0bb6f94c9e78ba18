"""The local round's scripts touch nothing that they did not make, and say early what cannot work."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from isthmus_local import demo, try_files
from isthmus_local.processes import CommandFailed

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
