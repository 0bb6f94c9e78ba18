"""The list of opt-outs as a history: entries in the order in which they were made, and whom they leave out on a day.

Nothing is ever taken back: revoking an opt-out is an entry of its own. For each record and each reason the last entry
that speaks of the project and the day decides, so that a parent who consents again lifts no court order. Days are
calendar days; the first and the last are both inclusive. Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from isthmus.contract.ids import ProjectId
from isthmus.node.consent_settings import whole_number

LONGEST_RECORD_ID: Final = 200


class Reason(StrEnum):
    """Why a record is on the list. Of several that hold, the first in this order is told."""

    COURT_ORDER = "court_order"
    LEGAL_HOLD = "legal_hold"
    PARENT_OPT_OUT = "parent_opt_out"
    PERSON_OPT_OUT = "person_opt_out"
    OTHER = "other"


_Slot = tuple[str, Reason]
"""Entries on the same record key and reason bear on each other, and on no others."""


class Act(StrEnum):
    """What an entry does."""

    OPT_OUT = "opt_out"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the list.

    `record_id` is the provider's own. `from_day` and `until_day` bound the effect; `until_day` None is no end, which a
    revocation never has. `project` None is all projects. `entered_at` is aware; it has no part in deciding.
    """

    act: Act
    record_id: str
    from_day: date
    until_day: date | None
    project: ProjectId | None
    reason: Reason
    entered_at: datetime

    def __post_init__(self) -> None:
        """Refuse a record id that is not one printable line, and an end before the beginning."""
        if problems := entry_problems(self.record_id, self.from_day, self.until_day):
            raise ValueError("; ".join(problems))

    def speaks_of(self, project: ProjectId | None, day: date) -> bool:
        """Say whether the entry bears on that project on that day."""
        in_time = self.from_day <= day and (self.until_day is None or day <= self.until_day)
        return in_time and self.project in {None, project}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exclusions:
    """Who is left out of one project on one day by the list: the reason by `record_key`. Made by `exclusions`.

    `project` None is a project that no entry names. `latest` is a later day than `as_of` on which the list was asked
    before, so that the clock was wrong then or is now; whoever is left out on either day is left out.
    """

    project: ProjectId | None
    as_of: date
    reasons: Mapping[str, Reason]
    latest: date | None = None

    @property
    def days(self) -> tuple[date, ...]:
        """The days on each of which a row has to be free to take part."""
        return (self.as_of,) if self.latest is None else (self.as_of, self.latest)

    def reason(self, record_id: str) -> Reason | None:
        """Give why that record is left out, or None where it is not."""
        return self.reasons.get(record_key(record_id)) if self.reasons else None

    def not_among(self, record_ids: Iterable[str]) -> int:
        """Count the records on the list that are not among these: gone since, or mistyped."""
        return len(self.reasons.keys() - {record_key(one) for one in record_ids})


def record_key(record_id: str) -> str:
    """What a record is looked up by: its id, a number without leading zeros and without a printed `.0`.

    Spreadsheets turn `00123` into `123` or `123.0`; a list that was typed there would otherwise miss the person unseen.
    """
    text = whole_number(record_id)
    return (text.lstrip("0") or "0") if text.isdecimal() else text


def rows_text(rows: int) -> str:
    """Give a number of rows in words."""
    return f"{rows:,} {'row' if rows == 1 else 'rows'}"


def entry_problems(record_id: str, from_day: date, until_day: date | None) -> list[str]:
    """Tell what is wrong with the parts of an entry, without repeating them."""
    problems = []
    if not record_id.strip():
        problems.append("the record id is blank")
    elif len(record_id) > LONGEST_RECORD_ID or not record_id.isprintable():
        problems.append(f"the record id is not one line of at most {LONGEST_RECORD_ID} printable characters")
    if until_day is not None and until_day < from_day:
        problems.append("until is before from")
    return problems


def exclusions(
    entries: Iterable[Entry], *, project: ProjectId | None, as_of: date, latest: date | None = None
) -> Exclusions:
    """Give who is left out of `project` on the day `as_of`, or on the day `latest` where that is later.

    Entries come in the order in which they were made.
    """
    history, later = list(entries), latest if latest is not None and latest > as_of else None
    words = [_last_words(history, project, day) for day in (as_of, later) if day is not None]
    held: dict[str, Reason] = {}
    for reason in reversed(Reason):
        for last in words:
            held |= {key: why for (key, why), act in last.items() if why is reason and act is Act.OPT_OUT}
    return Exclusions(project=project, as_of=as_of, reasons=held, latest=later)


def new_entries(history: Iterable[Entry], wanted: Iterable[Entry]) -> list[Entry]:
    """Give those of the wanted opt-outs that change something, so that a list may be brought in again and again."""
    known: dict[_Slot, list[Entry]] = {}
    for entry in history:
        known.setdefault(_slot(entry), []).append(entry)
    fresh: list[Entry] = []
    for entry in wanted:
        own = known.setdefault(_slot(entry), [])
        if not _says_nothing_new(own, entry):
            own.append(entry)
            fresh.append(entry)
    return fresh


def revocable(entries: Iterable[Entry], *, record_id: str, project: ProjectId | None, from_day: date) -> set[Reason]:
    """Give the reasons for which the record is opted out of `project` (None: of any) on `from_day` or a later day."""
    own = [entry for entry in entries if record_key(entry.record_id) == record_key(record_id)]
    days = {from_day} | {entry.from_day for entry in own if entry.from_day > from_day}
    projects = {project} if project else {entry.project for entry in own}
    words = (_last_words(own, one, day) for one in projects for day in days)
    return {reason for word in words for (_, reason), act in word.items() if act is Act.OPT_OUT}


def _slot(entry: Entry) -> _Slot:
    return record_key(entry.record_id), entry.reason


def _last_words(entries: Iterable[Entry], project: ProjectId | None, day: date) -> dict[_Slot, Act]:
    """What the last entry says that speaks of project and day; None is a project that no entry names."""
    return {_slot(entry): entry.act for entry in entries if entry.speaks_of(project, day)}


def _says_nothing_new(own: Sequence[Entry], entry: Entry) -> bool:
    """Say whether the record is opted out already on every day, and of every project, that the opt-out is about."""
    last_day = entry.until_day or date.max
    turns = {entry.from_day}
    for older in own:
        turns.add(older.from_day)
        if older.until_day is not None and older.until_day < last_day:
            turns.add(older.until_day + timedelta(days=1))
    projects = {entry.project} if entry.project else {None, *(older.project for older in own)}
    return all(
        _last_words(own, project, day).get(_slot(entry)) is Act.OPT_OUT
        for project in projects
        for day in turns
        if entry.from_day <= day <= last_day
    )
