"""Entries of the list of opt-outs, for the tests of this folder and the properties; nobody's ids."""

from datetime import UTC, date, datetime
from typing import Any

from isthmus.contract.ids import ProjectId
from isthmus.node.consent.opt_outs import Act, Entry, Reason

PROJECT, OTHER = ProjectId("k12-to-work"), ProjectId("early-years")
TODAY = date(2026, 9, 1)
NOW = datetime(2026, 9, 1, 16, 30, tzinfo=UTC)


def day(month: int, number: int = 1) -> date:
    """Give a day of the year of these tests."""
    return date(2026, month, number)


def opt_out(record_id: str = "rec-1", **changes: Any) -> Entry:
    """Give an opt-out of all projects from 1 September on, with some parts changed."""
    parts: dict[str, Any] = {
        "act": Act.OPT_OUT,
        "record_id": record_id,
        "from_day": TODAY,
        "until_day": None,
        "project": None,
        "reason": Reason.PARENT_OPT_OUT,
        "entered_at": NOW,
    }
    return Entry(**(parts | changes))


def revocation(record_id: str = "rec-1", **changes: Any) -> Entry:
    """Give a revocation of such an opt-out."""
    return opt_out(record_id, act=Act.REVOKE, **changes)
