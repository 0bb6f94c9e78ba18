"""Submissions and chunks in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from isthmus.contract.errors import AlreadyExists, StateChanged, SubmissionConflict
from isthmus.contract.ids import PartyId, RoundId
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.records import ChunkRow, SubmissionRow
from isthmus.coordinator.store import tables as t
from isthmus.coordinator.store.sql_log import SqlLog


class SqlSubmissions:
    """`SubmissionTable` in SQL."""

    def __init__(self, connection: Connection, log: SqlLog) -> None:
        """Write through that connection's transaction and log."""
        self._connection = connection
        self._log = log

    def open(self, submission: SubmissionRow, *, audit: AuditEvent) -> None:
        """Keep a declared submission; raise `AlreadyExists` where the party has one in this round."""
        row = {"round_id": submission.round_id, "party": submission.party, "document": submission.document}
        try:
            self._connection.execute(insert(t.submissions).values(**row, signature=submission.signature))
        except IntegrityError as exc:
            raise AlreadyExists(kind="submission to round", id=submission.round_id) from exc
        self._log.append(audit)

    def find(self, round_id: RoundId, party: PartyId) -> SubmissionRow | None:
        """Give the party's submission in the round, if there is one."""
        own = (t.submissions.c.round_id == round_id) & (t.submissions.c.party == party)
        row = self._connection.execute(select(t.submissions).where(own)).first()
        return None if row is None else _submission(row)

    def of_round(self, round_id: RoundId) -> Sequence[SubmissionRow]:
        """Give all submissions of a round by party."""
        query = select(t.submissions).where(t.submissions.c.round_id == round_id).order_by(t.submissions.c.party)
        return [_submission(row) for row in self._connection.execute(query)]

    def add_chunk(self, chunk: ChunkRow) -> None:
        """Record a chunk that is on disk; the same again changes nothing; raise `SubmissionConflict` for another."""
        known = self.chunk_digest(chunk.round_id, chunk.party, chunk.index)
        if known == chunk.digest:
            return
        if known is not None:
            raise SubmissionConflict(round_id=chunk.round_id, slot=f"chunk {chunk.index}")
        row = {"round_id": chunk.round_id, "party": chunk.party, "index": chunk.index, "digest": chunk.digest}
        self._connection.execute(insert(t.chunks).values(**row))

    def chunk_digest(self, round_id: RoundId, party: PartyId, index: int) -> bytes | None:
        """Give the digest of the chunk that is stored at a place, if there is one."""
        c = t.chunks.c
        place = (c.round_id == round_id) & (c.party == party) & (c.index == index)
        return self._connection.execute(select(c.digest).where(place)).scalar()

    def chunks(self, round_id: RoundId, party: PartyId) -> Sequence[ChunkRow]:
        """Give the stored chunks by index."""
        own = (t.chunks.c.round_id == round_id) & (t.chunks.c.party == party)
        query = select(t.chunks.c.index, t.chunks.c.digest).where(own).order_by(t.chunks.c.index)
        return [
            ChunkRow(round_id=round_id, party=party, index=index, digest=digest)
            for index, digest in self._connection.execute(query)
        ]

    def complete(self, round_id: RoundId, party: PartyId, *, receipt: bytes, audit: AuditEvent) -> None:
        """Close a submission with its receipt; raise `StateChanged` where it is closed already."""
        s = t.submissions.c
        standing = (s.round_id == round_id) & (s.party == party) & s.receipt.is_(None)
        if self._connection.execute(update(t.submissions).where(standing).values(receipt=receipt)).rowcount != 1:
            raise StateChanged(kind="submission to round", id=round_id)
        self._log.append(audit)

    def discard(self, round_id: RoundId, party: PartyId, *, audit: AuditEvent) -> Sequence[ChunkRow]:
        """Forget a submission that is not closed, and its chunks; give those chunks whose blobs may go.

        These are the chunks whose content no other chunk has. Raise `StateChanged` where there is no open submission.
        """
        dropped = self.chunks(round_id, party)
        c, s = t.chunks.c, t.submissions.c
        standing = (s.round_id == round_id) & (s.party == party) & s.receipt.is_(None)
        if self._connection.execute(delete(t.submissions).where(standing)).rowcount != 1:
            raise StateChanged(kind="submission to round", id=round_id)
        self._connection.execute(delete(t.chunks).where((c.round_id == round_id) & (c.party == party)))
        self._log.append(audit)
        return [chunk for chunk in dropped if not self._is_used(chunk.digest)]

    def _is_used(self, digest: bytes) -> bool:
        return self._connection.execute(select(t.chunks.c.index).where(t.chunks.c.digest == digest)).first() is not None


def _submission(row: Row[Any]) -> SubmissionRow:
    return SubmissionRow(
        round_id=RoundId(row.round_id),
        party=PartyId(row.party),
        document=row.document,
        receipt=row.receipt,
        signature=row.signature,
    )
