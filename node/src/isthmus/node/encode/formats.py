"""Values as the linkage schema wants them: each is checked against its feature's format and brought into one spelling.

A missing value (the schema's sentinel) is replaced and not checked, as in clkhash.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, assert_never

from isthmus.contract.linkage_schema import (
    DateFormat,
    EnumFormat,
    Feature,
    Format,
    IntegerFormat,
    PatternFormat,
    TextFormat,
)
from isthmus.node.encode.errors import UnfitValue

Formatter = Callable[[str], str]
"""Gives a value's one spelling; raises `UnfitValue`."""

_RECASE: Final[dict[str, Formatter]] = {"upper": str.upper, "lower": str.lower, "mixed": str}

_PLAIN_DIRECTIVES: Final = re.compile("%([Ymd])([-/.]?)%([Ymd])([-/.]?)%([Ymd])")
_DATE_PARTS: Final = {
    "Y": "(?P<Y>[1-9][0-9]{3})",
    "m": "(?P<m>0[1-9]|1[0-2])",
    "d": "(?P<d>0[1-9]|1[0-9]|2[0-8])",
}


def make_formatter(feature: Feature) -> Formatter:
    """Give the function that checks and spells the values of a feature."""
    spell, encoding, missing = _speller(feature.format), feature.encoding, feature.missing_value

    def format_value(value: str) -> str:
        if missing is not None and value == missing.sentinel:
            return missing.replace_with
        if not _is_encodable(value, encoding):
            raise UnfitValue(reason=f"not representable in {encoding}")
        return spell(value)

    return format_value


def all_fit(values: Sequence[str], feature: Feature) -> bool:
    """Say, at little cost, that all values fit and are their own spelling; if not, each has to be looked at."""
    form = feature.format
    if not isinstance(form, TextFormat) or feature.missing_value is not None:
        return False
    lengths = set(map(len, values))
    if form.min_length is not None and min(lengths, default=form.min_length) < form.min_length:
        return False
    if form.max_length is not None and max(lengths, default=0) > form.max_length:
        return False
    # Letters change their case with their neighbours, but never across a line break.
    text = "\n".join(values)
    return _is_encodable(text, feature.encoding) and _RECASE[form.case](text) == text


def _is_encodable(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _speller(form: Format) -> Formatter:
    match form:
        case TextFormat():
            return _text_speller(form)
        case PatternFormat():
            return _pattern_speller(form)
        case IntegerFormat():
            return _integer_speller(form)
        case DateFormat():
            return _date_speller(form)
        case EnumFormat():
            return _enum_speller(form)
        case _:
            assert_never(form)


def _text_speller(form: TextFormat) -> Formatter:
    recase = _RECASE[form.case]
    shortest = 0 if form.min_length is None else form.min_length

    def spell(value: str) -> str:
        if len(value) < shortest:
            raise UnfitValue(reason=f"shorter than {shortest} characters")
        if form.max_length is not None and len(value) > form.max_length:
            raise UnfitValue(reason=f"longer than {form.max_length} characters")
        if recase(value) != value:
            raise UnfitValue(reason=f"not in {form.case} case")
        return value

    return spell


def _pattern_speller(form: PatternFormat) -> Formatter:
    matches = re.compile(form.pattern).fullmatch

    def spell(value: str) -> str:
        if matches(value) is None:
            raise UnfitValue(reason="not of the schema's pattern")
        return value

    return spell


def _integer_speller(form: IntegerFormat) -> Formatter:
    """`+13`, ` 13` and `13` are one integer and get one spelling."""

    def spell(value: str) -> str:
        try:
            number = int(value)
        except ValueError:
            raise UnfitValue(reason="not a whole number") from None
        if form.minimum is not None and number < form.minimum:
            raise UnfitValue(reason=f"below {form.minimum}")
        if form.maximum is not None and number > form.maximum:
            raise UnfitValue(reason=f"above {form.maximum}")
        return str(number)

    return spell


def _date_speller(form: DateFormat) -> Formatter:
    """A date is spelt in digits only, so that the format's separators, alike in all dates, set no bits.

    The year of a date before 1000 is not padded on every platform; clkhash has the same dependence.
    """
    numeric = _numeric_date(form.directives)

    def spell(value: str) -> str:
        found = None if numeric is None else numeric.fullmatch(value)
        if found is not None:
            return found["Y"] + found["m"] + found["d"]
        try:
            # A birth date has no time zone.
            return datetime.strptime(value, form.directives).strftime("%Y%m%d")  # noqa: DTZ007
        except (ValueError, OverflowError):
            raise UnfitValue(reason="not a date of the schema's format") from None

    return spell


def _numeric_date(directives: str) -> re.Pattern[str] | None:
    """Give a pattern of dates in digits that need no `strptime`, which takes ten times as long.

    It matches fully padded dates from the year 1000 on, up to the 28th of a month: those that exist in any month.
    """
    plain = _PLAIN_DIRECTIVES.fullmatch(directives)
    if plain is None or set(plain.group(1, 3, 5)) != set("Ymd"):
        return None
    parts = (_DATE_PARTS.get(part, re.escape(part)) for part in plain.groups())
    return re.compile("".join(parts))


def _enum_speller(form: EnumFormat) -> Formatter:
    def spell(value: str) -> str:
        if value not in form.values:
            raise UnfitValue(reason="not one of the schema's values")
        return value

    return spell
