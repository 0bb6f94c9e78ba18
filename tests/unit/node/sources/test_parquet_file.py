"""Parquet files: what their types become, what is refused."""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from isthmus.node.records import Records, read_all
from isthmus.node.sources.errors import (
    BlankIds,
    ColumnMissing,
    DuplicateIds,
    SourceEmpty,
    SourceMissing,
    SourceProblems,
    ValueUnsupported,
)
from isthmus.node.sources.open_source import Source, open_source, sample_source
from isthmus.node.sources.parquet_file import open_parquet
from isthmus.node.sources.table import stream_table

polars = pytest.importorskip("polars", reason="reading Parquet needs isthmus-node[parquet]")

COLUMNS = {"first_name": "First", "dob": "Born", "zip": "Zip"}
PEOPLE: dict[str, list[object]] = {
    "Id": [7, 8],
    "First": ["Ana", None],
    "Born": [date(2001, 2, 3), None],
    "Zip": ["02139", " 02140 "],
    "Note": ["x", "y"],
}


def read(folder: Path, data: dict[str, list[object]], columns: dict[str, str] = COLUMNS) -> Records:
    """What `open_source` gives for a Parquet file of `data`."""
    polars.DataFrame(data).write_parquet(folder / "people.parquet")
    return read_all(open_source(folder, Source(file="people.parquet", id_column="Id", columns=columns)))


def test_columns_come_as_text_by_standard_field(tmp_path: Path) -> None:
    records = read(tmp_path, PEOPLE)

    assert records.record_ids == ["7", "8"]
    assert records.columns == {"first_name": ["Ana", ""], "dob": ["2001-02-03", ""], "zip": ["02139", "02140"]}
    assert records.source.kind == "Parquet"
    assert records.source.findings == (
        "header of 5 columns, 2 records",
        'column "Id" holds 2 numbers; leading zeros that they had, as a code may, are lost',
    )


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([1.0, 2.5], ["1", "2.5"]),
        ([True, None], ["true", ""]),
        ([Decimal("7.00"), Decimal("7.50")], ["7", "7.5"]),
        ([datetime(2001, 2, 3), datetime(2001, 2, 3, 4)], ["2001-02-03", "2001-02-03T04:00:00"]),  # noqa: DTZ001
        ([None, None], ["", ""]),
    ],
)
def test_each_type_has_its_text(tmp_path: Path, values: list[object], texts: list[str]) -> None:
    assert read(tmp_path, {**PEOPLE, "First": values}).columns["first_name"] == texts


def test_categories_are_text(tmp_path: Path) -> None:
    polars.DataFrame({"Id": ["1", "2"], "Sex": ["F", "M"]}).with_columns(
        polars.col("Sex").cast(polars.Categorical)
    ).write_parquet(tmp_path / "people.parquet")

    records = read_all(open_source(tmp_path, Source(file="people.parquet", id_column="Id", columns={"sex": "Sex"})))

    assert records.columns == {"sex": ["F", "M"]}


def test_one_column_may_be_two_fields(tmp_path: Path) -> None:
    records = read(tmp_path, PEOPLE, {"dob": "Born", "birth_year": "Born"})

    assert records.columns["dob"] == records.columns["birth_year"] == ["2001-02-03", ""]


def test_slices_join_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.node.sources.parquet_file._SLICE_ROWS", 3)
    ids: list[object] = list(range(1, 9))

    polars.DataFrame({"Id": ids}).write_parquet(tmp_path / "people.parquet")

    records = read_all(stream_table(open_parquet(tmp_path / "people.parquet"), columns={}, id_column="Id"))

    assert records.record_ids == [str(one) for one in ids]


def test_problems_of_rows_are_told_at_once_numbered_from_one(tmp_path: Path) -> None:
    data: dict[str, list[object]] = {"Id": ["q1", "", "q1", None], "First": [b"Quorimble", None, None, None]}

    with pytest.raises(SourceProblems) as refused:
        read(tmp_path, data, {"first_name": "First"})

    unsupported, blank, repeated = refused.value.problems
    assert isinstance(unsupported, ValueUnsupported)
    assert unsupported.kinds == ("bytes",)
    assert isinstance(blank, BlankIds)
    assert blank.rows == (2, 4)
    assert isinstance(repeated, DuplicateIds)
    assert repeated.rows == (3,)
    assert "Quorimble" not in str(refused.value)


def test_missing_column_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(ColumnMissing, match='no column "Last"; it has "Id", "First"'):
        read(tmp_path, PEOPLE, {"last_name": "Last"})


def test_file_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceEmpty, match="a header and no rows"):
        read(tmp_path, {"Id": []}, {})


def test_file_that_is_no_parquet_is_told(tmp_path: Path) -> None:
    (tmp_path / "people.parquet").write_text("Id,First\n1,Ana\n")

    with pytest.raises(SourceMissing, match="it is no Parquet file"):
        read_all(open_source(tmp_path, Source(file="people.parquet", id_column="Id")))


def test_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="No such file"):
        read_all(open_source(tmp_path, Source(file="people.parquet", id_column="Id")))


def test_sample_gives_all_columns_of_the_first_rows(tmp_path: Path) -> None:
    polars.DataFrame(PEOPLE).write_parquet(tmp_path / "people.parquet")

    sample = sample_source(tmp_path, Source(file="people.parquet"), rows=1)

    assert sample.header == tuple(PEOPLE)
    assert sample.columns == (["7"], ["Ana"], ["2001-02-03"], ["02139"], ["x"])
