"""The projects' logs as this node was shown them: every event, the last signed end, and what it refused to believe.

One SQLite file of its own, `log.sqlite`, mode 0600. It holds no record and nothing that derives from one.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from isthmus.contract.audit_log import EMPTY, Head, Link
from isthmus.contract.checkpoint import ACKNOWLEDGE
from isthmus.contract.ids import PartyId, ProjectId

LOG_NAME: Final = "log.sqlite"

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS events (
    project TEXT NOT NULL, sequence INTEGER NOT NULL, hash BLOB NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
    object TEXT NOT NULL, document BLOB NOT NULL, PRIMARY KEY (project, sequence)
) STRICT;
CREATE INDEX IF NOT EXISTS acknowledgements ON events (project, actor, object) WHERE action = 'log.acknowledge';
CREATE TABLE IF NOT EXISTS ends (
    project TEXT PRIMARY KEY, checkpoint BLOB NOT NULL, signature BLOB NOT NULL, coordinator_key BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS acknowledged (
    project TEXT PRIMARY KEY, sequence INTEGER NOT NULL, at TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS refusals (
    number INTEGER PRIMARY KEY, project TEXT NOT NULL, at TEXT NOT NULL, problem TEXT NOT NULL,
    accepted_at TEXT, reason TEXT, until INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS histories (
    refusal INTEGER NOT NULL REFERENCES refusals (number), side TEXT NOT NULL, checkpoint BLOB NOT NULL,
    signature BLOB NOT NULL, coordinator_key BLOB NOT NULL, PRIMARY KEY (refusal, side)
) STRICT;
CREATE TABLE IF NOT EXISTS old_events (
    refusal INTEGER NOT NULL REFERENCES refusals (number), side TEXT NOT NULL, sequence INTEGER NOT NULL,
    document BLOB NOT NULL, PRIMARY KEY (refusal, side, sequence)
) STRICT;
"""


class Side(StrEnum):
    """Of two histories that contradict each other, which."""

    KEPT = "kept"
    """What this node had been shown before."""
    SHOWN = "shown"
    """What it was shown then, and refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedEnd:
    """A checkpoint's canonical bytes, the coordinator's signature on it, and under which key; empty where none came."""

    checkpoint: bytes = b""
    signature: bytes = b""
    coordinator_key: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A history that this node did not believe, when, and why; once a person accepted it, when and for which reason.

    `until` is how many events the refused history had: what stands against it up to there was accepted with it.
    """

    number: int
    project: ProjectId
    at: str
    problem: str
    until: int
    accepted_at: str | None
    reason: str | None


