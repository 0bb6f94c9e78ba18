"""What the acknowledgements in a log say about it: who was shown the same history. docs/protocol.md section 12."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from isthmus.contract.audit_log import Head, Link
from isthmus.contract.checkpoint import ACKNOWLEDGE, check_acknowledgement, head_from_text
from isthmus.contract.errors import MalformedDocument, SignatureInvalid
from isthmus.contract.ids import PartyId

HashAt = Callable[[int], bytes | None]
"""The hash of the event at a place in the chain in which an acknowledgement stands; none where it has no such event."""


class Said(StrEnum):
    """What an acknowledgement says of the chain in which it stands."""

    SAME = "same"
    """Its party signed that it was shown this very history, up to that place."""
    UNSURE = "unsure"
    """It is of this history, but under no key by which the reader knows the party: it proves nothing."""
    OTHER = "other"
    """Its party was shown another history, or the coordinator made it up: one of the two, so the log is not true."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """An acknowledgement in a log: whose, in which event, of which end, and what it says."""

    party: PartyId
    sequence: int
    head: Head
    said: Said


def read_acknowledgement(
    link: Link, *, keys: Mapping[PartyId, Collection[bytes]], hash_at: HashAt
) -> Acknowledged | None:
    """Give what an event acknowledges, none where it is no acknowledgement; `keys` are parties' identity keys."""
    event = link.event
    if event.action != ACKNOWLEDGE:
        return None
    party = PartyId(event.actor)
    try:
        head = head_from_text(event.object)
    except MalformedDocument:
        return Acknowledged(party=party, sequence=event.sequence, head=link.head, said=Said.OTHER)
    return Acknowledged(
        party=party, sequence=event.sequence, head=head, said=_said(link, party, head, keys.get(party, ()), hash_at)
    )


def _said(link: Link, party: PartyId, head: Head, keys: Collection[bytes], hash_at: HashAt) -> Said:
    if not 0 < head.sequence < link.event.sequence or hash_at(head.sequence) != head.hash:
        return Said.OTHER
    scope, signature = link.event.scope, _signature(link.event.outcome)
    return Said.SAME if any(_holds(key, signature, scope, party, head) for key in keys) else Said.UNSURE


def _holds(key: bytes, signature: bytes, scope: str, party: PartyId, head: Head) -> bool:
    try:
        check_acknowledgement(key, signature, scope=scope, party=party, head=head)
    except SignatureInvalid:
        return False
    return True


def _signature(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""
