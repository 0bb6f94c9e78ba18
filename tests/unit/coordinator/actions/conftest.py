"""A fresh coordinator for each test."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import Coordinator, empty_database, new_coordinator


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_database(tmp_path_factory.mktemp("database") / "empty.sqlite")


@pytest.fixture
def make_hub(tmp_path: Path, database: Path) -> Iterator[Callable[[str], Coordinator]]:
    """Makes coordinators that differ in nothing but their folder."""
    made: list[Coordinator] = []

    def make(name: str) -> Coordinator:
        folder = tmp_path / name
        folder.mkdir()
        made.append(new_coordinator(folder, database=database))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def hub(make_hub: Callable[[str], Coordinator]) -> Coordinator:
    return make_hub("hub")
