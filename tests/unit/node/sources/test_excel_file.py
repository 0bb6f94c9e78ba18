"""Workbooks: which sheet and header are taken and told, how cells become text, what is refused."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from unit.node.sources.workbooks import Cell, write_workbook

from isthmus.node.records import Records, read_all
from isthmus.node.sources.errors import (
    BlankIds,
    ColumnMissing,
    DuplicateIds,
    HeaderDuplicate,
    HeaderRowWrong,
    SheetMissing,
    SheetUndeclared,
    SourceEmpty,
    SourceMissing,
    SourceProblems,
    ValueUnsupported,
)
from isthmus.node.sources.open_source import Source, open_source, sample_source

pytest.importorskip("python_calamine", reason="reading workbooks needs isthmus-node[excel]")

HEADER: list[Cell] = ["id", "first name", "born", "zip"]
COLUMNS = {"first_name": "first name", "dob": "born", "zip": "zip"}


def read(folder: Path, sheets: dict[str, list[list[Cell]]], **declared: object) -> Records:
    """What `open_source` gives for a workbook of `sheets`."""
    write_workbook(folder / "people.xlsx", sheets)
    settings = {"id_column": "id", "columns": COLUMNS, **declared}
    source = Source(file="people.xlsx", **settings)  # type: ignore[arg-type] # values of all kinds
    return read_all(open_source(folder, source))


def test_cells_become_text_by_standard_field_in_row_order(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [
        HEADER,
        [7, " Ana ", date(2001, 2, 3), 2139],
        ["r8", "Bo", datetime(2001, 2, 3, 4, 5, 6), "02139"],  # noqa: DTZ001 - cells have no zone
        [9.5, None, "2001-02-03", True],
    ]

    records = read(tmp_path, {"Students": rows})

    assert records.record_ids == ["7", "r8", "9.5"]
    assert records.columns == {
        "first_name": ["Ana", "Bo", ""],
        "dob": ["2001-02-03", "2001-02-03T04:05:06", "2001-02-03"],
        "zip": ["2139", "02139", "true"],
    }


def test_findings_tell_sheet_header_and_lost_zeros(tmp_path: Path) -> None:
    records = read(tmp_path, {"Students": [HEADER, ["r7", "Ana", None, 2139], [], ["r8", "Bo", None, 2140]]})

    assert records.source.kind == "Excel"
    assert records.source.rows == 2
    assert records.source.findings == (
        'sheet "Students": the only one',
        "header in row 1: the first row that is not blank",
        "header of 4 columns, 2 records",
        "1 blank rows were passed over",
        'column "zip" holds 2 numbers; leading zeros that they had, as a code may, are lost',
    )


def test_ids_that_are_numbers_are_told(tmp_path: Path) -> None:
    findings = read(tmp_path, {"S": [HEADER, [7, "Ana", None, "02139"]]}).source.findings

    assert 'column "id" holds 1 numbers; leading zeros that they had, as a code may, are lost' in findings


def test_only_sheet_with_something_in_it_is_taken(tmp_path: Path) -> None:
    records = read(tmp_path, {"Empty": [], "Students": [HEADER, ["1", "Ana", None, None]]})

    assert records.source.findings[0] == 'sheet "Students": the only one with something in it'


def test_declared_sheet_is_taken_among_several(tmp_path: Path) -> None:
    sheets: dict[str, list[list[Cell]]] = {"Old": [HEADER, ["1", "Ana"]], "New": [HEADER, ["2", "Bo", None, None]]}

    assert read(tmp_path, sheets, sheet="New").record_ids == ["2"]


def test_several_sheets_are_not_chosen_from(tmp_path: Path) -> None:
    with pytest.raises(SheetUndeclared) as refused:
        read(tmp_path, {"Old": [HEADER], "New": [HEADER]})

    assert refused.value.sheets == ("Old", "New")


def test_missing_sheet_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(SheetMissing, match='no sheet "2025"; it has "2024"'):
        read(tmp_path, {"2024": [HEADER]}, sheet="2025")


def test_table_may_start_anywhere_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [[], [], [None, *HEADER], [None, "1", "Ana", None, "1"], [], [None, None, "Bo", None, "2"]]

    with pytest.raises(BlankIds) as refused:
        read(tmp_path, {"S": rows})

    assert refused.value.rows == (6,)


def test_declared_header_row_is_taken_below_a_title(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [["Export of 2024"], HEADER, ["1", "Ana", None, "2"]]

    records = read(tmp_path, {"S": rows}, header_row=2)

    assert records.record_ids == ["1"]
    assert records.source.findings[1] == "header in row 2: as declared"


def test_title_above_the_header_is_told_and_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(HeaderRowWrong, match="set header_row to 3"):
        read(tmp_path, {"S": [["Export of 2024"], [], HEADER, ["1", "Ana", None, "2"]]})


def test_all_problems_of_the_header_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceProblems) as refused:
        read(tmp_path, {"S": [["id", "first name", "first name"], ["1", "Ana", "Bo"]]})

    assert [type(one) for one in refused.value.problems] == [ColumnMissing, HeaderDuplicate]


def test_all_problems_of_the_rows_are_told_at_once_and_no_value(tmp_path: Path) -> None:
    rows: list[list[Cell]] = [HEADER, ["a1", "Quorimble", timedelta(hours=30), 1], ["a1", "Bo", None, 1], [" ", "Cy"]]

    with pytest.raises(SourceProblems) as refused:
        read(tmp_path, {"S": rows})

    assert [type(one) for one in refused.value.problems] == [ValueUnsupported, BlankIds, DuplicateIds]
    assert '"born" (duration)' in str(refused.value)
    assert "Quorimble" not in str(refused.value)
    assert "a1" not in str(refused.value)


def test_first_row_that_may_be_a_record_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ColumnMissing) as refused:
        read(tmp_path, {"S": [["17", "Quorimble", "Zylaxton"], ["18", "Vexordine", "Brunumphry"]]})

    assert "Quorimble" not in str(refused.value)


@pytest.mark.parametrize("rows", [[], [HEADER]])
def test_sheet_without_records_is_refused(tmp_path: Path, rows: list[list[Cell]]) -> None:
    with pytest.raises(SourceEmpty):
        read(tmp_path, {"S": rows})


def test_file_that_is_no_workbook_is_told(tmp_path: Path) -> None:
    (tmp_path / "people.xlsx").write_text("id,first name\n1,Ana\n")

    with pytest.raises(SourceMissing, match="it is no workbook, or a damaged one"):
        read_all(open_source(tmp_path, Source(file="people.xlsx", id_column="id")))


def test_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="No such file"):
        read_all(open_source(tmp_path, Source(file="people.xlsx", id_column="id")))


def test_workbook_of_the_old_format_is_read() -> None:
    columns = {"first_name": "FirstName", "dob": "BirthDate"}

    records = read_all(
        open_source(Path(__file__).parent, Source(file="people.xls", id_column="StudentId", columns=columns))
    )

    assert records.record_ids == ["101", "102"]
    assert records.columns == {"first_name": ["Ana", "Zoë"], "dob": ["2001-02-03", "1999-12-31"]}


def test_sample_gives_all_columns_of_the_first_rows(tmp_path: Path) -> None:
    write_workbook(tmp_path / "people.xlsx", {"S": [HEADER, *([str(i), "Ana", None, i] for i in range(9))]})

    sample = sample_source(tmp_path, Source(file="people.xlsx"), rows=2)

    assert sample.header == ("id", "first name", "born", "zip")
    assert sample.columns == (["0", "1"], ["Ana", "Ana"], ["", ""], ["0", "1"])
