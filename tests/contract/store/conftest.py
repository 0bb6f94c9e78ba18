"""The stores that the suite holds to their protocol: add another one to `FACTORIES`, and nothing else."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from isthmus.coordinator.store.protocol import Store
from isthmus.coordinator.store.sql import open_store, sqlite_url


class ClosableStore(Store, Protocol):
    """A store that a test opens and closes."""

    def close(self) -> None:
        """Give up connections; what was committed stays."""
        ...


Open = Callable[[], ClosableStore]
"""Opens the test's one store, as often as it is called."""


def _sqlite(folder: Path) -> ClosableStore:
    return open_store(sqlite_url(folder / "store.sqlite"))


FACTORIES: Mapping[str, Callable[[Path], ClosableStore]] = {"sqlite": _sqlite}


@pytest.fixture(params=sorted(FACTORIES))
def open_again(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    opened: list[ClosableStore] = []

    def open_() -> ClosableStore:
        opened.append(FACTORIES[request.param](tmp_path))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: Open) -> Store:
    return open_again()
