"""Answers of providers and their chunks in SQL."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from isthmus.contract.errors import AlreadyExists, StateChanged, SubmissionConflict
from isthmus.contract.ids import PartyId, RoundId
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.records import AnswerChunkRow, AnswersRow
from isthmus.coordinator.store import tables as t
from isthmus.coordinator.store.sql_log import SqlLog


class SqlAnswers:
    """`AnswerTable` in SQL."""

    def __init__(self, connection: Connection, log: SqlLog) -> None:
        """Write through that connection's transaction and log."""
        self._connection = connection
        self._log = log

    def open(self, answers: AnswersRow, *, audit: AuditEvent) -> None:
        """Keep a declaration; raise `AlreadyExists` where the party has one about the other in this round."""
        try:
            self._connection.execute(insert(t.answers).values(**asdict(answers)))
        except IntegrityError as exc:
            raise AlreadyExists(kind="answers to round", id=answers.round_id) from exc
        self._log.append(audit)

    def find(self, round_id: RoundId, party: PartyId, other: PartyId) -> AnswersRow | None:
        """Give what the party declared about its pairs with the other, if it did."""
        row = self._connection.execute(select(t.answers).where(_own(t.answers, round_id, party, other))).first()
        return None if row is None else _answers(row)

    def of_round(self, round_id: RoundId) -> Sequence[AnswersRow]:
        """Give all declarations of a round by party and other."""
        c = t.answers.c
        query = select(t.answers).where(c.round_id == round_id).order_by(c.party, c.other)
        return [_answers(row) for row in self._connection.execute(query)]

    def add_chunk(self, chunk: AnswerChunkRow) -> None:
        """Record a chunk that is on disk; the same again changes nothing; raise `SubmissionConflict` for another."""
        c = t.answer_chunks.c
        place = _own(t.answer_chunks, chunk.round_id, chunk.party, chunk.other) & (c.index == chunk.index)
        known = self._connection.execute(select(c.digest).where(place)).scalar()
        if known is None:
            self._connection.execute(insert(t.answer_chunks).values(**asdict(chunk)))
        elif known != chunk.digest:
            raise SubmissionConflict(round_id=chunk.round_id, slot=f"chunk {chunk.index} of answers")

    def chunks(self, round_id: RoundId, party: PartyId, other: PartyId) -> Sequence[AnswerChunkRow]:
        """Give the stored chunks by index."""
        c = t.answer_chunks.c
        query = select(c.index, c.digest).where(_own(t.answer_chunks, round_id, party, other)).order_by(c.index)
        return [
            AnswerChunkRow(round_id=round_id, party=party, other=other, index=index, digest=digest)
            for index, digest in self._connection.execute(query)
        ]

    def chunk_count(self, round_id: RoundId, party: PartyId, other: PartyId) -> int:
        """Give how many chunks are stored."""
        own = _own(t.answer_chunks, round_id, party, other)
        return int(self._connection.execute(select(func.count()).where(own)).scalar_one())

    def complete(self, round_id: RoundId, party: PartyId, other: PartyId, *, audit: AuditEvent) -> None:
        """Close answers; raise `StateChanged` where there are none that are open."""
        change = update(t.answers).where(_open(round_id, party, other)).values(complete=True)
        if self._connection.execute(change).rowcount != 1:
            raise StateChanged(kind="answers to round", id=round_id)
        self._log.append(audit)

    def discard(
        self, round_id: RoundId, party: PartyId, other: PartyId, *, audit: AuditEvent
    ) -> Sequence[AnswerChunkRow]:
        """Forget answers that are not closed, and give their chunks; raise `StateChanged` where there are none."""
        dropped = self.chunks(round_id, party, other)
        if self._connection.execute(delete(t.answers).where(_open(round_id, party, other))).rowcount != 1:
            raise StateChanged(kind="answers to round", id=round_id)
        self._connection.execute(delete(t.answer_chunks).where(_own(t.answer_chunks, round_id, party, other)))
        self._log.append(audit)
        return dropped


def _own(table: Table, round_id: RoundId, party: PartyId, other: PartyId) -> ColumnElement[bool]:
    return (table.c.round_id == round_id) & (table.c.party == party) & (table.c.other == other)


def _open(round_id: RoundId, party: PartyId, other: PartyId) -> ColumnElement[bool]:
    return _own(t.answers, round_id, party, other) & t.answers.c.complete.is_(False)


def _answers(row: Row[Any]) -> AnswersRow:
    return AnswersRow(
        round_id=RoundId(row.round_id),
        party=PartyId(row.party),
        other=PartyId(row.other),
        document=row.document,
        signature=row.signature,
        complete=row.complete,
    )
