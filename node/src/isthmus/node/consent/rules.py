"""Which rows of a data set take part in a project on a day: the list of opt-outs first, then each rule in turn.

Fails closed: a value that a rule does not know, a date that cannot be read and a consent without a date leave the row
out, and are counted. A piece of a data set at a time gives what the whole would give. Pure.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.bands import band
from isthmus.node.consent.days import parse_last_day
from isthmus.node.consent.opt_outs import Exclusions, Reason, rows_text
from isthmus.node.consent_settings import ConsentRule, fold_word, words
from isthmus.node.normalise.dates import DateOrder, parse_date

ON_THE_LIST: Final = "opt-out list"
"""Stands for the list of opt-outs where otherwise a column is named."""


class Cause(StrEnum):
    """Why a rule leaves a row out."""

    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    UNKNOWN_VALUE = "unknown_value"
    UNREADABLE_DATE = "unreadable_date"
    UNDATED_CONSENT = "undated_consent"
    OUT_OF_DATE = "out_of_date"
    OTHER_ROWS = "other_rows"


_TAKES_PART: Final = -1

_Values = tuple[str, str, str]
"""A row's value, first day and last day, as the source holds them."""

_Lists = tuple[frozenset[str], frozenset[str]]
"""The folded words that leave a row out, and those that keep it."""

