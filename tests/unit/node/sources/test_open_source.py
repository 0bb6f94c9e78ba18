"""One way into every source: the kind, the settings, where a connection string may stand, and missing drivers."""

from pathlib import Path

import pytest

from isthmus.node.records import read_all
from isthmus.node.sources import drivers
from isthmus.node.sources.errors import DriverMissing, QueryRefused, SourceKindUnknown
from isthmus.node.sources.open_source import Source, SourceKind, open_source, sample_source, source_kind
from isthmus.party.errors import SettingsInvalid

QUERY = "SELECT id FROM people"


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("people.csv", SourceKind.CSV),
        ("people.TXT", SourceKind.CSV),
        ("people.tsv", SourceKind.CSV),
        ("people.xlsx", SourceKind.EXCEL),
        ("people.XLS", SourceKind.EXCEL),
        ("people.ods", SourceKind.EXCEL),
        ("people.parquet", SourceKind.PARQUET),
    ],
)
def test_kind_follows_from_the_ending(file: str, kind: SourceKind) -> None:
    assert source_kind(Source(file=file)) is kind


def test_declared_kind_goes_before_the_ending() -> None:
    assert source_kind(Source(kind="csv", file="people.xlsx")) is SourceKind.CSV


def test_unknown_ending_is_told() -> None:
    with pytest.raises(SourceKindUnknown, match=r"people\.dat"):
        source_kind(Source(file="people.dat"))


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (Source(kind="mysql", file="x"), "kind is none of csv, excel"),
        (Source(), "file is not declared"),
        (Source(kind="excel"), "file is not declared"),
        (Source(kind="postgres", file="x"), "query is not declared"),
        (Source(kind="odbc", query=QUERY), "declare one of connection_env and connection_file"),
        (Source(kind="odbc", query=QUERY, connection_env="A", connection_file="b"), "declare one of"),
        (Source(kind="odbc", query=QUERY, connection_env="A"), "variable A holds no connection string"),
        (Source(kind="odbc", query=QUERY, connection_file="none"), "the file none with the connection string cannot"),
    ],
)
def test_incomplete_settings_are_told(tmp_path: Path, source: Source, problem: str) -> None:
    with pytest.raises(SettingsInvalid, match=problem):
        read_all(open_source(tmp_path, source, environ={"A": " "}))


def test_connection_file_that_everybody_may_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "connection").write_text("Pwd=hunter2")
    (tmp_path / "connection").chmod(0o644)

    with pytest.raises(SettingsInvalid, match="chmod 600") as refused:
        read_all(open_source(tmp_path, Source(kind="odbc", query=QUERY, connection_file="connection")))

    assert "hunter2" not in str(refused.value)


def test_private_connection_file_is_read_and_the_query_checked_before_a_driver_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "connection").write_text("Pwd=hunter2\n")
    (tmp_path / "connection").chmod(0o600)

    with pytest.raises(QueryRefused):
        read_all(open_source(tmp_path, Source(kind="odbc", query="DROP TABLE people", connection_file="connection")))


@pytest.mark.parametrize("kind", sorted(drivers.EXTRAS))
def test_missing_driver_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    _, package, extra = drivers.EXTRAS[kind]
    monkeypatch.setitem(drivers.EXTRAS, kind, ("isthmus_no_such_module", package, extra))
    source = Source(kind=kind, file="people", query=QUERY, connection_env="A")

    with pytest.raises(DriverMissing, match=rf'pip install "isthmus-node\[{extra}\]"'):
        read_all(open_source(tmp_path, source, environ={"A": "x"}))


def test_csv_is_read_as_ever_and_only_the_fields_asked_for(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id;first;last\n1;Ana;Lee\n")
    source = Source(file="people.csv", id_column="id", columns={"first_name": "first", "last_name": "last"})

    assert read_all(open_source(tmp_path, source)).columns == {"first_name": ["Ana"], "last_name": ["Lee"]}
    assert read_all(open_source(tmp_path, source, fields=["last_name"])).columns == {"last_name": ["Lee"]}


def test_sample_of_csv_gives_all_columns_and_how_it_was_read(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("\nid;first name\n1; Ana \n\n2;Bo;more\n3\n4;Cy\n")

    sample = sample_source(tmp_path, Source(file="people.csv"), rows=3)

    assert sample.header == ("id", "first name")
    assert sample.columns == (["1", "2", "3"], ["Ana", "Bo", ""])
    assert sample.findings[1].startswith("delimiter ';': it parts the header into 2 columns")
