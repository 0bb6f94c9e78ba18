"""What a report means for linkage, in plain words, gravest first. A pure function of the report.

Made from the counts that the report shows, so the findings of a shared report say no more than it does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from isthmus.contract.standard_fields import STANDARD_FIELDS, FieldKind
from isthmus.node.report.model import (
    MIN_CELL_COUNT,
    OLDEST,
    Bin,
    Characters,
    Count,
    FieldReport,
    Gap,
    Linkage,
    Repeats,
    Report,
)
from isthmus.node.report.words import FIELD_NAMES, GROUP_NAMES, amount, listed, percent, share_of


class Level(StrEnum):
    """How much a finding asks for."""

    ACT = "act"
    KNOW = "know"
    GOOD = "good"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A sentence or two for people. `field` is the standard field that it is about, "" for the whole data set.

    `weight`, in [0, 1], orders findings of a level: about the share of rows that it concerns.
    """

    level: Level
    field: str
    text: str
    weight: float


_NOTICED: Final = 0.01
"""Shares of rows from here on are told; a percent of the links is more than most analyses can do without."""

_ACTED_ON: Final = 0.05

_TOO_COMMON: Final = {"first_name": 0.1, "last_name": 0.1, "dob": 0.005, "phone": 0.005, "ssn": 0.0005}
"""Shares above which a single value is hardly real. The commonest given and last names of the United States are borne
by about one to two in a hundred; a birthday in a file of one age group by about three in a thousand."""

_WHY_DAMAGED: Final = {
    "dob": "is no real date. If this is most of the column, check date_order in node.toml",
    "birth_year": "is no year from 1800 to 2199",
    "sex": "is no code for a sex that is known here",
    "state": "is no state or territory",
    "zip": "is no ZIP code",
    "phone": "is no telephone number of 7 or 10 digits",
    "ssn": "is no number that is ever issued",
    "street_number": "has no digit in it",
    "street_name": "holds lost characters",
    "city": "holds lost characters",
}
_WHY_NAME_DAMAGED: Final = "holds a digit or lost characters"


def find(report: Report[Count]) -> tuple[Finding, ...]:
    """All findings of a report: what to act on, then what to know, then what is well; each by falling weight."""
    found = [*_of_linkage(report.linkage, report.rows), *_of_repeats(report)]
    for one, gap in zip(report.fields, report.linkage.gaps, strict=True):
        found += [*_of_gap(gap, report.rows), *_of_values(one, report.rows), *_of_years(one, report)]
        found += [*_of_characters(one, report.rows), *_of_lengths(one)]
    levels = list(Level)
    return tuple(sorted(found, key=lambda one: (levels.index(one.level), -one.weight)))


def _level(share: float) -> Level:
    return Level.ACT if share >= _ACTED_ON else Level.KNOW


def _of_linkage(linkage: Linkage[Count], rows: int) -> Iterator[Finding]:
    if not linkage.routes:
        text = "No row can be linked: linking needs two kinds of facts, such as a name and a birth date."
        yield Finding(level=Level.ACT, field="", text=text, weight=1.0)
        return
    share = share_of(linkage.unlinkable, rows)
    if share is None or share == 0:
        some = "" if share == 0 else f", but for {amount(linkage.unlinkable)}"
        text = f"Every row{some} holds enough to be linked."
        yield Finding(level=Level.GOOD, field="", text=text, weight=1.0)
        return
    text = (
        f"{percent(share).capitalize()} of rows ({amount(linkage.unlinkable)}) hold too little to be linked: they lack "
        "two kinds of facts, such as a name and a birth date. They can only be counted as not linked."
    )
    yield Finding(level=Level.ACT if share >= _NOTICED else Level.KNOW, field="", text=text, weight=share)


def _of_repeats(report: Report[Count]) -> Iterator[Finding]:
    for repeats in report.repeats:
        share = share_of(repeats.rows, report.rows)
        if share and share >= _NOTICED / 10:
            yield Finding(level=_level(share), field="", text=_repeats_text(repeats, share, report), weight=share)


def _repeats_text(repeats: Repeats[Count], share: float, report: Report[Count]) -> str:
    whole = len(repeats.fields) == len(report.fields)
    what = "all fields" if whole else "first name, last name and birth date"
    return (
        f"{percent(share).capitalize()} of rows ({amount(repeats.rows)}) equal another row in {what}. If they are the "
        "same person, at most one row of each person is linked; remove repeated rows in the source if you"
        " can, unless the project says that this data set repeats people."
    )


