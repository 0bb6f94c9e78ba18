"""The rows of one query as a table: PostgreSQL, SQL Server, or any database with an ODBC driver.

The query is one plain SELECT (`query_text`). PostgreSQL runs it in a read-only transaction over a server-side cursor;
ODBC drivers are asked for read-only access, which not all enforce; SQL Server has no such transaction. All are rolled
back. Rows come some thousands at a time. Nothing that a driver says reaches a message, but for its SQLSTATE.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

from isthmus.contract.secret import Secret
from isthmus.node.sources.drivers import load_driver
from isthmus.node.sources.errors import ConnectionFailed, QueryFailed
from isthmus.node.sources.header import header_is_doubtful
from isthmus.node.sources.query_text import plain_select
from isthmus.node.sources.table import BATCH_ROWS, Batch, Table

_CONNECT_SECONDS: Final = 20
_SQLSTATE: Final = re.compile(r"[0-9A-Z]{5}")
_STATES: Final = {
    "08": "the server cannot be reached",
    "28": "the server refused the account or its password",
    "3D": "there is no such database",
    "IM": "there is no such ODBC driver or data source",
    "42": "the query names something that is not there or not allowed, or is no SQL of this database",
    "22": "a value does not fit the type that the query wants",
    "57": "the server stopped the query",
    "25": "the query wants to change something",
}
"""What the first two letters of an SQLSTATE mean (ISO/IEC 9075-2, ODBC)."""

_NO_STRING: Final = "the driver cannot read the connection string: KEYWORD=VALUE;... with keywords that it knows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked of which database: the kind, one SELECT, and the connection string with the setting it is from."""

    kind: str
    text: str
    connection: Secret
    setting: str


@contextmanager
def open_query(query: Query) -> Iterator[Table]:
    """Run a query and open its result as a table. Rows are numbered from 1.

    Raises:
        QueryRefused: the query is not one plain SELECT; nothing was asked of the database.
        DriverMissing: the driver of this kind is not installed.
        ConnectionFailed, QueryFailed: as they say, with no word of the driver's.
    """
    text = plain_select(query.text)
    driver = load_driver(query.kind)
    opened = _Opened(driver=driver, kind=query.kind)
    connection = _connected(query, opened)
    cursor = opened.cursor(connection)
    try:
        with opened.failing_as_query():
            cursor.execute(text)
            header = tuple(str(column[0]).strip() for column in cursor.description)
        yield _table(query.kind, header, cursor, opened)
    finally:
        _end(connection, cursor, driver)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    """A driver and what differs between the three."""

    driver: ModuleType
    kind: str

    def connect(self, connection: str) -> Any:
        """Open a connection whose changes, if any, are never kept."""
        return _CONNECT[self.kind](self.driver, connection)

    def cursor(self, connection: Any) -> Any:
        """Give a cursor that holds some rows at a time: of PostgreSQL a named one, on the server."""
        return connection.cursor("isthmus") if self.kind == "postgres" else connection.cursor()

    @contextmanager
    def failing_as_query(self) -> Iterator[None]:
        """Turn the driver's errors into `QueryFailed`."""
        try:
            yield
        except (self.driver.Error, UnicodeError, OverflowError) as exc:
            problem = _problem(exc, otherwise="the driver reports a failure")
            raise QueryFailed(problem=problem) from None  # its text may quote a value


def _connect_postgres(driver: ModuleType, connection: str) -> Any:
    opened = driver.connect(connection, connect_timeout=_CONNECT_SECONDS, client_encoding="utf8")
    opened.read_only = True
    return opened


def _connect_sqlserver(driver: ModuleType, connection: str) -> Any:
    return driver.connect(connection, autocommit=False)


def _connect_odbc(driver: ModuleType, connection: str) -> Any:
    return driver.connect(connection, autocommit=False, readonly=True, timeout=_CONNECT_SECONDS)


_CONNECT: Final[Mapping[str, Callable[[ModuleType, str], Any]]] = {
    "postgres": _connect_postgres,
    "sqlserver": _connect_sqlserver,
    "odbc": _connect_odbc,
}
_READ_AS: Final = {
    "postgres": "PostgreSQL, in a read-only transaction",
    "sqlserver": "SQL Server, in a transaction that is rolled back",
    "odbc": "ODBC, asked for read-only access, in a transaction that is rolled back",
}


def _connected(query: Query, opened: _Opened) -> Any:
    driver = opened.driver
    unreadable = getattr(driver, "ConnectionStringParseError", ())  # SQL Server's, and no `Error` of it
    try:
        return opened.connect(query.connection.reveal().decode("utf-8"))
    except unreadable:
        raise ConnectionFailed(kind=query.kind, problem=_NO_STRING, setting=query.setting) from None  # it quotes it
    except (driver.Error, ValueError, RuntimeError) as exc:
        problem = _problem(exc, otherwise="the driver cannot connect with the string that it was given")
        raise ConnectionFailed(kind=query.kind, problem=problem, setting=query.setting) from None  # holds the string


def _problem(exc: Exception, *, otherwise: str) -> str:
    """Give a sentence of ours for a driver's error: by its SQLSTATE if it tells one, without its text."""
    state = getattr(exc, "sqlstate", None) or next(iter(exc.args), None)
    if not isinstance(state, str) or not _SQLSTATE.fullmatch(state):
        return otherwise
    return f"{_STATES.get(state[:2], otherwise)} (SQLSTATE {state})"


def _end(connection: Any, cursor: Any, driver: ModuleType) -> None:
    try:
        connection.rollback()
        cursor.close()
    except driver.Error:
        pass  # a connection that broke has nothing to take back, and what broke it is told already
    finally:
        connection.close()


def _table(kind: str, header: tuple[str, ...], cursor: Any, opened: _Opened) -> Table:
    def batches(places: Sequence[int]) -> Iterator[Batch]:
        done = 0
        while rows := _fetch(cursor, opened):
            columns = [[row[place] for row in rows] for place in places]
            yield Batch(numbers=range(done + 1, done + 1 + len(rows)), columns=columns)
            done += len(rows)

    return Table(
        kind="query",
        name=f"{kind} query",
        header=header,
        header_is_doubtful=header_is_doubtful(header),
        findings=(f"read from {_READ_AS[kind]}",),
        expected_rows=0,
        batches=batches,
    )


def _fetch(cursor: Any, opened: _Opened) -> list[Sequence[object]]:
    with opened.failing_as_query():
        return list(cursor.fetchmany(BATCH_ROWS))