class KeptLog:
    """An open file of kept logs. Made by `open_kept_log`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use that connection."""
        self._connection = connection

    def projects(self) -> tuple[ProjectId, ...]:
        """Give the projects of which this node was shown anything, in order."""
        query = "SELECT project FROM events UNION SELECT project FROM refusals ORDER BY project"
        return tuple(ProjectId(project) for (project,) in self._connection.execute(query))

    def head(self, project: ProjectId) -> Head:
        """Give the end of the kept chain."""
        query = "SELECT sequence, hash FROM events WHERE project = ? ORDER BY sequence DESC LIMIT 1"
        row = self._connection.execute(query, (project,)).fetchone()
        return Head(sequence=row[0], hash=row[1]) if row else EMPTY

    def hash_at(self, project: ProjectId, sequence: int) -> bytes | None:
        """Give the hash of the event at that place, if there is one."""
        query = "SELECT hash FROM events WHERE project = ? AND sequence = ?"
        row = self._connection.execute(query, (project, sequence)).fetchone()
        return bytes(row[0]) if row else None

    def events(self, project: ProjectId) -> list[bytes]:
        """Give all events in order, as they came."""
        query = "SELECT document FROM events WHERE project = ? ORDER BY sequence"
        return [bytes(document) for (document,) in self._connection.execute(query, (project,))]

    def end(self, project: ProjectId) -> SignedEnd:
        """Give the last signed end of the kept chain."""
        query = "SELECT checkpoint, signature, coordinator_key FROM ends WHERE project = ?"
        return _signed_end(self._connection.execute(query, (project,)).fetchone())

    def extend(self, project: ProjectId, links: Sequence[Link], *, after: Head, end: SignedEnd) -> bool:
        """Keep the next events and the signed end; change nothing, and say so, where the chain does not end at `after`.

        Then another program of this node was shown them first.
        """
        rows = [
            (project, one.head.sequence, one.head.hash, one.event.actor, one.event.action, one.event.object, one.data)
            for one in links
        ]
        with self._transaction() as tx:
            if self.head(project) != after:
                return False
            tx.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            row = (project, end.checkpoint, end.signature, end.coordinator_key)
            tx.execute("INSERT OR REPLACE INTO ends VALUES (?, ?, ?, ?)", row)
        return True

    def acknowledged(self, project: ProjectId) -> tuple[int, str]:
        """Give the place that this node acknowledged last, 0 for none, and when, "" for never."""
        row = self._connection.execute("SELECT sequence, at FROM acknowledged WHERE project = ?", (project,)).fetchone()
        return (int(row[0]), str(row[1])) if row else (0, "")

    def save_acknowledged(self, project: ProjectId, sequence: int, *, at: str) -> None:
        """Note that the coordinator took an acknowledgement; an earlier place changes nothing."""
        with self._transaction() as tx:
            tx.execute(
                "INSERT INTO acknowledged VALUES (?, ?, ?) ON CONFLICT DO UPDATE"
                " SET sequence = excluded.sequence, at = excluded.at WHERE excluded.sequence > sequence",
                (project, sequence, at),
            )

    def something_happened(self, project: ProjectId, *, since: int) -> bool:
        """Say whether there is an event after that place that is no acknowledgement."""
        query = "SELECT 1 FROM events WHERE project = ? AND sequence > ? AND action != ? LIMIT 1"
        return self._connection.execute(query, (project, since, ACKNOWLEDGE)).fetchone() is not None

    def has_acknowledgement(self, project: ProjectId, actor: PartyId, about: str) -> bool:
        """Say whether there is an acknowledgement of that party's of that end, as text."""
        query = (  # the action stands in it as it does in the index, which is used only then
            "SELECT 1 FROM events WHERE project = ? AND actor = ? AND object = ? AND action = 'log.acknowledge' LIMIT 1"
        )
        return self._connection.execute(query, (project, actor, about)).fetchone() is not None

    def refuse(
        self, project: ProjectId, shown: Sequence[bytes], *, at: str, problem: str, until: int, end: SignedEnd
    ) -> None:
        """Keep a history that is not believed, beside the kept one, with both signed ends, as evidence."""
        with self._transaction() as tx:
            found = tx.execute(
                "INSERT INTO refusals (project, at, problem, until) VALUES (?, ?, ?, ?)", (project, at, problem, until)
            )
            number = found.lastrowid
            for side, one in ((Side.KEPT, self.end(project)), (Side.SHOWN, end)):
                row = (number, side.value, one.checkpoint, one.signature, one.coordinator_key)
                tx.execute("INSERT INTO histories VALUES (?, ?, ?, ?, ?)", row)
            for side, documents in ((Side.KEPT, self.events(project)), (Side.SHOWN, shown)):
                rows = [(number, side.value, place, one) for place, one in enumerate(documents, start=1)]
                tx.executemany("INSERT INTO old_events VALUES (?, ?, ?, ?)", rows)

    def refusals(self, project: ProjectId) -> list[Refusal]:
        """Give the refusals of a project, the latest last."""
        query = (
            "SELECT number, project, at, problem, until, accepted_at, reason FROM refusals WHERE project = ?"
            " ORDER BY number"
        )
        names = ("number", "project", "at", "problem", "until", "accepted_at", "reason")
        return [Refusal(**dict(zip(names, row, strict=True))) for row in self._connection.execute(query, (project,))]

    def standing_refusal(self, project: ProjectId) -> Refusal | None:
        """Give the refusal that nobody here accepted yet, if there is one."""
        return next((one for one in self.refusals(project) if one.accepted_at is None), None)

    def history(self, refusal: Refusal, side: Side) -> tuple[list[bytes], SignedEnd]:
        """Give the events and the signed end of one side of a refusal."""
        where = (refusal.number, side.value)
        query = "SELECT document FROM old_events WHERE refusal = ? AND side = ? ORDER BY sequence"
        events = [bytes(document) for (document,) in self._connection.execute(query, where)]
        query = "SELECT checkpoint, signature, coordinator_key FROM histories WHERE refusal = ? AND side = ?"
        return events, _signed_end(self._connection.execute(query, where).fetchone())

    def accept(self, refusal: Refusal, *, at: str, reason: str) -> None:
        """Note why the refused history holds from now on, and begin anew; both histories stay with the refusal."""
        with self._transaction() as tx:
            accepted = "UPDATE refusals SET accepted_at = ?, reason = ? WHERE number = ?"
            tx.execute(accepted, (at, reason, refusal.number))
            for table in ("events", "ends", "acknowledged"):
                tx.execute(f"DELETE FROM {table} WHERE project = ?", (refusal.project,))  # noqa: S608 - names from above

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _signed_end(row: tuple[bytes, bytes, bytes] | None) -> SignedEnd:
    return SignedEnd(checkpoint=row[0], signature=row[1], coordinator_key=row[2]) if row else SignedEnd()


@contextmanager
def open_kept_log(folder: Path) -> Iterator[KeptLog]:
    """Open the kept logs of a node's folder, made now if there are none."""
    path = folder / LOG_NAME
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA busy_timeout = 30000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.executescript(_SCHEMA)
        yield KeptLog(connection)
    finally:
        connection.close()
