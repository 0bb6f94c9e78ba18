"""Audit events: what happened, by whom, to what; chained by hash within one scope. docs/protocol.md section 12.

An event names ids, digests and counts. It holds no value of a record, no encoding, handle, pseudonym or key.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from isthmus.contract.canonical import canonical_bytes, sha256
from isthmus.contract.clock import to_text
from isthmus.contract.ids import COORDINATOR

COORDINATOR_SCOPE: Final = COORDINATOR
"""The scope of events that concern no project: parties, tokens, certificates."""

GENESIS: Final = bytes(32)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEvent:
    """One thing that was done. `scope` is a project id or "coordinator"; `actor` a party id or "coordinator".

    `action` is a short dotted name such as "round.sign"; `object` an id; `outcome` one plain sentence or word.
    """

    scope: str
    at: datetime
    actor: str
    action: str
    object: str
    outcome: str


def event_bytes(event: AuditEvent, *, sequence: int, previous: bytes) -> bytes:
    """Give the canonical bytes of an event at its place in the chain; `previous` is the hash before it, 32 bytes."""
    return canonical_bytes(
        {
            "format": "isthmus/audit-event/1",
            "scope": event.scope,
            "sequence": sequence,
            "previous": previous.hex(),
            "at": to_text(event.at),
            "actor": event.actor,
            "action": event.action,
            "object": event.object,
            "outcome": event.outcome,
        }
    )


def event_hash(event: AuditEvent, *, sequence: int, previous: bytes) -> bytes:
    """Give the event's hash, which the next event carries."""
    return sha256(event_bytes(event, sequence=sequence, previous=previous))
