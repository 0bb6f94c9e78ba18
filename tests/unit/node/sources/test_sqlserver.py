"""What can be said of SQL Server without one: its driver is asked, and a failed connection shows no account."""

from pathlib import Path

import pytest

from isthmus.node.records import read_all
from isthmus.node.sources.drivers import load_driver
from isthmus.node.sources.errors import ConnectionFailed, DriverMissing
from isthmus.node.sources.open_source import Source, open_source

try:
    load_driver("sqlserver")
except DriverMissing:
    pytest.skip("asking SQL Server needs isthmus-node[sqlserver]", allow_module_level=True)


def failure(server: str) -> ConnectionFailed:
    """Give the error of a connection to a server that is not there, after checking that it is not chained to see."""
    source = Source(kind="sqlserver", query="SELECT 1 AS id", id_column="id", connection_env="SOURCE")
    with pytest.raises(ConnectionFailed) as refused:
        read_all(open_source(Path(), source, environ={"SOURCE": f"{server};Uid=stranger;Pwd=hunter2"}))
    assert refused.value.__suppress_context__
    return refused.value


@pytest.mark.parametrize("server", ["Server=tcp:127.0.0.1,1;Nonesuch=1", "nonsense"])
def test_unreadable_connection_string_is_not_shown(server: str) -> None:
    told = str(failure(server))

    assert "no connection to the sqlserver database" in told
    assert not any(word in told for word in ("hunter2", "stranger", "127.0.0.1", "Nonesuch", "nonsense"))


@pytest.mark.slow  # the driver tries for 15 seconds
def test_server_that_does_not_answer_is_told_without_its_name() -> None:
    told = str(failure("Server=tcp:127.0.0.1,1;Encrypt=no"))

    assert not any(word in told for word in ("hunter2", "stranger", "127.0.0.1"))
