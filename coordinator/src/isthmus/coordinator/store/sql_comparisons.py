"""What was asked of providers about candidate pairs, in SQL."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.exc import IntegrityError

from isthmus.contract.errors import AlreadyExists
from isthmus.contract.ids import PartyId, RoundId
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.records import ComparisonRow
from isthmus.coordinator.store import tables as t
from isthmus.coordinator.store.sql_log import SqlLog


class SqlComparisons:
    """`ComparisonTable` in SQL."""

    def __init__(self, connection: Connection, log: SqlLog) -> None:
        """Write through that connection's transaction and log."""
        self._connection = connection
        self._log = log

    def add(self, comparison: ComparisonRow, *, audit: AuditEvent) -> None:
        """Keep what was asked of two providers; raise `AlreadyExists` where the round has that already."""
        try:
            self._connection.execute(insert(t.comparisons).values(**asdict(comparison)))
        except IntegrityError as exc:
            raise AlreadyExists(kind="comparison of round", id=comparison.round_id) from exc
        self._log.append(audit)

    def of_round(self, round_id: RoundId) -> Sequence[ComparisonRow]:
        """Give all of a round by left and right."""
        c = t.comparisons.c
        query = select(t.comparisons).where(c.round_id == round_id).order_by(c.left, c.right)
        return [_comparison(row) for row in self._connection.execute(query)]

    def set_own_pairs(self, round_id: RoundId, digest: bytes, *, audit: AuditEvent) -> None:
        """Keep the blob of pairs inside data sets that repeat people; raise `AlreadyExists` where there is one."""
        try:
            self._connection.execute(insert(t.own_pairs).values(round_id=round_id, digest=digest))
        except IntegrityError as exc:
            raise AlreadyExists(kind="comparison of round", id=round_id) from exc
        self._log.append(audit)

    def own_pairs(self, round_id: RoundId) -> bytes | None:
        """Give the digest of that blob, if there is one."""
        query = select(t.own_pairs.c.digest).where(t.own_pairs.c.round_id == round_id)
        return self._connection.execute(query).scalar()


def _comparison(row: Row[Any]) -> ComparisonRow:
    return ComparisonRow(
        round_id=RoundId(row.round_id),
        left=PartyId(row.left),
        right=PartyId(row.right),
        pairs=row.pairs,
        left_document=row.left_document,
        right_document=row.right_document,
        left_rows=row.left_rows,
        right_rows=row.right_rows,
        candidates=row.candidates,
    )
