"""Queries over ODBC, to SQLite's driver: types, streaming, nothing kept of a change, messages without the string."""

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from isthmus.contract.errors import IsthmusError
from isthmus.node.records import Records, read_all
from isthmus.node.sources.drivers import load_driver
from isthmus.node.sources.errors import ConnectionFailed, DriverMissing, QueryFailed, QueryRefused
from isthmus.node.sources.open_source import Source, open_source

try:
    pyodbc = load_driver("odbc")
except DriverMissing:
    pytest.skip("ODBC needs isthmus-node[odbc] and unixodbc", allow_module_level=True)
if "SQLite3" not in pyodbc.drivers():
    pytest.skip("there is no ODBC driver of SQLite: apt-get install libsqliteodbc", allow_module_level=True)


@pytest.fixture
def people(tmp_path: Path) -> str:
    """Give the connection string of a database with a table of two people."""
    with sqlite3.connect(tmp_path / "people.db") as database:
        database.execute("CREATE TABLE people (id integer, first varchar(20), born date, height double, note blob)")
        database.execute("INSERT INTO people VALUES (7, ' Ana ', '2001-02-03', 1.5, NULL), (8, 'Zoë', NULL, 2.0, NULL)")
    database.close()
    return f"Driver=SQLite3;Database={tmp_path / 'people.db'}"


def ask(connection: str, query: str, **columns: Any) -> Records:
    """What `open_source` gives for a query."""
    source = Source(kind="odbc", query=query, id_column="id", columns=columns, connection_env="SOURCE")
    return read_all(open_source(Path(), source, environ={"SOURCE": connection}))


def test_rows_of_a_query_become_records(people: str) -> None:
    records = ask(people, "SELECT * FROM people ORDER BY id", first_name="first", dob="born", street_number="height")

    assert records.record_ids == ["7", "8"]
    assert records.columns == {
        "first_name": ["Ana", "Zoë"],
        "dob": ["2001-02-03", ""],
        "street_number": ["1.5", "2"],
    }
    assert "ODBC, asked for read-only access" in records.source.findings[0]


def test_many_rows_come_in_order_in_batches(people: str) -> None:
    query = "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 25001) SELECT n AS id FROM s"

    assert ask(people, query).record_ids == [str(number) for number in range(1, 25_002)]


def test_statement_that_writes_is_refused_before_it_is_sent(people: str) -> None:
    with pytest.raises(QueryRefused):
        ask(people, "DELETE FROM people")

    assert ask(people, "SELECT id FROM people").source.rows == 2


def test_failure_is_told_without_what_the_driver_said(people: str) -> None:
    with pytest.raises(QueryFailed) as refused:
        ask(people, "SELECT id, Quorimble FROM people")

    assert "Quorimble" not in str(refused.value)
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("change", ["Driver=Nonesuch", "Driver=SQLite3;Database=/nowhere/people.db", "nonsense"])
def test_failed_connection_shows_nothing_of_its_string(change: str) -> None:
    with pytest.raises(ConnectionFailed) as refused:
        ask(f"{change};Uid=stranger;Pwd=hunter2", "SELECT 1 AS id")

    assert not any(word in str(refused.value) for word in ("hunter2", "stranger", "Nonesuch", "nowhere", "nonsense"))
    assert refused.value.__suppress_context__


def test_damaged_database_is_read_or_refused(people: str) -> None:
    rng, path = random.Random(5), Path(people.partition("Database=")[2])
    with sqlite3.connect(path) as database:
        database.executemany(
            "INSERT INTO people (id, first) VALUES (?, 'Quorimble')", [(one,) for one in range(9, 600)]
        )
    database.close()
    whole, refused = path.read_bytes(), 0

    for _ in range(30):
        content = bytearray(whole)
        for _ in range(rng.choice([1, 50])):
            content[rng.randrange(len(content))] = rng.randrange(256)
        path.write_bytes(content[: rng.choice([len(content), rng.randrange(len(content))])])
        try:
            ask(people, "SELECT * FROM people", first_name="first")
        except IsthmusError as exc:
            refused += 1
            assert "Quorimble" not in str(exc)

    assert refused > 5, "or nothing was damaged"
