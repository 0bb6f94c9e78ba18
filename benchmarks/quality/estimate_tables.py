"""What estimates said beside the truth, as rows of tables: each pair of providers, and how often the truth was inside.

Pure.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Final

sys.path.insert(0, str(Path(__file__).parents[2]))
# The benchmarks are no package.
from benchmarks.quality.estimated import ESTIMATED, OVERLAP, QUANTITIES, Figure, PairEstimates

if TYPE_CHECKING:
    from benchmarks.quality.measure import Measured

HALVES: Final = ("choose", "report")
TITLE: Final = "estimates without truth, balanced acceptance: true value, estimate and 90 % interval, ! truth outside"
RULE: Final = "---"

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How estimates of one quantity did: how often the truth was inside, below or above, and how far off they were.

    `off` is the mean absolute difference, of `OVERLAP` as a share of the people shared.
    """

    of: int
    inside: int
    too_high: int
    too_low: int
    off: float


def estimate_tables(measured: "Sequence[Measured]") -> Iterator[tuple[str, list[Row]]]:
    """Give titles and tables, none where nothing was estimated."""
    if any(one.estimates for one in measured):
        yield TITLE, [*_head(), *(_row(one, pair) for one in measured for pair in one.estimates)]
        yield f"{TITLE.split(':')[0]}: how often, and how far off in the mean", list(_summary(measured))


def tally(figures: "Sequence[Figure]", *, relative: bool = False) -> Tally:
    """Add up those figures that say anything; `relative` takes differences as a share of the truth."""
    told = [one for one in figures if one.told]
    off = [abs(one.value - one.true) / (max(1.0, one.true) if relative else 1.0) for one in told]
    return Tally(
        of=len(told),
        inside=sum(one.inside for one in told),
        too_high=sum(one.true < one.low for one in told),
        too_low=sum(one.true > one.high for one in told),
        off=fmean(off) if off else 0.0,
    )


def by_pair(measured: "Sequence[Measured]") -> dict[str, Mapping[str, Figure]]:
    """Give the figures of every two providers by name, of the first seed of each set that has any."""
    found: dict[str, Mapping[str, Figure]] = {}
    for one in measured:
        for pair in one.estimates:
            found.setdefault(pair_name(one, pair), pair.figures)
    return found


def pair_name(one: "Measured", pair: PairEstimates) -> str:
    """Give the name of a set, with both providers where it has more."""
    return f"{one.name} {pair.left}-{pair.right}" if len(one.rows) > 2 else one.name


def _head() -> list[Row]:
    names = [column for quantity in QUANTITIES for column in (quantity, "estimate")]
    row = ("set", "half", "seed", "links", "false", *names)
    return [row, (RULE,) * len(row)]


def _row(one: "Measured", pair: PairEstimates) -> Row:
    cells = [cell for quantity in ESTIMATED for cell in _cells(pair.figures[quantity], ".4f")]
    counts = _cells(pair.figures[OVERLAP], ".0f")
    return (pair_name(one, pair), one.half, str(one.seed), str(pair.links), str(pair.false), *cells, *counts)


def _cells(figure: Figure, form: str) -> Row:
    true = format(figure.true, form)
    if not figure.told:
        return true, figure.too_little
    told = f"{figure.value:{form}} ({figure.low:{form}} to {figure.high:{form}})"
    return true, told if figure.inside else f"{told} !"


def _summary(measured: "Sequence[Measured]") -> Iterator[Row]:
    yield "quantity", "half", "pairs", "told", "inside", "too high", "too low", "off"
    yield (RULE,) * 8
    for quantity in QUANTITIES:
        for half in HALVES:
            figures = [pair.figures[quantity] for one in measured if one.half == half for pair in one.estimates]
            of = tally(figures, relative=quantity == OVERLAP)
            counts = (len(figures), of.of, of.inside, of.too_high, of.too_low)
            yield quantity, half, *map(str, counts), f"{of.off:.4f}"
