"""A disk that is full or a database that is locked, as the error that says so and that callers may wait out.

Anything else that a database or a file system says is a fault of the program and stays what it is.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import OperationalError

from isthmus.contract.errors import StorageUnavailable

_FULL: Final = "its disk is full"
_FAULTY: Final = "its disk gives errors, or does not let it write"
_LOCKED: Final = "another program holds its database"

_OF_SQLITE: Final = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_IOERR: _FAULTY,
    sqlite3.SQLITE_READONLY: _FAULTY,
    sqlite3.SQLITE_CANTOPEN: _FAULTY,
}
_FULL_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def database_faults() -> Iterator[None]:
    """Raise `StorageUnavailable` where SQLite cannot write or be had inside the block."""
    try:
        yield
    except OperationalError as exc:
        problem = _OF_SQLITE.get(getattr(exc.orig, "sqlite_errorcode", 0) & 0xFF)  # the low byte is the primary code
        if problem is None:
            raise
        raise StorageUnavailable(problem=problem) from exc


@contextmanager
def file_faults() -> Iterator[None]:
    """Raise `StorageUnavailable` where a file cannot be written inside the block."""
    try:
        yield
    except OSError as exc:
        raise StorageUnavailable(problem=_FULL if exc.errno in _FULL_DISK else _FAULTY) from exc
