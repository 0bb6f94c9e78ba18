"""The stores that the suite holds to their protocol: add another one to `FACTORIES`, and nothing else."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest
from harness import empty_database

from isthmus.coordinator.store.protocol import Store
from isthmus.coordinator.store.sql import open_store, sqlite_url


class ClosableStore(Store, Protocol):
    """A store that a test opens and closes."""

    def close(self) -> None:
        """Give up connections; what was committed stays."""
        ...


Open = Callable[[], ClosableStore]
"""Opens the test's one store, as often as it is called."""


def _sqlite(folder: Path, session_folder: Path) -> ClosableStore:
    """Open the file, which begins as a copy of one whose schema was made once a session, to save time."""
    empty, path = session_folder / "empty.sqlite", folder / "store.sqlite"
    if not path.exists():
        shutil.copy(empty if empty.exists() else empty_database(empty), path)
    return open_store(sqlite_url(path))


FACTORIES: Mapping[str, Callable[[Path, Path], ClosableStore]] = {"sqlite": _sqlite}
"""By name: given the test's folder and the session's, opens the test's store."""


@pytest.fixture(scope="session")
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stores")


@pytest.fixture(params=sorted(FACTORIES))
def open_again(request: pytest.FixtureRequest, tmp_path: Path, session_folder: Path) -> Iterator[Open]:
    opened: list[ClosableStore] = []

    def open_() -> ClosableStore:
        opened.append(FACTORIES[request.param](tmp_path, session_folder))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: Open) -> Store:
    return open_again()
