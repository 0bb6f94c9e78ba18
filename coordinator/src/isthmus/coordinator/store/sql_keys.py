"""What providers send each other for a round's key, and projects' epochs, in SQL."""

from collections.abc import Sequence

from sqlalchemy import Connection, Table, delete, insert, select

from isthmus.contract.errors import SubmissionConflict
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.records import KeyDocumentRow
from isthmus.coordinator.store import tables as t
from isthmus.coordinator.store.sql_log import SqlLog


class SqlKeys:
    """`KeyTable` in SQL."""

    def __init__(self, connection: Connection, log: SqlLog) -> None:
        """Write through that connection's transaction and log."""
        self._connection = connection
        self._log = log

    def membership(self, project: ProjectId) -> bytes | None:
        """Give the project's last membership, canonical bytes, if a round was ever proposed."""
        query = select(t.memberships.c.document).where(t.memberships.c.project == project)
        return self._connection.execute(query).scalar()

    def set_membership(self, project: ProjectId, document: bytes, *, audit: AuditEvent) -> None:
        """Keep a membership in place of the one before."""
        self._connection.execute(delete(t.memberships).where(t.memberships.c.project == project))
        self._connection.execute(insert(t.memberships).values(project=project, document=document))
        self._log.append(audit)

    def add_wraps(self, wraps: KeyDocumentRow, *, audit: AuditEvent) -> None:
        """Keep a provider's wraps; the same again changes nothing; raise `SubmissionConflict` for others."""
        self._add(t.key_wraps, wraps, "its part of the key", audit)

    def wraps(self, round_id: RoundId) -> Sequence[KeyDocumentRow]:
        """Give the wraps of a round by party."""
        return self._all(t.key_wraps, round_id)

    def add_confirmation(self, confirmation: KeyDocumentRow, *, audit: AuditEvent) -> None:
        """Keep a provider's confirmation; the same again changes nothing; raise `SubmissionConflict` for another."""
        self._add(t.key_confirmations, confirmation, "its confirmation of the key", audit)

    def confirmations(self, round_id: RoundId) -> Sequence[KeyDocumentRow]:
        """Give the confirmations of a round by party."""
        return self._all(t.key_confirmations, round_id)

    def _add(self, table: Table, row: KeyDocumentRow, slot: str, audit: AuditEvent) -> None:
        own = (table.c.round_id == row.round_id) & (table.c.party == row.party)
        known = self._connection.execute(select(table.c.document).where(own)).scalar()
        if known == row.document:
            return
        if known is not None:
            raise SubmissionConflict(round_id=row.round_id, slot=slot)
        values = {"round_id": row.round_id, "party": row.party, "document": row.document}
        self._connection.execute(insert(table).values(**values))
        self._log.append(audit)

    def _all(self, table: Table, round_id: RoundId) -> Sequence[KeyDocumentRow]:
        query = select(table).where(table.c.round_id == round_id).order_by(table.c.party)
        return [
            KeyDocumentRow(round_id=RoundId(row.round_id), party=PartyId(row.party), document=row.document)
            for row in self._connection.execute(query)
        ]
