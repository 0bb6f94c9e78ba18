"""What only the SQLite file promises: its schema, and that what is committed is on disk and what is deleted is not."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from contract.store.things import ROUND, A, event, fill, party, preflight
from sqlalchemy import create_engine, text

from isthmus.coordinator.store.sql import SqlStore, open_store, sqlite_url
from isthmus.coordinator.store.tables import metadata


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite"


@pytest.fixture
def sqlite_store(path: Path) -> Iterator[SqlStore]:
    store = open_store(sqlite_url(path))
    yield store
    store.close()


def _pragma(store: SqlStore, name: str) -> object:
    with store.read() as tx:
        return tx.parties._connection.execute(text(f"PRAGMA {name}")).scalar()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("secure_delete", 1),
        ("foreign_keys", 1),
        ("busy_timeout", 20_000),
    ],
)
def test_connections_are_durable_and_overwrite_what_is_deleted(
    sqlite_store: SqlStore, name: str, value: object
) -> None:
    assert _pragma(sqlite_store, name) == value


def test_fresh_database_is_what_the_tables_say(sqlite_store: SqlStore, path: Path) -> None:
    engine = create_engine(sqlite_url(path))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        # alembic does not compare primary keys
        keys = {
            name: [row[1] for row in connection.execute(text(f"PRAGMA table_info({name})")) if row[5]]
            for name in metadata.tables
        }
    engine.dispose()
    assert {name: set(columns) for name, columns in keys.items()} == {
        name: {column.name for column in table.primary_key} for name, table in metadata.tables.items()
    }


def test_opening_again_leaves_content_and_schema_as_they_are(sqlite_store: SqlStore, path: Path) -> None:
    fill(sqlite_store)
    before = sqlite3.connect(path)
    dump = list(before.iterdump())
    before.close()

    open_store(sqlite_url(path)).close()

    after = sqlite3.connect(path)
    assert list(after.iterdump()) == dump
    after.close()


def test_deleted_content_is_in_no_file_once_the_log_is_written_back(sqlite_store: SqlStore, path: Path) -> None:
    fill(sqlite_store)
    canary = b"CANARY-CANARY-16"
    with sqlite_store.begin() as tx:
        tx.rounds.set_preflight(replace(preflight(A), key_check=canary), audit=event())
    with sqlite_store.begin() as tx:
        tx.rounds.drop_preflight(ROUND, A, audit=event())

    sqlite_store.close()

    assert [file.name for file in path.parent.iterdir() if canary in file.read_bytes()] == []


def test_row_of_an_unknown_party_cannot_be_stored(sqlite_store: SqlStore) -> None:
    with pytest.raises(Exception, match="FOREIGN KEY"), sqlite_store.begin() as tx:
        tx.rounds.set_preflight(preflight(party().id), audit=event())
