"""A real PostgreSQL server on a socket in a folder of its own, for the tests of this folder."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

SERVER_ACCOUNT = "nobody"
"""PostgreSQL refuses to run as root; whoever is root runs it as this account."""


def _program(name: str) -> str | None:
    """Give the path of a program of PostgreSQL's server: on the path, or where Debian puts it."""
    debian = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(debian[-1]) if debian else shutil.which(name)


def _run_as() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam(SERVER_ACCOUNT)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _say(folder: Path, *command: str) -> None:
    environ = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    subprocess.run(
        command, check=True, cwd=folder, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, **_run_as()
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """Start a server without TCP and give its connection string; skip where PostgreSQL or psycopg is not installed."""
    pytest.importorskip("psycopg", reason="asking PostgreSQL needs isthmus-node[postgres]")
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("there is no PostgreSQL server on this machine: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="isthmus-pg-"))  # short: a socket's path has 107 characters at most
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, SERVER_ACCOUNT)
        data, options = str(folder / "data"), f"-c listen_addresses='' -c fsync=off -k {folder}"
        _say(folder, initdb, "-D", data, "-U", "isthmus", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        _say(folder, pg_ctl, "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"host={folder} user=isthmus dbname=postgres"
        finally:
            _say(folder, pg_ctl, "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)