_SENTENCES: Final = {
    Cause.OPTED_OUT: "{rows} opted out by {column}",
    Cause.NO_CONSENT: "{rows} without consent in {column}",
    Cause.UNKNOWN_VALUE: "{rows} with another value in {column} than its rule knows",
    Cause.UNREADABLE_DATE: "{rows} with a date for {column} that cannot be read",
    Cause.UNDATED_CONSENT: "{rows} with a consent in {column} that has no date",
    Cause.OUT_OF_DATE: "{rows} with a consent in {column} that does not hold on this day",
    Cause.OTHER_ROWS: "{rows} not asked for, by {column}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """On which ground a row is left out: the rule's column and a `Cause`, or `ON_THE_LIST` and a `Reason`."""

    source: str
    cause: str

    def sentence(self, rows: int) -> str:
        """Give the ground in words, for that number of rows."""
        if self.source == ON_THE_LIST:
            return f"{rows_text(rows)} on the {ON_THE_LIST}: {self.cause.replace('_', ' ')}"
        return _SENTENCES[Cause(self.cause)].format(rows=rows_text(rows), column=self.source)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Kept:
    """Which rows take part.

    `mask` is bool, shape (n,), True where the row takes part. `counts` has each row that does not under one ground: the
    first that was met. Exact, so for this node alone; `banded` gives what may be told elsewhere.
    """

    mask: NDArray[np.bool_]
    counts: Mapping[Ground, int]

    def __post_init__(self) -> None:
        """Refuse counts that do not add up to the rows left out."""
        if sum(self.counts.values()) != len(self.mask) - int(self.mask.sum()):
            raise ValueError("every row left out has one ground")

    def sentences(self) -> list[str]:
        """Give a sentence a ground, with exact counts, for this node's own people."""
        return [ground.sentence(rows) for ground, rows in self.counts.items()]

    def banded(self) -> dict[str, Any]:
        """Give what may leave the node: the band of all rows left out together, on whatever ground."""
        return {"left_out": band(sum(self.counts.values()))}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Judged:
    """What one source says of each row: `places`, int8, shape (n,), of its ground in `grounds`, or `_TAKES_PART`."""

    grounds: Sequence[Ground]
    places: NDArray[np.int8]

    def counts(self, *, among: NDArray[np.bool_]) -> dict[Ground, int]:
        """Count the rows of each ground among some."""
        found = self.places[among]
        return {ground: int((found == place).sum()) for place, ground in enumerate(self.grounds) if place in found}


def keep_rows(
    ids: Sequence[str],
    rule_columns: Mapping[str, Sequence[str]],
    *,
    rules: Sequence[ConsentRule],
    exclusions: Exclusions,
    date_order: DateOrder,
) -> Kept:
    """Which of some rows take part in the project, on the day or on each of the days, that `exclusions` is about.

    Args:
        ids: the record id of each row.
        rule_columns: one value a row, as the source holds them, of each column that `columns_needed(rules)` names.
        rules: the data set's rules; those for other projects are passed over.
        exclusions: the list of opt-outs as of the day.
        date_order: how the data set writes its dates.

    Raises:
        KeyError: a column that a rule needs is not there.
        ValueError: a column has not one value a row. No value raises.
    """
    in_force = [rule for rule in rules if not rule.projects or exclusions.project in rule.projects]
    judged = [_listed(exclusions, ids)]
    judged += [
        _ruled(one, rule_columns, len(ids), as_of=day, order=date_order) for one in in_force for day in exclusions.days
    ]
    mask, counts = np.ones(len(ids), dtype=np.bool_), Counter[Ground]()
    for one in judged:
        counts.update(one.counts(among=mask))
        mask &= one.places == _TAKES_PART
    return Kept(mask=mask, counts=in_order(counts))


def join_kept(pieces: Iterable[Kept]) -> Kept:
    """Give pieces of a data set, in order, as one."""
    whole = list(pieces)
    counts: Counter[Ground] = Counter()
    for piece in whole:
        counts.update(piece.counts)
    mask = np.concatenate([np.zeros(0, dtype=np.bool_), *(piece.mask for piece in whole)])
    return Kept(mask=mask, counts=in_order(counts))


def in_order(counts: Mapping[Ground, int]) -> dict[Ground, int]:
    """Counts in an order that does not tell which row came first: the list, then columns by name."""
    return dict(sorted(counts.items(), key=lambda one: (one[0].source != ON_THE_LIST, one[0].source, one[0].cause)))


def _listed(exclusions: Exclusions, ids: Sequence[str]) -> _Judged:
    """Judge rows by the list of opt-outs."""
    grounds = [Ground(source=ON_THE_LIST, cause=reason.value) for reason in Reason]
    if not exclusions.reasons:
        return _Judged(grounds=grounds, places=np.full(len(ids), _TAKES_PART, dtype=np.int8))
    places = {None: _TAKES_PART} | {reason: place for place, reason in enumerate(Reason)}
    return _Judged(
        grounds=grounds,
        places=np.fromiter((places[exclusions.reason(one)] for one in ids), dtype=np.int8, count=len(ids)),
    )


def _ruled(
    rule: ConsentRule, columns: Mapping[str, Sequence[str]], rows: int, *, as_of: date, order: DateOrder
) -> _Judged:
    """Judge rows by a rule; distinct values are judged once."""
    grounds = [Ground(source=rule.column, cause=cause.value) for cause in Cause]
    if rule.exclude_if and not _bounds_hold(rule, as_of):
        return _Judged(grounds=grounds, places=np.full(rows, _TAKES_PART, dtype=np.int8))
    first, last = (columns[name] if name else [""] * rows for name in (rule.from_column, rule.until_column))
    values = list(zip(columns[rule.column], first, last, strict=True))
    if len(values) != rows:
        raise ValueError("every column must have one value a row")
    judge = _judge_opt_out if rule.exclude_if else _judge_consent
    lists, places = words(rule), {None: _TAKES_PART} | {cause: place for place, cause in enumerate(Cause)}
    if rule.selects:  # whichever way a row misses the rule, it is one of the others
        places |= dict.fromkeys(Cause, places[Cause.OTHER_ROWS])
    judged = {one: places[judge(rule, lists, one, as_of=as_of, order=order)] for one in set(values)}
    return _Judged(grounds=grounds, places=np.fromiter((judged[one] for one in values), dtype=np.int8, count=rows))


def _judge_opt_out(
    _rule: ConsentRule, lists: _Lists, values: _Values, *, as_of: date, order: DateOrder
) -> Cause | None:
    (value, first, last), (out, kept) = values, lists
    if fold_word(value) not in out:
        return None if fold_word(value) in kept or not value.strip() else Cause.UNKNOWN_VALUE
    holds = _holds(first, last, as_of=as_of, order=order)
    if holds is None:
        return Cause.UNREADABLE_DATE
    return Cause.OPTED_OUT if holds else None


def _judge_consent(rule: ConsentRule, lists: _Lists, values: _Values, *, as_of: date, order: DateOrder) -> Cause | None:
    (value, first, last), (out, kept) = values, lists
    if fold_word(value) not in kept:
        return Cause.NO_CONSENT if fold_word(value) in out or not value.strip() else Cause.UNKNOWN_VALUE
    if rule.from_column and not first.strip():
        return Cause.UNDATED_CONSENT  # consent is signed and dated: 34 CFR 99.30
    holds = _holds(first, last, as_of=as_of, order=order)
    if holds is None:
        return Cause.UNREADABLE_DATE
    return None if holds and _bounds_hold(rule, as_of) else Cause.OUT_OF_DATE


def _bounds_hold(rule: ConsentRule, as_of: date) -> bool:
    return (rule.from_day is None or rule.from_day <= as_of) and (rule.until_day is None or as_of <= rule.until_day)


def _holds(first: str, last: str, *, as_of: date, order: DateOrder) -> bool | None:
    """Say whether the day is within both, inclusive; a blank is no bound. None where one is no date, or they cross."""
    first_day = parse_date(first, order) if first.strip() else date.min
    last_day = parse_last_day(last, order) if last.strip() else date.max
    if first_day is None or last_day is None or last_day < first_day:
        return None
    return first_day <= as_of <= last_day
