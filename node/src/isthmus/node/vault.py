"""The vault: what this node signed, prepared and received, and which handle is which record. It never leaves the node.

One SQLite file, mode 0600, every change on disk before it counts. It holds record ids, so it is as confidential as the
source; it holds no names, dates or other values.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice
from pathlib import Path
from typing import Final

from isthmus.contract.errors import AlreadyExists
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.membership import Membership, membership_from_bytes
from isthmus.node.errors import RefusedByPolicy
from isthmus.node.kept_agreements import SCHEMA as AGREEMENTS_SCHEMA
from isthmus.node.kept_agreements import KeptAgreements

VAULT_NAME: Final = "vault.sqlite"

_ROWS_OF_A_STATEMENT: Final = 400
"""Two values each; SQLite 3.32 and newer take 32,766."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS shown (
    round_id TEXT PRIMARY KEY, manifest BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS signed (
    round_id TEXT PRIMARY KEY, manifest BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS memberships (
    project TEXT PRIMARY KEY, document BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS key_wraps (
    round_id TEXT NOT NULL, position INTEGER NOT NULL, document BLOB NOT NULL, PRIMARY KEY (round_id, position)
) STRICT;
CREATE TABLE IF NOT EXISTS prepared (
    round_id TEXT PRIMARY KEY, document BLOB NOT NULL, report TEXT NOT NULL,
    receipt BLOB, receipt_signature BLOB
) STRICT;
CREATE TABLE IF NOT EXISTS field_salts (round_id TEXT PRIMARY KEY, salt BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS handle_keys (project TEXT PRIMARY KEY, key_check BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS marks (
    round_id TEXT NOT NULL, mark TEXT NOT NULL, PRIMARY KEY (round_id, mark)
) STRICT;
CREATE TABLE IF NOT EXISTS rows (
    round_id TEXT NOT NULL, handle BLOB NOT NULL, record_id TEXT NOT NULL, pseudonym TEXT, slot INTEGER,
    PRIMARY KEY (round_id, handle)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS planted (
    round_id TEXT NOT NULL, person INTEGER NOT NULL, row_number INTEGER NOT NULL, handle BLOB NOT NULL,
    PRIMARY KEY (round_id, person)
) STRICT;
CREATE TABLE IF NOT EXISTS tombstones (
    round_id TEXT NOT NULL, handle BLOB NOT NULL, acknowledged INTEGER NOT NULL, PRIMARY KEY (round_id, handle)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS near_misses (
    round_id TEXT PRIMARY KEY, document BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS answers (
    round_id TEXT NOT NULL, other TEXT NOT NULL, request BLOB NOT NULL, document BLOB,
    complete INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (round_id, other)
) STRICT;
CREATE TABLE IF NOT EXISTS refusals (
    round_id TEXT NOT NULL, other TEXT NOT NULL, problem TEXT NOT NULL, PRIMARY KEY (round_id, other)
) STRICT;
"""


class Mark(StrEnum):
    """What this node did in a round, by its own account and not by the coordinator's."""

    CONFIRMED = "confirmed"
    """Its self-audit held the project's limit, and it went on to answer the preflight."""
    OPENED = "opened"
    """It told the coordinator of its submission; from then on there is no other one."""
    SENDING = "sending"
    """It began to send rows; who is left out from then on is struck out of what was sent."""
    REFUSED = "refused"
    """The coordinator took all rows and refused them; the same ones are not sent again."""
    ANSWERS_REFUSED = "answers-refused"
    """The coordinator took answers and refused them; the same ones are not sent again, and others must not be made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A prepared submission: its declaration's canonical bytes, the report of what leaves (JSON), and its receipt."""

    document: bytes
    report: str
    receipt: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Answers for the pairs with another provider: their declaration's canonical bytes, and whether all are sent."""

    document: bytes
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedRecord:
    """A record of this node's with the pseudonym that it got."""

    record_id: str
    pseudonym: str
    slot: int | None


class Vault:
    """An open vault. Made by `open_vault`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Use that connection."""
        self._connection = connection
        self.agreements = KeptAgreements(connection)

    def save_shown(self, round_id: RoundId, manifest: bytes) -> None:
        """Remember the terms that a person here was shown last."""
        with self._transaction() as tx:
            tx.execute("INSERT OR REPLACE INTO shown VALUES (?, ?)", (round_id, manifest))

    def shown_manifest(self, round_id: RoundId) -> bytes | None:
        """Give the terms that a person here was shown last, if any were."""
        row = self._connection.execute("SELECT manifest FROM shown WHERE round_id = ?", (round_id,)).fetchone()
        return None if row is None else bytes(row[0])

    def save_signed(self, round_id: RoundId, manifest: bytes) -> None:
        """Remember the manifest that is about to be signed; raise `RefusedByPolicy` where another one was."""
        with self._transaction() as tx:
            tx.execute("INSERT OR IGNORE INTO signed VALUES (?, ?)", (round_id, manifest))
        if self.signed_manifest(round_id) != manifest:
            raise RefusedByPolicy(round_id=round_id, problem="this node signed other terms for the same round before")

    def signed_manifest(self, round_id: RoundId) -> bytes | None:
        """Give the manifest that this node signed for the round, if it did."""
        row = self._connection.execute("SELECT manifest FROM signed WHERE round_id = ?", (round_id,)).fetchone()
        return None if row is None else bytes(row[0])

    def signed_manifests(self) -> list[bytes]:
        """Give every manifest that this node signed, by round id."""
        return [bytes(data) for (data,) in self._connection.execute("SELECT manifest FROM signed ORDER BY round_id")]

    def save_membership(self, project: ProjectId, membership: Membership) -> None:
        """Remember the epoch and keys of a project's members, in place of what was remembered before."""
        with self._transaction() as tx:
            tx.execute("INSERT OR REPLACE INTO memberships VALUES (?, ?)", (project, membership.to_bytes()))

    def membership(self, project: ProjectId) -> Membership | None:
        """Give the epoch and keys of a project's members that this node saw last, if it did."""
        row = self._connection.execute("SELECT document FROM memberships WHERE project = ?", (project,)).fetchone()
        return None if row is None else membership_from_bytes(row[0])

    def projects(self) -> tuple[ProjectId, ...]:
        """Give the projects whose members this node has seen in a round that it took part in, in order."""
        found = self._connection.execute("SELECT project FROM memberships ORDER BY project")
        return tuple(ProjectId(project) for (project,) in found)

    def save_key_wraps(self, round_id: RoundId, documents: Sequence[bytes]) -> None:
        """Keep every member's sealed part of a round's key; what is kept already stays."""
        with self._transaction() as tx:
            tx.executemany(
                "INSERT OR IGNORE INTO key_wraps VALUES (?, ?, ?)",
                ((round_id, position, document) for position, document in enumerate(documents)),
            )

    def key_wraps(self, round_id: RoundId) -> list[bytes]:
        """Give every member's sealed part of a round's key as it first came; empty before all had come."""
        query = "SELECT document FROM key_wraps WHERE round_id = ? ORDER BY position"
        return [bytes(document) for (document,) in self._connection.execute(query, (round_id,))]

    def drop_key_wraps(self, round_id: RoundId) -> None:
        """Let go of the sealed parts of a round's key."""
        with self._transaction() as tx:
            tx.execute("DELETE FROM key_wraps WHERE round_id = ?", (round_id,))

    def save_prepared(
        self, round_id: RoundId, *, document: bytes, report: str, rows: Iterable[tuple[bytes, str | int]]
    ) -> None:
        """Keep a prepared submission; raise `AlreadyExists` where there is one.

        `rows` are handles in the order in which they are sent, each with its record id, or the number of the planted
        person that it is.
        """
        planted: list[tuple[RoundId, int, int, bytes]] = []

        def records() -> Iterator[tuple[bytes, str]]:
            for number, (handle, whose) in enumerate(rows):
                if isinstance(whose, str):
                    yield handle, whose
                else:
                    planted.append((round_id, whose, number, handle))

        with self._transaction() as tx:
            done = tx.execute(
                "INSERT OR IGNORE INTO prepared VALUES (?, ?, ?, NULL, NULL)", (round_id, document, report)
            )
            if done.rowcount != 1:
                raise AlreadyExists(kind="prepared submission for round", id=round_id)
            _insert_rows(tx, round_id, records())
            tx.executemany("INSERT INTO planted VALUES (?, ?, ?, ?)", planted)

    def drop_prepared(self, round_id: RoundId) -> None:
        """Forget a submission of which nothing was sent, with its handles."""
        with self._transaction() as tx:
            tx.execute("DELETE FROM prepared WHERE round_id = ?", (round_id,))
            _delete_rows(tx, round_id)

    def drop_handles(self, round_id: RoundId) -> None:
        """Forget which handle is which record, in a round that ended without a result; what left is still known."""
        with self._transaction() as tx:
            _delete_rows(tx, round_id)

    def save_field_salt(self, round_id: RoundId, salt: bytes) -> None:
        """Keep the salt under which the fields of a round are about to be encrypted, in place of one before."""
        with self._transaction() as tx:
            tx.execute("INSERT OR REPLACE INTO field_salts VALUES (?, ?)", (round_id, salt))

    def field_salt(self, round_id: RoundId) -> bytes:
        """Give that salt; empty where an earlier version of this program prepared the round."""
        row = self._connection.execute("SELECT salt FROM field_salts WHERE round_id = ?", (round_id,)).fetchone()
        return b"" if row is None else bytes(row[0])

    def save_handle_check(self, project: ProjectId, check: bytes | None) -> None:
        """Remember by which key the row handles of a project are made, in place of another; none forgets it."""
        with self._transaction() as tx:
            tx.execute("DELETE FROM handle_keys WHERE project = ?", (project,))
            if check is not None:
                tx.execute("INSERT INTO handle_keys VALUES (?, ?)", (project, check))

    def handle_check(self, project: ProjectId) -> bytes | None:
        """Give the check value of the key that made a project's row handles, if this node made some."""
        row = self._connection.execute("SELECT key_check FROM handle_keys WHERE project = ?", (project,)).fetchone()
        return None if row is None else bytes(row[0])

    def mark(self, round_id: RoundId, mark: Mark) -> None:
        """Remember that something was done in a round."""
        with self._transaction() as tx:
            tx.execute("INSERT OR IGNORE INTO marks VALUES (?, ?)", (round_id, mark.value))

    def marked(self, round_id: RoundId, mark: Mark) -> bool:
        """Say whether it was done."""
        query = "SELECT 1 FROM marks WHERE round_id = ? AND mark = ?"
        return self._connection.execute(query, (round_id, mark.value)).fetchone() is not None

    def prepared(self, round_id: RoundId) -> Prepared | None:
        """Give the round's prepared submission, if there is one."""
        query = "SELECT document, report, receipt FROM prepared WHERE round_id = ?"
        row = self._connection.execute(query, (round_id,)).fetchone()
        return None if row is None else Prepared(document=row[0], report=row[1], receipt=row[2])

    def save_receipt(self, round_id: RoundId, *, receipt: bytes, signature: bytes) -> None:
        """Keep the coordinator's receipt and its signature."""
        with self._transaction() as tx:
            tx.execute(
                "UPDATE prepared SET receipt = ?, receipt_signature = ? WHERE round_id = ?",
                (receipt, signature, round_id),
            )

    def save_pseudonyms(self, round_id: RoundId, rows: Sequence[tuple[bytes, str, int | None]]) -> None:
        """Note the pseudonym and slot of each handle, in place of any noted before.

        Raises:
            RefusedByPolicy: a handle is not one of this node's rows; then nothing changes.
        """
        with self._transaction() as tx:
            clear = "UPDATE rows SET pseudonym = NULL, slot = NULL WHERE round_id = ? AND pseudonym IS NOT NULL"
            tx.execute(clear, (round_id,))
            done = tx.executemany(
                "UPDATE rows SET pseudonym = ?, slot = ? WHERE round_id = ? AND handle = ?",
                ((pseudonym, slot, round_id, handle) for handle, pseudonym, slot in rows),
            )
            if rows and done.rowcount != len(rows):
                raise RefusedByPolicy(round_id=round_id, problem="the coordinator sent IDs for rows not of this node")

    def linked_records(self, round_id: RoundId) -> Iterator[LinkedRecord]:
        """Give the records that have a pseudonym, by record id."""
        query = (
            "SELECT record_id, pseudonym, slot FROM rows"
            " WHERE round_id = ? AND pseudonym IS NOT NULL ORDER BY record_id"
        )
        for record_id, pseudonym, slot in self._connection.execute(query, (round_id,)):
            yield LinkedRecord(record_id=record_id, pseudonym=pseudonym, slot=slot)

    def record_ids(self, round_id: RoundId) -> dict[bytes, str]:
        """Give the record id behind each handle of the round."""
        query = "SELECT handle, record_id FROM rows WHERE round_id = ?"
        return dict(self._connection.execute(query, (round_id,)))

    def planted_rows(self, round_id: RoundId) -> dict[bytes, int]:
        """Give handle and row number of each planted person of the round, by person; row numbers count from 0."""
        query = "SELECT handle, row_number FROM planted WHERE round_id = ? ORDER BY person"
        return dict(self._connection.execute(query, (round_id,)))

    def tombstones(self, round_id: RoundId) -> dict[bytes, bool]:
        """Give the handles that this node asked to strike out of the round, and whether the coordinator said it did."""
        query = "SELECT handle, acknowledged FROM tombstones WHERE round_id = ?"
        return {handle: bool(said) for handle, said in self._connection.execute(query, (round_id,))}

    def save_tombstones(self, round_id: RoundId, handles: Iterable[bytes], *, acknowledged: bool) -> None:
        """Note handles before they are sent, and once more when the coordinator acknowledged them."""
        with self._transaction() as tx:
            tx.executemany(
                "INSERT INTO tombstones VALUES (?, ?, ?)"
                " ON CONFLICT DO UPDATE SET acknowledged = max(acknowledged, excluded.acknowledged)",
                ((round_id, handle, acknowledged) for handle in handles),
            )

    def bind_request(self, round_id: RoundId, other: PartyId, request: bytes) -> bool:
        """Remember for which request (SHA-256) this node answers about another provider; say whether it is that one."""
        with self._transaction() as tx:
            tx.execute(
                "INSERT OR IGNORE INTO answers (round_id, other, request) VALUES (?, ?, ?)", (round_id, other, request)
            )
        query = "SELECT request FROM answers WHERE round_id = ? AND other = ?"
        return bytes(self._connection.execute(query, (round_id, other)).fetchone()[0]) == request

    def save_declared(self, round_id: RoundId, other: PartyId, document: bytes) -> None:
        """Keep the declaration of answers for a request that was bound; raise `AlreadyExists` where there is one."""
        with self._transaction() as tx:
            done = tx.execute(
                "UPDATE answers SET document = ? WHERE round_id = ? AND other = ? AND document IS NULL",
                (document, round_id, other),
            )
            if done.rowcount != 1:
                raise AlreadyExists(kind="declaration of answers for round", id=round_id)

    def declared(self, round_id: RoundId, other: PartyId) -> Declared | None:
        """Give the declaration of answers about another provider, if there is one."""
        query = "SELECT document, complete FROM answers WHERE round_id = ? AND other = ? AND document IS NOT NULL"
        row = self._connection.execute(query, (round_id, other)).fetchone()
        return None if row is None else Declared(document=bytes(row[0]), complete=bool(row[1]))

    def close_answers(self, round_id: RoundId, other: PartyId) -> None:
        """Remember that all answers about another provider were taken."""
        with self._transaction() as tx:
            tx.execute("UPDATE answers SET complete = 1 WHERE round_id = ? AND other = ?", (round_id, other))

    def save_refusal(self, round_id: RoundId, other: PartyId, problem: str) -> bool:
        """Remember why a request was refused; say whether none was before."""
        with self._transaction() as tx:
            new = tx.execute("INSERT OR IGNORE INTO refusals VALUES (?, ?, ?)", (round_id, other, problem))
            return new.rowcount == 1

    def refusal(self, round_id: RoundId, other: PartyId) -> str | None:
        """Give why a request about another provider was refused, if one was."""
        query = "SELECT problem FROM refusals WHERE round_id = ? AND other = ?"
        row = self._connection.execute(query, (round_id, other)).fetchone()
        return None if row is None else str(row[0])

    def save_near_misses(self, round_id: RoundId, document: bytes) -> bytes:
        """Keep what this node says of near misses in a round, unless it is kept already; give what is kept."""
        with self._transaction() as tx:
            tx.execute("INSERT OR IGNORE INTO near_misses VALUES (?, ?)", (round_id, document))
        return self.near_misses(round_id) or document

    def near_misses(self, round_id: RoundId) -> bytes | None:
        """Give what this node says of near misses in a round, if that is settled."""
        row = self._connection.execute("SELECT document FROM near_misses WHERE round_id = ?", (round_id,)).fetchone()
        return None if row is None else bytes(row[0])

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


def _delete_rows(tx: sqlite3.Connection, round_id: RoundId) -> None:
    for table in ("rows", "planted"):
        tx.execute(f"DELETE FROM {table} WHERE round_id = ?", (round_id,))  # noqa: S608 - names of tables, from above


def _insert_rows(tx: sqlite3.Connection, round_id: RoundId, rows: Iterable[tuple[bytes, str]]) -> None:
    """Insert (handle, record id) pairs, many a statement: half the time of a statement each."""
    pairs = iter(rows)
    while some := list(islice(pairs, _ROWS_OF_A_STATEMENT)):
        places = ", ".join(["(?1, ?, ?, NULL, NULL)"] * len(some))
        # What is put into the text is made above, of nothing that came from outside.
        tx.execute(f"INSERT INTO rows VALUES {places}", (round_id, *chain.from_iterable(some)))  # noqa: S608


def open_vault(path: Path) -> Vault:
    """Open the vault file, made now if there is none."""
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.executescript(_SCHEMA + AGREEMENTS_SCHEMA)
    return Vault(connection)
