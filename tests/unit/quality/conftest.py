"""Puts the kit, which is a folder of benchmarks and not installed, on the import path, and has people to draw from."""

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))
sys.path.insert(0, str(Path(__file__).parents[3] / "scripts"))

from isthmus_people.population import Marginals

from benchmarks.quality.people import Sources

FIRST_NAMES = ("Ada", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivo", "Jane", "Kurt", "Lena")
LAST_NAMES = ("Abbot", "Baker", "Carver", "Dyer", "Eagle", "Farmer", "Glover", "Hunter", "Ivory", "Joiner")


@pytest.fixture
def marginals() -> Marginals:
    """Give a few names and streets to draw from, women at even places."""
    return Marginals(
        given=tuple((name, "FM"[place % 2], 1950 + 3 * place) for place, name in enumerate(FIRST_NAMES)),
        middle=FIRST_NAMES[::-1],
        last=LAST_NAMES,
        streets=tuple(f"{name.lower()} lane" for name in LAST_NAMES),
    )


@pytest.fixture
def sources(marginals: Marginals, tmp_path: Path) -> Sources:
    """Give what sets are made from, with seed 1 and nothing of pseudopeople's."""

    def noisy(noise: str) -> Mapping[str, Path]:
        raise FileNotFoundError(noise)

    return Sources(marginals=marginals, folder=tmp_path, seed=1, noisy=noisy)
