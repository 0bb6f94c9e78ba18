"""Bars of a histogram over whole numbers: one for each, and an open one at either end for what lies far off.

A single mistyped year would otherwise stretch the chart over centuries and press all others into its edge.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

from isthmus.node.report.model import Bin

_GAP: Final = 5
"""So many numbers in a row that do not occur part what lies far off from the rest."""

_FEW_PERCENT: Final = 1
_FEW_ROWS: Final = 2
"""What lies far off is this share of the values at most, or so many values where that is more."""


def bins_of(counts: Mapping[int, int], *, sensible: range | None = None) -> tuple[Bin, ...]:
    """One bar for each number from the least to the greatest, but for those far off, which share an open bar.

    Args:
        counts: how often each number occurs, once or more.
        sensible: where given, whatever is outside is far off, however much it is.
    """
    kept = _kept(counts, sensible)
    if not kept:
        return ()
    least, greatest, total = kept[0], kept[-1], sum(counts.values())
    below = sum(count for number, count in counts.items() if number < least)
    above = sum(count for number, count in counts.items() if number > greatest)
    bars: list[tuple[int | None, int | None, int]] = [(None, least - 1, below)] if below else []
    bars += [(number, number, counts.get(number, 0)) for number in range(least, greatest + 1)]
    bars += [(greatest + 1, None, above)] if above else []
    return tuple(Bin(low=low, high=high, share=count / total, count=count) for low, high, count in bars)


def _kept(counts: Mapping[int, int], sensible: range | None) -> list[int]:
    """The numbers that have a bar of their own or lie between such, in order."""
    numbers = sorted(counts)
    inside = [number for number in numbers if sensible is None or number in sensible] or numbers
    few = max(_FEW_ROWS, sum(counts.values()) * _FEW_PERCENT // 100)
    first = _far_off(inside, counts, few)
    last = _far_off([-number for number in reversed(inside)], {-number: n for number, n in counts.items()}, few)
    return inside[first : len(inside) - last] or inside


def _far_off(numbers: Sequence[int], counts: Mapping[int, int], few: int) -> int:
    """How many of the numbers, from the first on, lie before a gap and hold few values together."""
    seen, found = 0, 0
    for place, (number, following) in enumerate(pairwise(numbers), 1):
        seen += counts[number]
        if seen > few:
            break
        if following - number > _GAP:
            found = place
    return found