def _of_gap(gap: Gap[Count], rows: int) -> Iterator[Finding]:
    share = share_of(gap.missing, rows)
    if share is None or share < _NOTICED:
        return
    lost = 1 - gap.linkable if gap.linkable is not None else 0.0
    level = Level.ACT if lost * share >= _NOTICED or _is_telling(gap.field, share) else Level.KNOW
    text = f"{FIELD_NAMES[gap.field]} is missing in {percent(share)} of rows{_still(gap)}."
    yield Finding(level=level, field=gap.field, text=text, weight=share)


def _is_telling(field: str, share: float) -> bool:
    """Say whether linkage suffers where so many rows lack the field: names and birth dates carry most of it."""
    return field in {"first_name", "last_name", "dob"} and share >= _ACTED_ON


def _still(gap: Gap[Count]) -> str:
    if gap.linkable is None:
        return ""
    if gap.linkable == 0:
        return "; none of those can be linked"
    by = listed([GROUP_NAMES[group] for group in gap.by])
    some = "those rows link" if gap.linkable == 1 else f"{percent(gap.linkable)} of those rows can still be linked,"
    return f"; {some} by {by} only"


def _of_values(one: FieldReport[Count], rows: int) -> Iterator[Finding]:
    name = FIELD_NAMES[one.field]
    damaged, placeholder = share_of(one.damaged, rows), share_of(one.placeholder, rows)
    if damaged and damaged >= _NOTICED / 2:
        why = _WHY_DAMAGED.get(one.field, _WHY_NAME_DAMAGED)
        text = f"{name}: the value of {percent(damaged)} of rows {why}. Such values are kept and rarely agree."
        yield Finding(level=_level(damaged), field=one.field, text=text, weight=damaged)
    if placeholder and placeholder >= _NOTICED / 2:
        text = (
            f"{name}: {percent(placeholder)} of rows hold a placeholder such as UNKNOWN or 999; it counts as missing."
        )
        yield Finding(level=Level.KNOW, field=one.field, text=text, weight=placeholder)
    if one.most_common is not None and _is_too_common(one, rows):
        text = (
            f"{name}: a single value stands in {percent(one.most_common)} of filled rows. "
            "It may be a placeholder that is not known here; strangers agree on it."
        )
        yield Finding(level=Level.ACT, field=one.field, text=text, weight=one.most_common)


def _is_too_common(one: FieldReport[Count], rows: int) -> bool:
    """Say whether the commonest value is hardly real. Where it stands in a few rows only, it may be by chance."""
    share = one.most_common or 0.0
    return share > _TOO_COMMON.get(one.field, 1.0) and share * rows >= MIN_CELL_COUNT


def _of_years(one: FieldReport[Count], report: Report[Count]) -> Iterator[Finding]:
    share = share_of(one.odd_years, report.rows)
    if share:
        name, few = FIELD_NAMES[one.field], f"{amount(one.odd_years)} rows ({percent(share)})"
        text = f"{name}: {few} lie after {report.year} or over {OLDEST} years before it."
        yield Finding(level=Level.KNOW, field=one.field, text=text, weight=share)


def _of_characters(one: FieldReport[Count], rows: int) -> Iterator[Finding]:
    share = share_of(one.characters[Characters.LOST], rows)
    if share:
        text = (
            f"{FIELD_NAMES[one.field]}: {percent(share)} of rows show characters that were lost or read in the wrong "
            "encoding. Declare encoding in node.toml, or export the file again as UTF-8."
        )
        yield Finding(level=Level.ACT, field=one.field, text=text, weight=share)


def _of_lengths(one: FieldReport[Count]) -> Iterator[Finding]:
    initials = sum(bar.share for bar in one.lengths if _is_one(bar))
    if STANDARD_FIELDS[one.field] is FieldKind.NAME and initials >= 0.2:
        text = f"{FIELD_NAMES[one.field]}: {percent(initials)} of filled rows hold an initial only."
        yield Finding(level=Level.KNOW, field=one.field, text=text, weight=initials / 10)


def _is_one(bar: Bin) -> bool:
    return bar.high == 1
