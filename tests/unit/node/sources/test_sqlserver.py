"""What can be said of SQL Server without one: its driver is asked, and a failed connection shows no account.

No query has been run against a SQL Server by these tests or otherwise.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest

from isthmus.contract.errors import BadInput
from isthmus.node.records import read_all
from isthmus.node.sources.errors import ConnectionFailed, DriverMissing, QueryRefused
from isthmus.node.sources.open_source import Source, open_source, sample_source
from isthmus.party.errors import SettingsInvalid

DRIVER = find_spec("mssql_python") is not None
SECRETS = ("hunter2", "stranger", "127.0.0.1", "Nonesuch", "nonsense")
needs_driver = pytest.mark.skipif(not DRIVER, reason="asking SQL Server needs isthmus-node[sqlserver]")


def source(query: str = "SELECT 1 AS id") -> Source:
    """Give a source whose connection string is in the variable SOURCE."""
    return Source(kind="sqlserver", query=query, id_column="id", connection_env="SOURCE")


def failure(server: str) -> BadInput:
    """Give the error of a connection to a server that is not there, after checking that nothing else is shown."""
    with pytest.raises((ConnectionFailed, DriverMissing)) as refused:
        read_all(open_source(Path(), source(), environ={"SOURCE": f"{server};Uid=stranger;Pwd=hunter2"}))
    assert not any(word in str(refused.value) for word in SECRETS)
    assert refused.value.__suppress_context__
    return refused.value


@pytest.mark.parametrize("environ", [{}, {"SOURCE": ""}, {"SOURCE": "  "}])
def test_missing_connection_string_is_named_by_its_setting(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsInvalid, match="environment variable SOURCE holds no connection string"):
        read_all(open_source(Path(), source(), environ=environ))


def test_query_that_changes_something_is_refused_before_anything_is_asked() -> None:
    with pytest.raises(QueryRefused, match="it has the word into"):
        read_all(open_source(Path(), source("SELECT 1 AS id INTO people"), environ={"SOURCE": "Pwd=hunter2"}))


@pytest.mark.parametrize("server", ["Server=tcp:127.0.0.1,1;Nonesuch=1", "nonsense", "Server="])
def test_unreadable_connection_string_is_not_shown(server: str) -> None:
    found = failure(server)

    assert isinstance(found, ConnectionFailed if DRIVER else DriverMissing)
    assert ("cannot read the connection string" in str(found)) is DRIVER


def test_connection_string_without_a_server_is_not_shown() -> None:
    assert isinstance(failure("Database=nonsense"), ConnectionFailed if DRIVER else DriverMissing)


@needs_driver
@pytest.mark.slow  # the driver tries for 15 seconds
def test_server_that_does_not_answer_is_told_without_its_name() -> None:
    found = failure("Server=tcp:127.0.0.1,1;Encrypt=no")

    assert isinstance(found, ConnectionFailed)
    with pytest.raises(ConnectionFailed):
        sample_source(Path(), source(), rows=1, environ={"SOURCE": "Database=nonsense;Uid=stranger;Pwd=hunter2"})
