"""A fresh coordinator for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Coordinator, new_coordinator


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Coordinator]:
    yield new_coordinator(tmp_path)
