"""The list of opt-outs on disk: `consent.sqlite` in the node's folder, mode 0600, append-only.

It never leaves the node. It holds record ids and reasons, so it is more confidential than the vault. The file itself
refuses changes and deletions of entries.
"""

import sqlite3
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Final

from isthmus.contract.clock import to_text
from isthmus.contract.ids import ProjectId
from isthmus.node.consent.opt_outs import Act, Entry, Reason, new_entries

FILE_NAME: Final = "consent.sqlite"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entries (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, act TEXT NOT NULL, record_id TEXT NOT NULL, from_day TEXT NOT NULL,
    until_day TEXT, project TEXT, reason TEXT NOT NULL, entered_at TEXT NOT NULL
) STRICT;
CREATE TRIGGER IF NOT EXISTS entries_stay BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are never deleted'); END;
CREATE TRIGGER IF NOT EXISTS entries_stand BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are never changed'); END;
CREATE TABLE IF NOT EXISTS latest_day (one INTEGER PRIMARY KEY CHECK (one = 1), day TEXT NOT NULL) STRICT;
"""
_COLUMNS: Final = "act, record_id, from_day, until_day, project, reason, entered_at"


class OptOutList:
    """An open list. Made by `open_opt_outs`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use that connection."""
        self._connection = connection

    def entries(self) -> list[Entry]:
        """Give all entries in the order in which they were made."""
        return [_entry(row) for row in self._connection.execute(f"SELECT {_COLUMNS} FROM entries ORDER BY sequence")]  # noqa: S608 - a constant

    def count(self) -> int:
        """Give how many entries there are; it grows with every change."""
        return int(self._connection.execute("SELECT count(*) FROM entries").fetchone()[0])

    def latest_day(self) -> date | None:
        """Give the latest day on which the list was asked, if it was."""
        row = self._connection.execute("SELECT day FROM latest_day").fetchone()
        return None if row is None else date.fromisoformat(row[0])

    def asked_on(self, day: date) -> date:
        """Remember that the list is asked on that day; give the latest day on which it was, this one included."""
        latest = self.latest_day()
        if latest is None or latest < day:
            statement = "INSERT INTO latest_day VALUES (1, ?) ON CONFLICT DO UPDATE SET day = max(day, excluded.day)"
            self._connection.execute(statement, (day.isoformat(),))
        return day if latest is None else max(latest, day)

    def forget_latest_day(self) -> None:
        """Forget the days on which the list was asked, as after a clock that was wrong."""
        self._connection.execute("DELETE FROM latest_day")

    def opt_out(self, wanted: Iterable[Entry]) -> int:
        """Add opt-outs, those that change nothing left out, all or none; give how many were added."""
        with self._connection as tx:
            tx.execute("BEGIN IMMEDIATE")
            fresh = new_entries(self.entries(), wanted)
            self._insert(fresh)
        return len(fresh)

    def revoke(self, revocations: Iterable[Entry]) -> None:
        """Add revocations, all or none."""
        with self._connection as tx:
            tx.execute("BEGIN IMMEDIATE")
            self._insert(revocations)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _insert(self, entries: Iterable[Entry]) -> None:
        self._connection.executemany(
            f"INSERT INTO entries ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
            map(_row, entries),
        )


def open_opt_outs(folder: Path) -> OptOutList:
    """Open the list in the node's folder, made now if there is none."""
    path = folder / FILE_NAME
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.executescript(_SCHEMA)
    return OptOutList(connection)


def _row(entry: Entry) -> tuple[str | None, ...]:
    until_day = None if entry.until_day is None else entry.until_day.isoformat()
    days = (entry.from_day.isoformat(), until_day)
    return entry.act.value, entry.record_id, *days, entry.project, entry.reason.value, to_text(entry.entered_at)


def _entry(row: tuple[str, str, str, str | None, str | None, str, str]) -> Entry:
    act, record_id, from_day, until_day, project, reason, entered_at = row
    return Entry(
        act=Act(act),
        record_id=record_id,
        from_day=date.fromisoformat(from_day),
        until_day=None if until_day is None else date.fromisoformat(until_day),
        project=None if project is None else ProjectId(project),
        reason=Reason(reason),
        entered_at=datetime.fromisoformat(entered_at),
    )
