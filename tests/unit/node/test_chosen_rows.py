"""Rows of other years and cohorts than the project names stay at the node, and what it cannot tell it refuses."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from unit.node.parts import CONFIG, RIVERSIDE, STUDENTS, TODAY, identity, manifest, project

from isthmus.contract.project import ProviderTerms
from isthmus.node.chosen_rows import chosen_rows, selection_problems
from isthmus.node.config import CohortConfig, DatasetConfig, NodeConfig, load_config
from isthmus.node.consent.opt_outs import exclusions
from isthmus.node.consent.read import left_out_records, open_consenting
from isthmus.node.consent_settings import ConsentRule
from isthmus.node.errors import NobodyTakesPart, RefusedByPolicy
from isthmus.node.policy import check_manifest
from isthmus.party.errors import SettingsInvalid

NOBODY = exclusions([], project=None, as_of=TODAY)
FIELDS = ("first_name", "last_name", "dob")
FILE = """StudentId,First,Last,Born,Zip,Year,Group,Ok
1,Ann,Zylax,2001-02-03,1,2025,a,Y
2,Bob,Zylax,2001-02-03,1,2026.0,A,Y
3,Cid,Zylax,2001-02-03,1, 2026,b,Y
4,Dan,Zylax,2001-02-03,1,,a,Y
5,Eve,Zylax,2001-02-03,1,2026,a,N
"""
SELECTING = msgspec.structs.replace(
    STUDENTS, year_column="Year", cohorts={"starters": CohortConfig(column="Group", values=("A",))}
)


def terms(**chosen: Any) -> ProviderTerms:
    return ProviderTerms(party=RIVERSIDE, dataset="students", fields=FIELDS, **chosen)


def read(folder: Path, dataset: DatasetConfig) -> tuple[list[str], list[str]]:
    """Give the ids of the rows that would be encoded, and what is said of the others."""
    (folder / "students.csv").write_text(FILE)
    consenting = open_consenting(folder, dataset, FIELDS, exclusions=NOBODY)
    ids = [one for piece in consenting.stream.pieces() for one in piece.record_ids]
    return ids, list(consenting.notes()["left_out"])


@pytest.mark.parametrize(
    ("chosen", "ids", "said"),
    [
        ({}, ["1", "2", "3", "4", "5"], []),
        ({"years": ("2026",)}, ["2", "3", "5"], ["2 rows not asked for, by Year"]),
        ({"years": ("2025", "2026")}, ["1", "2", "3", "5"], ["1 row not asked for, by Year"]),
        ({"cohort": "starters"}, ["1", "2", "4", "5"], ["1 row not asked for, by Group"]),
        ({"years": ("2026",), "cohort": "starters"}, ["2", "5"], None),
    ],
)
def test_rows_of_other_years_and_cohorts_are_left_out_and_counted(
    tmp_path: Path, chosen: dict[str, Any], ids: list[str], said: list[str] | None
) -> None:
    found, left_out = read(tmp_path, chosen_rows(SELECTING, terms(**chosen)))

    assert found == ids
    if said is not None:
        assert left_out == said


def test_who_did_not_consent_is_counted_as_that_and_not_as_another_row(tmp_path: Path) -> None:
    asking = msgspec.structs.replace(SELECTING, consent=(ConsentRule(column="Ok", include_if=("Y",)),))

    found, left_out = read(tmp_path, chosen_rows(asking, terms(years=("2026",))))

    assert found == ["2", "3"]
    assert left_out == ["1 row without consent in Ok", "2 rows not asked for, by Year"]


def test_year_that_no_row_has_leaves_nobody(tmp_path: Path) -> None:
    with pytest.raises(NobodyTakesPart):
        read(tmp_path, chosen_rows(SELECTING, terms(years=("1999",))))


def test_rows_that_are_not_asked_for_count_as_left_out_of_what_was_sent(tmp_path: Path) -> None:
    (tmp_path / "students.csv").write_text(FILE)

    assert left_out_records(tmp_path, chosen_rows(SELECTING, terms(years=("2026",))), exclusions=NOBODY) == {"1", "4"}


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"years": ("2026",)}, "students has no year_column"),
        ({"cohort": "starters"}, "a cohort that node.toml does not explain for students: starters"),
    ],
)
def test_round_whose_rows_the_data_set_cannot_tell_is_refused(chosen: dict[str, Any], said: str) -> None:
    providers = (terms(**chosen), project().providers[1])
    asked = manifest(project(providers=providers))

    with pytest.raises(RefusedByPolicy, match=said):
        check_manifest(asked, identity=identity(), config=CONFIG)
    check_manifest(asked, identity=identity(), config=NodeConfig(datasets={"students": SELECTING}))


def test_data_set_of_which_all_rows_are_asked_for_stays_as_it_is() -> None:
    assert chosen_rows(SELECTING, terms()) is SELECTING
    assert list(selection_problems(STUDENTS, terms())) == []


@pytest.mark.parametrize("cohort", ['column = " "\nvalues = ["A"]', 'column = "Group"\nvalues = [" "]'])
def test_cohort_without_a_column_or_a_value_is_an_error_of_the_settings(tmp_path: Path, cohort: str) -> None:
    head = '[datasets.students]\nfile = "students.csv"\nid_column = "Id"\n[datasets.students.columns]\n'
    (tmp_path / "node.toml").write_text(f"{head}[datasets.students.cohorts.starters]\n{cohort}\n")

    with pytest.raises(SettingsInvalid, match=r"cohorts\.starters needs a column and one value"):
        load_config(tmp_path)
