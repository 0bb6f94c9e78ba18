"""Tokens: the parts of a value whose overlap stands for similarity. An empty value has none.

Source: clkhash 0.18.3; n-grams after Schnell, Bachteler and Reiher (2009), numbers after Vatsalan and Christen (2016).
"""

from collections.abc import Callable, Sequence
from typing import assert_never

from isthmus.contract.linkage_schema import Comparison, ExactComparison, NgramComparison, NumericComparison
from isthmus.node.encode.errors import UnfitValue

Tokenizer = Callable[[str], Sequence[str]]
"""Gives the tokens of a formatted value, in order and with repetitions; raises `UnfitValue`."""


def make_tokenizer(comparison: Comparison) -> Tokenizer:
    """Give the function that takes formatted values apart for a comparison."""
    match comparison:
        case NgramComparison(n=n, positional=True):
            return lambda value: [f"{place} {gram}" for place, gram in enumerate(_ngrams(value, n), start=1)]
        case NgramComparison(n=n):
            return lambda value: _ngrams(value, n)
        case ExactComparison():
            return lambda value: (value,) if value else ()
        case NumericComparison():
            return lambda value: _neighbourhood(value, comparison) if value else ()
        case _:
            assert_never(comparison)


def _ngrams(value: str, n: int) -> list[str]:
    if not value:
        return []
    padding = " " * (n - 1)
    padded = f"{padding}{value}{padding}"
    return [padded[start : start + n] for start in range(len(padded) - n + 1)]


def _neighbourhood(value: str, comparison: NumericComparison) -> list[str]:
    interval, resolution = comparison.interval, comparison.resolution
    try:
        # Scaled by 2 * resolution in place of dividing the interval, so that integers stay exact.
        scaled = _fixed_point(value, comparison.fractional_precision) * 2 * resolution
        residue = scaled % interval
        # Zero is asked for first because an interval beyond a double cannot be halved.
        below = residue == 0 or residue < interval / 2
        centre = scaled - residue if below else scaled + (interval - residue)
        return [str(centre + step * interval) for step in range(-resolution, resolution + 1)]
    except (ValueError, OverflowError):
        raise UnfitValue(reason="not a number") from None


def _fixed_point(value: str, precision: float) -> float:
    """Give the number in units of its last decimal place: an `int`, or a `float` where the precision is one."""
    try:
        whole = int(value)
    except ValueError:
        number = float(value)
        return round(number * 10**precision) if precision > 0 else int(number)
    return whole * 10**precision if precision > 0 else whole
