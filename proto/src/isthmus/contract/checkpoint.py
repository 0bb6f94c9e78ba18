"""Signed statements about how long a log is and how it ends. docs/protocol.md section 12.

A *checkpoint* is the coordinator's: two that contradict each other prove, to anybody, that it showed two histories. An
*acknowledgement* is a provider's: "this is the history that I was shown". It stands in the log itself, so that each
provider can hold those of the others against the history that it was shown itself.
"""

from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isthmus.contract.audit_log import Head
from isthmus.contract.canonical import HASH_BYTES, Label, canonical_bytes, read_canonical, sign, verify
from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import PartyId

CHECKPOINT_FORMAT: Final = "isthmus/checkpoint/1"
ACKNOWLEDGEMENT_FORMAT: Final = "isthmus/log-acknowledgement/1"
ACKNOWLEDGE: Final = "log.acknowledge"
"""The action of the event that holds an acknowledgement."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a scope's log is at a time, and the hash (hex) of its last event."""

    format: str
    scope: str
    sequence: int
    head: str
    at: str

    def to_bytes(self) -> bytes:
        """Give the canonical bytes."""
        return canonical_bytes(msgspec.to_builtins(self))

    def end(self) -> Head:
        """Give the end of the chain that it tells of."""
        return Head(sequence=self.sequence, hash=bytes.fromhex(self.head))


def new_checkpoint(scope: str, head: Head, *, at: str) -> Checkpoint:
    """Give the checkpoint of a chain's end; `at` is the time as text."""
    return Checkpoint(format=CHECKPOINT_FORMAT, scope=scope, sequence=head.sequence, head=head.hash.hex(), at=at)


def read_checkpoint(data: bytes, signature: bytes, *, scope: str, coordinator_key: bytes) -> Checkpoint:
    """Read a checkpoint of that scope.

    Raises:
        MalformedDocument: it is none, or of another scope.
        UnsupportedVersion: another version of this program wrote it.
        SignatureInvalid: the coordinator did not sign it.
    """
    verify(coordinator_key, Label.CHECKPOINT, data, signature)
    checkpoint = read_canonical(data, Checkpoint, document="checkpoint", version=CHECKPOINT_FORMAT)
    if checkpoint.scope != scope:
        raise MalformedDocument(document="checkpoint", problem="it is of another log")
    if checkpoint.sequence < 0 or not _is_hash(checkpoint.head):
        raise MalformedDocument(document="checkpoint", problem="it names no end of a chain")
    return checkpoint


def sign_acknowledgement(key: Ed25519PrivateKey, *, scope: str, party: PartyId, head: Head) -> bytes:
    """Give the party's signature on the end of the history that it was shown, 64 bytes."""
    return sign(key, Label.LOG_ACKNOWLEDGEMENT, acknowledgement_bytes(scope, party, head))


def check_acknowledgement(key: bytes, signature: bytes, *, scope: str, party: PartyId, head: Head) -> None:
    """Return only if the party acknowledged that end; raise `SignatureInvalid` otherwise."""
    verify(key, Label.LOG_ACKNOWLEDGEMENT, acknowledgement_bytes(scope, party, head), signature)


def acknowledgement_bytes(scope: str, party: PartyId, head: Head) -> bytes:
    """Give the canonical bytes of what a party signs; all of it follows from the event that holds the signature."""
    return canonical_bytes(
        {
            "format": ACKNOWLEDGEMENT_FORMAT,
            "scope": scope,
            "party": party,
            "sequence": head.sequence,
            "head": head.hash.hex(),
        }
    )


def head_text(head: Head) -> str:
    """Give an end of a chain as it stands in the event of an acknowledgement."""
    return f"{head.sequence}:{head.hash.hex()}"


def head_from_text(text: str) -> Head:
    """Read an end of a chain; raise `MalformedDocument` where it is none."""
    sequence, _, digest = text.partition(":")
    if not (sequence.isascii() and sequence.isdigit() and len(sequence) < 16 and _is_hash(digest)):
        raise MalformedDocument(document="acknowledgement", problem="it names no end of a chain")
    return Head(sequence=int(sequence), hash=bytes.fromhex(digest))


def _is_hash(text: str) -> bool:
    return len(text) == 2 * HASH_BYTES and set(text) <= set("0123456789abcdef")
