"""Struck-out rows in SQL."""

from collections.abc import Collection

from sqlalchemy import Connection, insert, select

from isthmus.contract.ids import PartyId, RoundId
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.store import tables as t
from isthmus.coordinator.store.sql_log import SqlLog


class SqlTombstones:
    """`TombstoneTable` in SQL."""

    def __init__(self, connection: Connection, log: SqlLog) -> None:
        """Write through that connection's transaction and log."""
        self._connection = connection
        self._log = log

    def add(self, round_id: RoundId, party: PartyId, handles: Collection[bytes], *, audit: AuditEvent) -> None:
        """Strike rows out; those struck out before change nothing, and where all were, nothing is recorded."""
        fresh = sorted(set(handles) - self.of(round_id, party))
        if fresh:
            rows = [{"round_id": round_id, "party": party, "handle": handle} for handle in fresh]
            self._connection.execute(insert(t.tombstones), rows)
            self._log.append(audit)

    def of(self, round_id: RoundId, party: PartyId) -> frozenset[bytes]:
        """Give the handles of the party's rows that are struck out."""
        own = (t.tombstones.c.round_id == round_id) & (t.tombstones.c.party == party)
        return frozenset(self._connection.execute(select(t.tombstones.c.handle).where(own)).scalars())
