"""The hash-chained log in SQL."""

from collections.abc import Sequence

from sqlalchemy import Connection, insert, select

from isthmus.coordinator.domain.audit import GENESIS, AuditEvent, event_bytes, event_hash
from isthmus.coordinator.store import tables as t


class SqlLog:
    """Appends events to the chain of their scope."""

    def __init__(self, connection: Connection) -> None:
        """Write through that connection's transaction."""
        self._connection = connection

    def append(self, event: AuditEvent) -> None:
        """Put the event at the end of its scope's chain."""
        last = self._connection.execute(
            select(t.events.c.sequence, t.events.c.hash)
            .where(t.events.c.scope == event.scope)
            .order_by(t.events.c.sequence.desc())
            .limit(1)
        ).first()
        sequence, previous = (last.sequence + 1, last.hash) if last else (1, GENESIS)
        self._connection.execute(
            insert(t.events).values(
                scope=event.scope,
                sequence=sequence,
                hash=event_hash(event, sequence=sequence, previous=previous),
                document=event_bytes(event, sequence=sequence, previous=previous),
            )
        )

    def events(self, scope: str) -> Sequence[bytes]:
        """Give the canonical bytes of a scope's events in order."""
        query = select(t.events.c.document).where(t.events.c.scope == scope).order_by(t.events.c.sequence)
        return list(self._connection.execute(query).scalars())
