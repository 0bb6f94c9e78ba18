"""Vectors of the audit log: a chain of events, its checkpoint, an acknowledgement in it; made with our own code."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from isthmus.contract.audit_log import EMPTY, AuditEvent, Head, event_bytes, event_hash
from isthmus.contract.canonical import Label, sign
from isthmus.contract.checkpoint import (
    ACKNOWLEDGE,
    acknowledgement_bytes,
    head_text,
    new_checkpoint,
    sign_acknowledgement,
)
from isthmus.contract.ids import PartyId

Json = dict[str, Any]

SCOPE, PARTY = "demo", PartyId("riverside")
START: Final = datetime(2026, 1, 15, 12, tzinfo=UTC)
COORDINATOR: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
RIVERSIDE: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
HAPPENED: Final = (
    ("operator", "project.add", "demo", "5e" * 32),
    ("operator", "round.draft", "demo-0000000001", "a1" * 32),
    ("coordinator", "round.fault", "demo-0000000001", "näme “quoted” \\ and\ttab"),
)


def log_vectors() -> Json:
    """Give every event's bytes and hash, then the bytes and signatures of both statements about the log."""
    events: list[Json] = []
    head = EMPTY
    for number, (actor, action, about, outcome) in enumerate(HAPPENED):
        head = _add(events, head, number, actor=actor, action=action, about=about, outcome=outcome)
    signature = sign_acknowledgement(RIVERSIDE, scope=SCOPE, party=PARTY, head=head)
    acknowledged = acknowledgement_bytes(SCOPE, PARTY, head)
    text = head_text(head)
    head = _add(events, head, len(events), actor=PARTY, action=ACKNOWLEDGE, about=text, outcome=signature.hex())
    checkpoint = new_checkpoint(SCOPE, head, at="2026-01-15T13:00:00Z").to_bytes()
    return {
        "about": [
            "A log of a project (docs/protocol.md section 12). Made by scripts/make_vectors, confirmed by",
            "scripts/verify_vectors. Keys, hashes and signatures are hexadecimal; `bytes` are UTF-8 text.",
        ],
        "version": 1,
        "coordinator_key": _public(COORDINATOR),
        "identity_key": _public(RIVERSIDE),
        "events": events,
        "acknowledgement": {"bytes": acknowledged.decode(), "signature": signature.hex()},
        "checkpoint": {
            "bytes": checkpoint.decode(),
            "signature": sign(COORDINATOR, Label.CHECKPOINT, checkpoint).hex(),
        },
    }


def _add(events: list[Json], head: Head, number: int, *, actor: str, action: str, about: str, outcome: str) -> Head:
    at = START + timedelta(minutes=number)
    event = AuditEvent(scope=SCOPE, at=at, actor=actor, action=action, object=about, outcome=outcome)
    sequence = head.sequence + 1
    data = event_bytes(event, sequence=sequence, previous=head.hash)
    digest = event_hash(event, sequence=sequence, previous=head.hash)
    events.append({"bytes": data.decode(), "hash": digest.hex()})
    return Head(sequence=sequence, hash=digest)


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
