"""The hash-chained log in SQL."""

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from isthmus.contract.audit_log import EMPTY, AuditEvent, Head, event_bytes, event_hash
from isthmus.contract.ids import PartyId
from isthmus.coordinator.store import tables as t


class SqlLog:
    """`LogTable` in SQL; appends events to the chain of their scope."""

    def __init__(self, connection: Connection) -> None:
        """Write through that connection's transaction."""
        self._connection = connection

    def append(self, event: AuditEvent) -> None:
        """Put the event at the end of its scope's chain."""
        end = self.head(event.scope)
        sequence, previous = end.sequence + 1, end.hash
        self._connection.execute(
            insert(t.events).values(
                scope=event.scope,
                sequence=sequence,
                hash=event_hash(event, sequence=sequence, previous=previous),
                document=event_bytes(event, sequence=sequence, previous=previous),
            )
        )

    def head(self, scope: str) -> Head:
        """Give the end of a scope's chain."""
        own = select(t.events.c.sequence, t.events.c.hash).where(t.events.c.scope == scope)
        last = self._connection.execute(own.order_by(t.events.c.sequence.desc()).limit(1)).first()
        return Head(sequence=last.sequence, hash=last.hash) if last else EMPTY

    def hash_at(self, scope: str, sequence: int) -> bytes | None:
        """Give the hash of the event at that place in a scope's chain, if it has one."""
        place = (t.events.c.scope == scope) & (t.events.c.sequence == sequence)
        found: bytes | None = self._connection.execute(select(t.events.c.hash).where(place)).scalar()
        return found

    def scopes(self) -> Sequence[str]:
        """Give the scopes that have an event, in order."""
        return list(self._connection.execute(select(t.events.c.scope).distinct().order_by(t.events.c.scope)).scalars())

    def events(self, scope: str, *, after: int = 0, most: int | None = None) -> Sequence[bytes]:
        """Give the canonical bytes of a scope's events in order, those up to the place `after` left out."""
        own = (t.events.c.scope == scope) & (t.events.c.sequence > after)
        query = select(t.events.c.document).where(own).order_by(t.events.c.sequence).limit(most)
        return list(self._connection.execute(query).scalars())

    def acknowledged(self, scope: str, party: PartyId) -> int:
        """Give the place in a scope's chain that the party acknowledged last; 0 where it did not yet."""
        own = (t.acknowledgements.c.scope == scope) & (t.acknowledgements.c.party == party)
        found: int | None = self._connection.execute(select(t.acknowledgements.c.sequence).where(own)).scalar()
        return found or 0

    def acknowledge(self, scope: str, party: PartyId, sequence: int, *, audit: AuditEvent) -> None:
        """Note the place that the party acknowledged, instead of any before."""
        own = (t.acknowledgements.c.scope == scope) & (t.acknowledgements.c.party == party)
        self._connection.execute(delete(t.acknowledgements).where(own))
        self._connection.execute(insert(t.acknowledgements).values(scope=scope, party=party, sequence=sequence))
        self.append(audit)
