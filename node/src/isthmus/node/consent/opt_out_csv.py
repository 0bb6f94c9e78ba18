"""Reading a list of opt-outs from CSV text: `record_id,from,until,project,reason`, in any order, all problems at once.

Only `record_id` is needed. A blank `from` is the day of the import, a blank `until` no end, as is a day after the year
2199 or a word such as `never`; a blank `project` is all projects, a blank `reason` other. Rows are numbered as a
spreadsheet shows them, the header is row 1; no problem repeats what a row holds.
"""

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from isthmus.contract.errors import MalformedDocument, MalformedMessage
from isthmus.contract.ids import ProjectId, parse_project_id
from isthmus.node.consent.days import parse_last_day, says_no_end
from isthmus.node.consent.opt_outs import Act, Entry, Reason, entry_problems
from isthmus.node.normalise.dates import DateOrder, parse_date

COLUMNS: Final = ("record_id", "from", "until", "project", "reason")
PROBLEMS_SHOWN: Final = 20

_Row = tuple[int, list[str]]
"""A row of the file under its number."""


def read_opt_outs(data: bytes, *, today: date, entered_at: datetime, date_order: DateOrder) -> list[Entry]:
    """The opt-outs of a CSV file, in its order.

    Args:
        data: the file, UTF-8 with or without a byte order mark.
        today: what a blank `from` means.
        entered_at: the time of the import, aware.
        date_order: how the file writes its dates.

    Raises:
        MalformedDocument: with all problems, by row number; the first 20 of them in words.
    """
    rows = _rows(data)
    header = _header(rows[0][1] if rows else [])
    entries, problems = [], []
    for number, row in rows[1:]:
        found = _read_row(header, row, today=today, entered_at=entered_at, date_order=date_order)
        if isinstance(found, Entry):
            entries.append(found)
        else:
            problems += [f"row {number}: {problem}" for problem in found]
    if problems:
        raise _unreadable(problems)
    return entries


def _rows(data: bytes) -> list[_Row]:
    """Give the rows that are not blank, with their numbers."""
    rows: list[_Row] = []
    number = 0
    try:
        reader = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
        for number, row in enumerate(reader, 1):
            values = [value.strip() for value in row]
            if any(values):
                rows.append((number, values))
    except UnicodeDecodeError as exc:
        raise _unreadable(["it is not UTF-8; export it again as CSV UTF-8"]) from exc
    except csv.Error as exc:
        raise _unreadable([f"row {number + 1}: a quote is not closed where it should be"]) from exc
    return rows


def _header(values: Sequence[str]) -> list[str]:
    names = [name.casefold() for name in values]
    problems = [f"the header has the column {name} more than once" for name in COLUMNS if names.count(name) > 1]
    if "record_id" not in names:
        problems.append("the header has no column record_id")
    if not set(names) <= set(COLUMNS):
        problems.append(f"the header has a column that is none of {', '.join(COLUMNS)}")
    if problems:
        raise _unreadable(problems)
    return names


def _read_row(
    header: Sequence[str], row: Sequence[str], *, today: date, entered_at: datetime, date_order: DateOrder
) -> Entry | list[str]:
    """Give the opt-out that stands in a row, or all that is wrong with it."""
    if len(row) != len(header):
        return [f"it has {len(row)} values under a header of {len(header)}"]
    values = dict.fromkeys(COLUMNS, "") | dict(zip(header, row, strict=True))
    from_day = parse_date(values["from"], date_order) if values["from"] else today
    last_day = date.max if says_no_end(values["until"]) else parse_last_day(values["until"], date_order)
    until_day = None if last_day == date.max else last_day
    days = {"from": from_day, "until": last_day}
    problems = [f"{name} is not a date in the order {date_order}" for name, day in days.items() if day is None]
    problems += [] if _is_project(values["project"]) else ["project is not a project id"]
    problems += [] if values["reason"] in {"", *Reason} else [f"reason is none of {', '.join(Reason)}"]
    problems += entry_problems(values["record_id"], from_day or today, until_day if from_day else None)
    if problems or from_day is None:
        return problems
    return Entry(
        act=Act.OPT_OUT,
        record_id=values["record_id"],
        from_day=from_day,
        until_day=until_day,
        project=ProjectId(values["project"]) if values["project"] else None,
        reason=Reason(values["reason"] or Reason.OTHER),
        entered_at=entered_at,
    )


def _is_project(text: str) -> bool:
    try:
        return not text or bool(parse_project_id(text))
    except MalformedMessage:
        return False


def _unreadable(problems: Sequence[str]) -> MalformedDocument:
    more = f"; and {len(problems) - PROBLEMS_SHOWN:,} more" if len(problems) > PROBLEMS_SHOWN else ""
    return MalformedDocument(document="list of opt-outs", problem="; ".join(problems[:PROBLEMS_SHOWN]) + more)
