"""Known rows of longitudinal projects and changes of IDs in SQL."""

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, delete, insert, select
from sqlalchemy.exc import IntegrityError

from isthmus.contract.errors import AlreadyExists
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.records import KnownRow
from isthmus.coordinator.store import tables as t
from isthmus.coordinator.store.sql_log import SqlLog


class SqlCarried:
    """`CarriedTable` in SQL."""

    def __init__(self, connection: Connection, log: SqlLog) -> None:
        """Write through that connection's transaction and log."""
        self._connection = connection
        self._log = log

    def known(self, project: ProjectId) -> Sequence[KnownRow]:
        """Give what is known of every provider that ever had rows in a result, by party."""
        query = select(t.known_rows).where(t.known_rows.c.project == project).order_by(t.known_rows.c.party)
        return [
            KnownRow(party=PartyId(row.party), number=row.number, digest=bytes(row.digest))
            for row in self._connection.execute(query)
        ]

    def carry(
        self,
        project: ProjectId,
        round_id: RoundId,
        *,
        known: Sequence[KnownRow],
        changes: Mapping[PartyId, bytes],
        audit: AuditEvent,
    ) -> None:
        """Keep what is known in place of what was, and a round's changes; raise `AlreadyExists` where it has some."""
        for one in known:
            own = (t.known_rows.c.project == project) & (t.known_rows.c.party == one.party)
            self._connection.execute(delete(t.known_rows).where(own))
            row = {"project": project, "party": one.party, "number": one.number, "digest": one.digest}
            self._connection.execute(insert(t.known_rows).values(**row))
        try:
            for party, digest in changes.items():
                self._connection.execute(insert(t.id_changes).values(round_id=round_id, party=party, digest=digest))
        except IntegrityError as exc:
            raise AlreadyExists(kind="changes of IDs of round", id=round_id) from exc
        self._log.append(audit)

    def changes(self, round_id: RoundId, party: PartyId) -> bytes | None:
        """Give the digest of the blob of a provider's rows whose IDs the round changed, if there is one."""
        own = (t.id_changes.c.round_id == round_id) & (t.id_changes.c.party == party)
        return self._connection.execute(select(t.id_changes.c.digest).where(own)).scalar()
