"""The store in SQL, through SQLAlchemy Core: SQLite embedded; another database by its URL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, select

from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.store import tables as t
from isthmus.coordinator.store.faults import database_faults
from isthmus.coordinator.store.sql_agreements import SqlAgreements
from isthmus.coordinator.store.sql_answers import SqlAnswers
from isthmus.coordinator.store.sql_carried import SqlCarried
from isthmus.coordinator.store.sql_comparisons import SqlComparisons
from isthmus.coordinator.store.sql_keys import SqlKeys
from isthmus.coordinator.store.sql_log import SqlLog
from isthmus.coordinator.store.sql_parties import SqlParties
from isthmus.coordinator.store.sql_results import SqlResults
from isthmus.coordinator.store.sql_rounds import SqlRounds
from isthmus.coordinator.store.sql_submissions import SqlSubmissions
from isthmus.coordinator.store.sql_tombstones import SqlTombstones

_READ_ONLY = "isthmus_read_only"

BUSY_TIMEOUT_S: Final = 20.0
"""How long a block waits for others that change things; a party waits 60 s for an answer, and is to have one."""


class SqlTransaction:
    """`Transaction` in SQL."""

    def __init__(self, connection: Connection) -> None:
        """Work through that connection's transaction."""
        self._connection = connection
        self.log = SqlLog(connection)
        self.parties = SqlParties(connection, self.log)
        self.agreements = SqlAgreements(connection, self.log)
        self.rounds = SqlRounds(connection, self.log)
        self.keys = SqlKeys(connection, self.log)
        self.submissions = SqlSubmissions(connection, self.log)
        self.tombstones = SqlTombstones(connection, self.log)
        self.comparisons = SqlComparisons(connection, self.log)
        self.answers = SqlAnswers(connection, self.log)
        self.results = SqlResults(connection, self.log)
        self.carried = SqlCarried(connection, self.log)

    def blob_is_used(self, digest: bytes) -> bool:
        """Say whether any chunk, comparison, result, record of entities or of IDs over rounds needs the blob."""
        asked = (
            t.comparisons.c.left_rows,
            t.comparisons.c.right_rows,
            t.comparisons.c.candidates,
            t.own_pairs.c.digest,
        )
        made = (t.results.c.digest, t.entities.c.digest, t.known_rows.c.digest, t.id_changes.c.digest)
        columns = (t.chunks.c.digest, *asked, t.answer_chunks.c.digest, *made)
        found = (self._connection.execute(select(column).where(column == digest).limit(1)) for column in columns)
        return any(result.first() is not None for result in found)

    def record(self, audit: AuditEvent) -> None:
        """Record an event that comes with no other change, such as a denial."""
        self.log.append(audit)

    def events(self, scope: str) -> Sequence[bytes]:
        """Give the canonical bytes of a scope's events in order."""
        return self.log.events(scope)


class SqlStore:
    """`Store` in SQL. Made by `open_store`."""

    def __init__(self, engine: Engine) -> None:
        """Use that engine, whose schema is up to date."""
        self._engine = engine

    @contextmanager
    def begin(self) -> Iterator[SqlTransaction]:
        """Open a block that may change things; blocks of this kind follow one another."""
        with database_faults(), self._engine.begin() as connection:
            yield SqlTransaction(connection)

    @contextmanager
    def read(self) -> Iterator[SqlTransaction]:
        """Open a block that only reads."""
        options = {_READ_ONLY: True}
        with database_faults(), self._engine.connect().execution_options(**options) as connection, connection.begin():
            yield SqlTransaction(connection)

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def open_store(url: str, *, busy_timeout_s: float = BUSY_TIMEOUT_S) -> SqlStore:
    """Open the database at a SQLAlchemy URL, bring its schema up to date, and give the store.

    The store's blocks raise `StorageUnavailable` where SQLite cannot write, or is held by others for `busy_timeout_s`.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", partial(_set_up_sqlite, busy_timeout_s))
        event.listen(engine, "begin", _begin_sqlite)
    _migrate(engine)
    return SqlStore(engine)


def sqlite_url(path: Path) -> str:
    """Give the URL of a SQLite file."""
    return f"sqlite:///{path}"


def _migrate(engine: Engine) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    with database_faults(), engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _set_up_sqlite(busy_timeout_s: float, connection: Any, _record: object) -> None:
    """Write-ahead log; every commit on disk before it is acknowledged; deleted content overwritten."""
    connection.isolation_level = None  # the driver must not begin transactions by itself
    connection.execute(f"PRAGMA busy_timeout = {round(1000 * busy_timeout_s)}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at the start of a changing block, so that it can never fail half-way for want of it."""
    read_only = connection.get_execution_options().get(_READ_ONLY, False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
