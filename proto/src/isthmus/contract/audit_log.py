"""Audit events: what happened, by whom, to what; chained by hash within one scope. docs/protocol.md section 12.

An event names ids, digests and counts. It holds no value of a record, no encoding, handle, pseudonym or key. Every
provider of a project can read the project's events, so a number of people that some of them may not know stands in
them as a band.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from isthmus.contract.canonical import HASH_BYTES, canonical_bytes, read_canonical, sha256
from isthmus.contract.clock import to_text
from isthmus.contract.errors import MalformedDocument

EVENT_FORMAT: Final = "isthmus/audit-event/1"

GENESIS: Final = bytes(HASH_BYTES)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The end of a chain: how many events it has, and the hash of the last one, 32 bytes."""

    sequence: int
    hash: bytes


EMPTY: Final = Head(sequence=0, hash=GENESIS)
"""The end of a chain that has no event yet."""


class LoggedEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event at its place in a chain; `previous` is the hash of the one before it, in hex."""

    format: str
    scope: str
    sequence: int
    previous: str
    at: str
    actor: str
    action: str
    object: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An event of a chain: what it says, its canonical bytes, and the chain's end at it."""

    event: LoggedEvent
    data: bytes
    head: Head


def event_bytes(event: AuditEvent, *, sequence: int, previous: bytes) -> bytes:
    """Give the canonical bytes of an event at its place in the chain; `previous` is the hash before it, 32 bytes."""
    return canonical_bytes(
        {
            "format": EVENT_FORMAT,
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


def check_chain(events: Iterable[bytes], *, scope: str, head: Head = EMPTY) -> Iterator[Link]:
    """Give the events one by one, each checked to be the next in the scope's chain after `head`.

    Raises:
        MalformedDocument: one is no event, of another scope, or not the next; nothing after it is given.
        UnsupportedVersion: another version of this program wrote one.
    """
    for data in events:
        place = f"event {head.sequence + 1} of the log of {scope}"
        event = read_canonical(data, LoggedEvent, document=place, version=EVENT_FORMAT)
        if (event.scope, event.sequence) != (scope, head.sequence + 1):
            raise MalformedDocument(document=place, problem="another event stands in its place")
        if event.previous != head.hash.hex():
            raise MalformedDocument(document=place, problem="it does not follow from the event before it")
        head = Head(sequence=event.sequence, hash=sha256(data))
        yield Link(event=event, data=data, head=head)
