"""The text form of a value of a spreadsheet, a Parquet file or a database, exactly.

    missing (None, NULL), a number that is not finite     empty text
    text, UUID                                            as it is, without spaces around it
    True, False                                           true, false
    whole number, of whatever type                        its digits: 1234, never 1234.0 or 1.234e3
    other number                                          shortest digits that give it back, never an exponent: 0.5
    decimal                                               its digits without zeros at the end: 1.50 is 1.5, 7.00 is 7
    date                                                  ISO 8601: 2001-02-03
    date and time                                         ISO 8601: 2001-02-03T04:05:06; at midnight, the date alone
    time                                                  ISO 8601: 04:05:06

Anything else has no text form: bytes, durations, lists, structures. A column that holds one is refused.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from types import NoneType
from typing import Any, Final
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColumnText:
    """The text of a column's values: `numbers` counts those that were numbers, `refused` names kinds without text."""

    texts: list[str]
    numbers: int
    refused: tuple[str, ...]


_EXACT: Final = 2.0**53
"""Below it a float holds every whole number; `int` is then faster than the decimals of its digits, and the same."""


def _decimal_text(value: Decimal) -> str:
    if not value.is_finite():
        return ""
    digits = format(value, "f")
    whole = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return "0" if whole == "-0" else whole


def _float_text(value: float) -> str:
    if value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    return _decimal_text(Decimal(repr(value))) if math.isfinite(value) else ""


def _moment_text(value: datetime) -> str:
    at_midnight = value.time() == time.min
    return value.date().isoformat() if at_midnight else value.isoformat()


_TEXT: Final[dict[type, Callable[[Any], str]]] = {
    NoneType: lambda _: "",
    str: str.strip,
    bool: lambda value: "true" if value else "false",
    int: str,
    float: _float_text,
    Decimal: _decimal_text,
    datetime: _moment_text,
    date: date.isoformat,
    time: time.isoformat,
    UUID: str,
}
_NUMBERS: Final = frozenset({int, float, Decimal})
_KIND_NAMES: Final = {"memoryview": "bytes", "bytearray": "bytes", "timedelta": "duration", "dict": "structure"}


def kind_name(value: object) -> str:
    """Give the name under which a message tells people what kind of value has no text form."""
    name = type(value).__name__
    return _KIND_NAMES.get(name, name)


def column_text(values: Sequence[object]) -> ColumnText:
    """Give the text of a column, value by value; a value without text form is empty and its kind named."""
    types = set(map(type, values))
    writers = {kind: _TEXT.get(kind, _TEXT[NoneType]) for kind in types}
    numeric, refused = types & _NUMBERS, types - _TEXT.keys()
    if len(types) == 1:  # the common case, twice as fast
        texts = list(map(writers[types.pop()], values))
    else:
        texts = [writers[type(value)](value) for value in values]
    return ColumnText(
        texts=texts,
        numbers=sum(type(value) in numeric for value in values) if numeric else 0,
        refused=tuple(sorted({kind_name(value) for value in values if type(value) in refused})) if refused else (),
    )
