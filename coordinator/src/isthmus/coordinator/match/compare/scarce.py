"""When two providers have too little data to learn from, and what there is too little of.

Limits were chosen on made-up people with three and nine fields, light and heavy errors, half or a twentieth of the
smaller file shared. Estimation from declared starting values, which count as 20 matches, holds its own in small files.
With half of it shared:

| rows | sets | F1 at 0.1, estimated | as it begins | shared people: true, estimated, as it begins |
|---|---|---|---|---|
| 5, 5 | 80 | .971 | .971 | 160, 125, 118 |
| 20, 20 | 48 | .984 | .983 | 480, 458, 288 |
| 50, 50 | 32 | .982 | .982 | 800, 771, 480 |
| 300, 300 | 16 | .979 | .979 | 2400, 2292, 1440 |
| 10, 3000 | 24 | .983 | .983 | 120, 116, 72 |
| 50, 20000 | 4 | .975 | .975 | 100, 95, 60 |

So a model is left as it begins only below 20 rows, or where random pairs say nothing. Few matches do no harm to links
either, but what the model says of its matches is then what was declared, which whoever reads it must know.
"""

from enum import StrEnum
from typing import Final

FEWEST_ROWS: Final = 20
FEWEST_RANDOM_PAIRS: Final = 100
FEWEST_MATCHES: Final = 20.0


class Scarce(StrEnum):
    """What there is too little of."""

    ROWS = "rows"
    """People of the smaller provider: the model is left as it begins."""

    RANDOM_PAIRS = "random_pairs"
    """Pairs drawn at random of which a field says anything, so that how two people look is unsure: left as well."""

    MATCHES = "matches"
    """Shared people, by estimation: what matches look like is mostly as declared."""


def too_little_to_learn(*, rows: tuple[int, int], random_pairs: int) -> frozenset[Scarce]:
    """Give what there is too little of for a model to be estimated; nothing if it can be."""
    found = set()
    if min(rows) < FEWEST_ROWS:
        found.add(Scarce.ROWS)
    if random_pairs < FEWEST_RANDOM_PAIRS:
        found.add(Scarce.RANDOM_PAIRS)
    return frozenset(found)


def too_few_matches(shared: float) -> frozenset[Scarce]:
    """Say whether there are too few shared people, by the sum of probabilities, to tell what matches look like."""
    return frozenset({Scarce.MATCHES}) if shared < FEWEST_MATCHES else frozenset()
