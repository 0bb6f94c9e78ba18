"""Faults that no rule of the node foresees, as typed errors: this machine's (disk, memory, database) or the program's.

Nothing that such an exception says is repeated, for it may quote a value: its kind, a sentence of ours, and where in
the program it came up.
"""

import errno
import sqlite3
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from isthmus.contract.errors import IsthmusError
from isthmus.node.errors import LocalFault, StoreDamaged, Unforeseen

_PLACES_TOLD: Final = 6
_OF_SYSTEM: Final = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota of this account is used up",
    errno.EROFS: "the disk may only be read",
    errno.EACCES: "this account may not use a file or folder",
    errno.EPERM: "this account may not use a file or folder",
    errno.EIO: "the disk reports an error",
    errno.EMFILE: "too many files are open",
    errno.ENOMEM: "there is not enough memory",
}
_OF_DATABASE: Final = {
    sqlite3.SQLITE_BUSY: "another program keeps a database of the node's folder locked",
    sqlite3.SQLITE_LOCKED: "another program keeps a database of the node's folder locked",
    sqlite3.SQLITE_NOMEM: "there is not enough memory",
    sqlite3.SQLITE_READONLY: "a database of the node's folder may only be read",
    sqlite3.SQLITE_IOERR: "the disk reports an error under a database of the node's folder",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "a database of the node's folder does not open",
}
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


def typed_fault(exc: Exception) -> IsthmusError:
    """Give the typed error that stands for an exception; one that is typed is itself.

    `LocalFault` may pass by itself or once somebody made room; `StoreDamaged` never does.
    """
    if isinstance(exc, IsthmusError):
        return exc
    if isinstance(exc, sqlite3.Error):
        return _of_database(exc)
    if isinstance(exc, MemoryError):
        return LocalFault(problem="there is not enough memory")
    if isinstance(exc, OSError):
        return LocalFault(problem=_OF_SYSTEM.get(exc.errno or 0, "a file or an address could not be used"))
    return _unforeseen(exc)


@contextmanager
def typed_faults() -> Iterator[None]:
    """Raise in place of any exception the typed error that stands for it."""
    try:
        yield
    except IsthmusError:
        raise
    except Exception as exc:
        raise typed_fault(exc) from exc


def _of_database(exc: sqlite3.Error) -> IsthmusError:
    code = getattr(exc, "sqlite_errorcode", 0) & 0xFF  # the rest tells more of the same kind
    if code in _DAMAGED:
        return StoreDamaged()
    return LocalFault(problem=_OF_DATABASE[code]) if code in _OF_DATABASE else _unforeseen(exc)


def _unforeseen(exc: Exception) -> Unforeseen:
    frames = traceback.extract_tb(exc.__traceback__)[-_PLACES_TOLD:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return Unforeseen(kind=type(exc).__name__, places=places or "an unknown place")
