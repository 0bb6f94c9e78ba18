"""Queries to a real PostgreSQL server: types, read-only, streaming, and messages without account or values."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from isthmus.node.records import PIECE_ROWS, Records, read_all
from isthmus.node.sources.errors import (
    ColumnMissing,
    ConnectionFailed,
    HeaderDuplicate,
    QueryFailed,
    QueryRefused,
    SourceEmpty,
    SourceProblems,
    ValueUnsupported,
)
from isthmus.node.sources.open_source import Source, open_source, sample_source

psycopg = pytest.importorskip("psycopg", reason="asking PostgreSQL needs isthmus-node[postgres]")
pytestmark = [pytest.mark.slow, pytest.mark.process]

COLUMNS = {"first_name": "first", "dob": "born"}
PEOPLE = """
    CREATE TABLE people (id bigint, first varchar(20), born date, zip char(5), note bytea);
    INSERT INTO people VALUES (7, ' Ana ', '2001-02-03', '02139', '\\x00'), (8, 'Zoë', NULL, NULL, NULL);
    CREATE SEQUENCE numbers;
"""


@pytest.fixture
def people(postgres: str) -> Iterator[str]:
    """Give the connection string of a server with a table of two people."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(PEOPLE)
        yield postgres
        connection.execute("DROP TABLE people; DROP SEQUENCE numbers")


def ask(connection: str, query: str, **changes: Any) -> Records:
    """What `open_source` gives for a query."""
    settings = {"id_column": "id", "columns": COLUMNS, "connection_env": "SOURCE", **changes}
    source = Source(kind="postgres", query=query, **settings)
    return read_all(open_source(Path(), source, environ={"SOURCE": connection}))


def test_rows_of_a_query_become_records(people: str) -> None:
    records = ask(people, "SELECT *, zip AS postcode FROM people ORDER BY id;", columns={**COLUMNS, "zip": "postcode"})

    assert records.record_ids == ["7", "8"]
    assert records.columns == {"first_name": ["Ana", "Zoë"], "dob": ["2001-02-03", ""], "zip": ["02139", ""]}
    assert records.source.kind == "query"
    assert records.source.findings[:2] == (
        "read from PostgreSQL, in a read-only transaction",
        "header of 6 columns, 2 records",
    )


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("1.50::numeric", "1.5"),
        ("7::float8", "7"),
        ("true", "true"),
        ("NULL", ""),
        ("timestamp '2001-02-03 00:00'", "2001-02-03"),
        ("timestamp '2001-02-03 04:05:06'", "2001-02-03T04:05:06"),
        ("time '04:05:06'", "04:05:06"),
        ("'12345678-1234-5678-1234-567812345678'::uuid", "12345678-1234-5678-1234-567812345678"),
        ("'50%'", "50%"),
    ],
)
def test_each_type_has_its_text(postgres: str, expression: str, text: str) -> None:
    records = ask(postgres, f"SELECT 1 AS id, {expression} AS first", columns={"first_name": "first"})

    assert records.columns == {"first_name": [text]}


def test_many_rows_come_in_order_in_batches(postgres: str) -> None:
    records = ask(postgres, "SELECT n AS id FROM generate_series(1, 25001) AS n", columns={})

    assert records.record_ids == [str(number) for number in range(1, 25_002)]


def test_result_is_not_fetched_beyond_a_sample(postgres: str) -> None:
    every_pair = "SELECT a AS id FROM generate_series(1, 100000) AS a, generate_series(1, 100000) AS b"
    source = Source(kind="postgres", query=every_pair, connection_env="S")

    assert sample_source(Path(), source, rows=2, environ={"S": postgres}).columns == (["1", "1"],)


def test_first_piece_comes_before_the_result_is_fetched(postgres: str) -> None:
    every_pair = "SELECT a * 100000 + b AS id FROM generate_series(1, 100000) AS a, generate_series(1, 100000) AS b"
    source = Source(kind="postgres", query=every_pair, id_column="id", connection_env="S")

    piece = next(open_source(Path(), source, environ={"S": postgres}).pieces())

    assert 0 < len(piece.record_ids) <= PIECE_ROWS


def test_function_that_writes_is_stopped_by_the_transaction(people: str) -> None:
    with pytest.raises(QueryFailed, match=r"wants to change something \(SQLSTATE 25006\)"):
        ask(people, "SELECT nextval('numbers') AS id", columns={})


def test_statement_that_writes_is_refused_before_it_is_sent(people: str) -> None:
    with pytest.raises(QueryRefused):
        ask(people, "SELECT 1 AS id; DELETE FROM people")

    assert ask(people, "SELECT * FROM people").source.rows == 2


def test_failure_is_told_by_its_code_without_what_the_server_said(people: str) -> None:
    with pytest.raises(QueryFailed) as refused:
        ask(people, "SELECT id, ('Quorimble' || first)::date AS born, first FROM people")

    assert "SQLSTATE 22007" in str(refused.value)
    assert "Quorimble" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_failure_amid_the_rows_is_told(postgres: str) -> None:
    with pytest.raises(QueryFailed, match="SQLSTATE 22012"):
        ask(postgres, "SELECT n AS id, 1 / (n - 15000) AS x FROM generate_series(1, 20000) AS n", columns={})


def test_table_that_is_not_there_is_told(postgres: str) -> None:
    with pytest.raises(QueryFailed, match="SQLSTATE 42P01"):
        ask(postgres, "SELECT id FROM nowhere")


def test_bytes_are_refused(people: str) -> None:
    with pytest.raises(ValueUnsupported, match=r'"note" \(bytes\)'):
        ask(people, "SELECT id, note FROM people", columns={"first_name": "note"})


def test_columns_are_checked_before_rows_are_read(people: str) -> None:
    with pytest.raises(SourceProblems) as refused:
        ask(people, "SELECT id, id, first FROM people")

    assert [type(one) for one in refused.value.problems] == [ColumnMissing, HeaderDuplicate]


def test_result_without_rows_is_refused(people: str) -> None:
    with pytest.raises(SourceEmpty, match="postgres query holds no records"):
        ask(people, "SELECT * FROM people WHERE id = 0")


@pytest.mark.parametrize("change", ["user=stranger", "dbname=nowhere", "host=/nowhere", "not a connection string"])
def test_failed_connection_shows_nothing_of_its_string(postgres: str, change: str) -> None:
    with pytest.raises(ConnectionFailed) as refused:
        ask(f"{postgres} password=hunter2 {change}", "SELECT 1 AS id")

    told = str(refused.value)
    assert "the environment variable SOURCE" in told
    assert refused.value.__suppress_context__
    assert not any(word in told for word in ("hunter2", "stranger", "nowhere", "not a connection", "isthmus-pg"))
