"""Canonical bytes, hashes and signatures of the documents that parties must agree on.

A document's canonical bytes are its JSON by RFC 8785 (JCS). Its identity is the SHA-256 of those bytes. A signature is
Ed25519 (RFC 8032) over a domain-separation label, a zero byte and the canonical bytes, so that a signature on one kind
of document can never pass for another. docs/protocol.md section 3.
"""

import hashlib
import hmac
from enum import StrEnum
from typing import Any, Final, TypeVar

import msgspec
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from isthmus.contract.errors import MalformedDocument, MalformedMessage, SignatureInvalid, UnsupportedVersion

T = TypeVar("T", bound=msgspec.Struct)

HASH_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
IDENTITY_KEY_BYTES: Final = 32


class Label(StrEnum):
    """What is being signed; the value is the domain-separation label."""

    AGREEMENT = "isthmus/agreement/1"
    AGREEMENT_WITHDRAWAL = "isthmus/agreement-withdrawal/1"
    ROUND_MANIFEST = "isthmus/round-manifest/1"
    SUBMISSION = "isthmus/submission/1"
    RECEIPT = "isthmus/receipt/1"
    COMPARISON_REQUEST = "isthmus/comparison-request/1"
    COMPARISON_ANSWERS = "isthmus/comparison-answers/1"
    TOMBSTONES = "isthmus/tombstones/1"
    IDENTITY_PROOF = "isthmus/identity-proof/1"
    AGREEMENT_KEY = "isthmus/agreement-key/1"
    KEY_WRAPS = "isthmus/key-wraps/1"
    KEY_CONFIRMATION = "isthmus/key-confirmation/1"
    CHECKPOINT = "isthmus/checkpoint/1"
    LOG_ACKNOWLEDGEMENT = "isthmus/log-acknowledgement/1"


def canonical_bytes(document: dict[str, Any]) -> bytes:
    """Give the RFC 8785 bytes of a JSON object; raise `ValueError` where it holds what JSON cannot."""
    return rfc8785.dumps(document)


class _Versioned(msgspec.Struct, frozen=True):
    format: str


def check_version(found: str, known: str, *, document: str) -> None:
    """Return only if a document has the format that this version knows; raise `UnsupportedVersion` otherwise."""
    if found != known:
        raise UnsupportedVersion(document=document, version=found[:60])


def read_canonical(data: bytes, kind: type[T], *, document: str, version: str | None = None) -> T:
    """Read a document of that type from its canonical bytes.

    `version` is the format that it has to have. It is looked at first: what another version made differs in its keys.

    Raises:
        UnsupportedVersion: it says another format than `version`.
        MalformedDocument: the bytes are none of that type (msgspec names keys and types, never contents), or are not
            in canonical form, which also holds for whatever has no canonical form.
    """
    try:
        if version is not None:
            check_version(msgspec.json.decode(data, type=_Versioned).format, version, document=document)
        value = msgspec.json.decode(data, type=kind)
        canonical = canonical_bytes(msgspec.to_builtins(value))
    except msgspec.MsgspecError as exc:
        raise MalformedDocument(document=document, problem=str(exc)) from exc
    except (ValueError, RecursionError) as exc:
        raise MalformedDocument(document=document, problem="it is not canonical JSON") from exc
    if canonical != data:
        raise MalformedDocument(document=document, problem="it is not in canonical form")
    return value


def sha256(data: bytes) -> bytes:
    """Give the SHA-256 of the bytes, 32 bytes."""
    return hashlib.sha256(data).digest()


def same_bytes(left: bytes, right: bytes) -> bool:
    """Compare without telling by the time it takes where the two differ."""
    return hmac.compare_digest(left, right)


def sign(key: Ed25519PrivateKey, label: Label, data: bytes) -> bytes:
    """Give the 64-byte signature over the label and the data."""
    return key.sign(_signed_message(label, data))


def verify(public_key: bytes, label: Label, data: bytes, signature: bytes) -> None:
    """Return only if the signature holds; raise `SignatureInvalid` otherwise."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, _signed_message(label, data))
    except (InvalidSignature, ValueError) as exc:
        raise SignatureInvalid(document=label.value) from exc


def check_length(value: bytes, length: int, field: str) -> bytes:
    """Give the value back; raise `MalformedMessage` where it is not of that many bytes."""
    if len(value) != length:
        raise MalformedMessage(field=field, problem=f"not {length} bytes long")
    return value


def _signed_message(label: Label, data: bytes) -> bytes:
    return label.value.encode("ascii") + b"\x00" + data
