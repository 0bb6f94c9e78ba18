"""Reading dates by a declared order, and guessing that order for a file whose owner does not know it.

Section 6 of docs/reference/normaliser.md.

A date is read when it is a real day of the Gregorian calendar in a year from 1800 to 2199; otherwise it is damaged.
Two forms need no declared order: a year of four digits that comes first, and a month given by its English name. The
first is never ambiguous, not even without separators: if eight digits were a date both as `yyyymmdd` and with the year
last, their last four would be a month and day, at most 1231, and a year, at least 1800.

Order is declared for a whole file and never guessed value by value: in a file written month first, 03/04 and 04/15
would then be read by different rules, and nobody would see it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from isthmus.node.normalise.text import fold_together, is_blank, number_text

FIRST_YEAR: Final = 1800
LAST_YEAR: Final = 2199
"""Years of birth that are believed, both inclusive. Not a life span: no clock is asked."""


class DateOrder(StrEnum):
    """The order of year, month and day in which a file writes its dates."""

    YMD = "YMD"
    MDY = "MDY"
    DMY = "DMY"


@dataclass(frozen=True, slots=True, kw_only=True)
class DateOrderGuess:
    """The order under which most values of a column are real dates.

    `valid` counts, for each order, the values (repetitions included) that are real dates under it; `values` counts the
    values that are not blank.
    """

    order: DateOrder
    valid: Mapping[DateOrder, int]
    values: int


_ZONE: Final = r"(?: ?(?:z|utc|gmt|[-+][0-9]{2}(?::?[0-9]{2})?))?"
_WITH_TIME: Final = (
    re.compile(r"(.{6,24}?)(?:t|,? )[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?[ap]\.?m\.?)?" + _ZONE),
    re.compile(r"([0-9]{8})t?[0-9]{4}(?:[0-9]{2}(?:\.[0-9]{1,9})?)?" + _ZONE),
)
_ISO: Final = re.compile("([0-9]{4})-([0-9]{2})-([0-9]{2})")
"""How most files write dates: its own plain form, and read in one way only, so it need not be tried against others."""

_BETWEEN: Final = " ?[-/. ] ?"
_YEAR_FIRST: Final = (
    re.compile(rf"([0-9]{{4}}){_BETWEEN}([0-9]{{1,2}}){_BETWEEN}([0-9]{{1,2}})"),
    re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})"),
)
_YEAR_LAST: Final = (
    re.compile(rf"([0-9]{{1,2}}){_BETWEEN}([0-9]{{1,2}}){_BETWEEN}([0-9]{{4}})"),
    re.compile(r"([0-9]{2})([0-9]{2})([0-9]{4})"),
)
_DAY: Final = "(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_MONTH: Final = "(?P<month>[a-z]{3,9})"
_YEAR: Final = "(?P<year>[0-9]{4})"
_NAMED_MONTH: Final = (
    re.compile(f"{_DAY}[-/. ]?{_MONTH}[-/., ]{{0,2}}{_YEAR}"),
    re.compile(f"{_MONTH}[-/. ]{{0,2}}{_DAY}[-/., ]{{1,2}}{_YEAR}"),
    re.compile(f"{_YEAR}[-/. ]?{_MONTH}[-/. ]{{0,2}}{_DAY}"),
)
_MONTH_NAMES: Final = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_MONTHS: Final[dict[str, int]] = {
    **{name: number for number, name in enumerate(_MONTH_NAMES, 1)},
    **{name[:3]: number for number, name in enumerate(_MONTH_NAMES, 1)},
    "sept": 9,
}


def without_time(raw: str) -> str:
    """The plain form of a date without a time of day (`2005-03-01T00:00:00`, `3/1/2005 12:00:00 AM`)."""
    text = number_text(raw)
    for form in _WITH_TIME:
        if (with_time := form.fullmatch(text)) is not None:
            return with_time[1]
    return text


def _real_date(year: str, month: int, day: str) -> date | None:
    if int(year) < FIRST_YEAR:
        return None
    try:
        return date(int(year), month, int(day))
    except ValueError:
        return None


def _parse_named_month(text: str) -> date | None:
    for form in _NAMED_MONTH:
        if (parts := form.fullmatch(text)) is not None:
            return _real_date(parts["year"], _MONTHS.get(parts["month"], 0), parts["day"])
    return None


def _parse_year_first(text: str) -> date | None:
    for form in _YEAR_FIRST:
        if (parts := form.fullmatch(text)) is not None:
            return _real_date(parts[1], int(parts[2]), parts[3])
    return None


def _parse_year_last(text: str, order: DateOrder) -> date | None:
    for form in _YEAR_LAST:
        if (parts := form.fullmatch(text)) is not None:
            month, day = (parts[1], parts[2]) if order == DateOrder.MDY else (parts[2], parts[1])
            return _real_date(parts[3], int(month), day)
    return None


def parse_date(raw: str, order: DateOrder) -> date | None:
    """The day that `raw` writes, or None where it is no real date under `order` in a year that is believed.

    As `parse_day`, for dates of births and other things that have happened.
    """
    found = parse_day(raw, order)
    return found if found is not None and found.year <= LAST_YEAR else None


def parse_day(raw: str, order: DateOrder) -> date | None:
    """The day, in a year from 1800 to 9999, that `raw` writes, or None where it is no real date under `order`.

    Under `YMD` a year that comes last is not read: nobody declared which of the other two numbers is the month. Years
    of two digits are never read: their century would be a guess. A time of day is passed over.
    """
    if (iso := _ISO.fullmatch(raw)) is not None:
        return _real_date(iso[1], int(iso[2]), iso[3])
    text = without_time(raw)
    found = _parse_year_first(text) or _parse_named_month(text)
    if found is None and order != DateOrder.YMD:
        return _parse_year_last(text, order)
    return found


def damaged_date(raw: str) -> str:
    """The letters and digits of a date that is not one, without its time of day: `1985-O2-11` is `1985o211`."""
    return fold_together(without_time(raw))


def infer_date_order(values: Iterable[str]) -> DateOrderGuess:
    """Guess the order in which a column writes its dates: the one under which most values are real dates.

    Of orders that are equally good the first of YMD, MDY, DMY is taken. For trying things out; what takes part in a
    round declares its order.
    """
    written = Counter(value for value in values if not is_blank(value))
    valid = {
        order: sum(times for value, times in written.items() if parse_date(value, order) is not None)
        for order in DateOrder
    }
    best = max(DateOrder, key=lambda order: valid[order])
    return DateOrderGuess(order=best, valid=valid, values=written.total())
