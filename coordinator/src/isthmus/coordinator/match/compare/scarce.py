"""When two providers have too little data to learn from what matches look like, and what there is too little of."""

from enum import StrEnum
from typing import Final

FEWEST_ROWS: Final = 50
FEWEST_RANDOM_PAIRS: Final = 100
FEWEST_CANDIDATES: Final = 30


class Scarce(StrEnum):
    """What there is too little of."""

    ROWS = "rows"
    """People of the smaller provider."""

    RANDOM_PAIRS = "random_pairs"
    """Pairs drawn at random, of which a field says anything: how two people look is unsure."""

    CANDIDATES = "candidates"
    """Candidates, of which a field says anything."""


def find_scarce(*, rows: tuple[int, int], random_pairs: int, candidates: int) -> frozenset[Scarce]:
    """Give what there is too little of; nothing where the model can be estimated."""
    enough = {
        Scarce.ROWS: min(rows) >= FEWEST_ROWS,
        Scarce.RANDOM_PAIRS: random_pairs >= FEWEST_RANDOM_PAIRS,
        Scarce.CANDIDATES: candidates >= FEWEST_CANDIDATES,
    }
    return frozenset(what for what, there in enough.items() if not there)
