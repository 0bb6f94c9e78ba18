"""The documents of the key agreement between providers, relayed by a coordinator that can open none of them.

`SignedWraps` carries one sender's secret, sealed to every other member. `Confirmation` says which wraps a member saw
and proves that it holds the master that follows from them. Both carry their own signature: it covers the document's
canonical bytes without the key `signature`. docs/protocol.md section 4 has every byte.

Nothing secret lives here: sealing, opening and deriving are a node's business.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isthmus.contract.canonical import (
    HASH_BYTES,
    IDENTITY_KEY_BYTES,
    Label,
    canonical_bytes,
    check_length,
    read_canonical,
    sha256,
    sign,
    verify,
)
from isthmus.contract.errors import MalformedDocument, UnsupportedVersion
from isthmus.contract.ids import PartyId, parse_party_id

WRAPS_FORMAT: Final = "isthmus/key-wraps/1"
CONFIRMATION_FORMAT: Final = "isthmus/key-confirmation/1"
AGREEMENT_KEY_BYTES: Final = 32
SECRET_BYTES: Final = 32
SEALED_BYTES: Final = 32 + SECRET_BYTES + 16
"""An HPKE message: the encapsulated X25519 key, the ciphertext, the tag of AES-GCM."""

MAX_MEMBERS: Final = 200
MAX_DOCUMENT_BYTES: Final = 64 * 1024
"""Signed wraps for 200 members take 46 kB, a confirmation 27 kB."""

LAST_EPOCH: Final = 2**31 - 1

_UNSIGNED: Final = ""
_HASH = re.compile(r"[0-9a-f]{64}")
_SEALED = re.compile(rf"[0-9a-f]{{{2 * SEALED_BYTES}}}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyMember:
    """A provider as the signed manifest pins it: Ed25519 identity key and X25519 agreement key, 32 raw bytes each."""

    party: PartyId
    identity_key: bytes
    agreement_key: bytes

    def __post_init__(self) -> None:
        """Check id and lengths; raise `MalformedMessage`."""
        parse_party_id(self.party)
        check_length(self.identity_key, IDENTITY_KEY_BYTES, "identity_key")
        check_length(self.agreement_key, AGREEMENT_KEY_BYTES, "agreement_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyTerms:
    """What all members agree on before they agree on a key.

    `agreement` is the hash of the manifest that all signed and that lists the members, 32 bytes; `epoch`, from 1, grows
    whenever the membership of the project changes; `members` stand in any order.

    Raises:
        MalformedDocument: the epoch or the number of members is out of bounds, or two members share an id or a key.
        MalformedMessage: the hash is not 32 bytes long.
    """

    agreement: bytes
    epoch: int
    members: tuple[KeyMember, ...]

    def __post_init__(self) -> None:
        """Check bounds, and that no id and no key stands for two."""
        check_length(self.agreement, HASH_BYTES, "agreement")
        if not 1 <= self.epoch <= LAST_EPOCH:
            raise MalformedDocument(document="key terms", problem=f"the epoch is not between 1 and {LAST_EPOCH}")
        if not 2 <= len(self.members) <= MAX_MEMBERS:
            raise MalformedDocument(document="key terms", problem=f"it needs between 2 and {MAX_MEMBERS} members")
        keys = [key for member in self.members for key in (member.identity_key, member.agreement_key)]
        if len({member.party for member in self.members}) != len(self.members) or len(set(keys)) != len(keys):
            raise MalformedDocument(document="key terms", problem="two members share an id or a key")

    def parties(self) -> tuple[PartyId, ...]:
        """Give the members' ids in party order: ascending, by code point. Every list here is in this order."""
        return tuple(sorted(member.party for member in self.members))

    def others(self, party: PartyId) -> tuple[PartyId, ...]:
        """Give all ids but that one, in party order."""
        return tuple(one for one in self.parties() if one != party)

    def member(self, party: str) -> KeyMember | None:
        """Give the member of that id, if there is one."""
        return next((member for member in self.members if member.party == party), None)


class Wrap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One secret sealed to one recipient; `sealed` is HPKE's encapsulated key and ciphertext, 80 bytes in hex."""

    recipient: PartyId
    sealed: str


class SignedWraps(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sender's contribution. `agreement`, `commitment` are SHA-256 in hex; `wraps` stand in order of recipient.

    The commitment fixes the secret for all recipients: who seals different secrets to different members is named by
    the first that opens one.
    """

    format: str
    agreement: str
    epoch: int
    sender: PartyId
    commitment: str
    wraps: tuple[Wrap, ...]
    signature: str

    def to_bytes(self) -> bytes:
        """Give the canonical bytes, signature included."""
        return canonical_bytes(msgspec.to_builtins(self))

    def digest(self) -> bytes:
        """Give the SHA-256 of the canonical bytes, signature included."""
        return sha256(self.to_bytes())

    def wrap_for(self, party: PartyId) -> Wrap | None:
        """Give the wrap to that recipient, if there is one."""
        return next((wrap for wrap in self.wraps if wrap.recipient == party), None)


class Seen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The digest (hex) of the signed wraps that a member holds from that sender."""

    sender: PartyId
    digest: str


class Confirmation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A member's proof that it holds the master of the wraps in `seen`, which stand in order of sender.

    `mac` is HMAC-SHA256 under the master, in hex.
    """

    format: str
    agreement: str
    epoch: int
    party: PartyId
    seen: tuple[Seen, ...]
    mac: str
    signature: str

    def to_bytes(self) -> bytes:
        """Give the canonical bytes, signature included."""
        return canonical_bytes(msgspec.to_builtins(self))

    def digests(self) -> dict[PartyId, bytes]:
        """Give the digest of each sender's wraps."""
        return {one.sender: bytes.fromhex(one.digest) for one in self.seen}


def sign_agreement_key(key: Ed25519PrivateKey, *, party: PartyId, agreement_key: bytes) -> bytes:
    """Give the identity key's signature that binds a party to its agreement key."""
    return sign(key, Label.AGREEMENT_KEY, _binding(party, agreement_key))


def verify_agreement_key(identity_key: bytes, *, party: PartyId, agreement_key: bytes, proof: bytes) -> None:
    """Return only if the identity key bound the party to that agreement key.

    Raises:
        MalformedMessage: the agreement key is not 32 bytes long.
        SignatureInvalid: the proof does not hold.
    """
    check_length(agreement_key, AGREEMENT_KEY_BYTES, "agreement_key")
    verify(identity_key, Label.AGREEMENT_KEY, _binding(party, agreement_key), proof)


def sign_wraps(
    terms: KeyTerms, *, sender: PartyId, commitment: bytes, sealed: Mapping[PartyId, bytes], key: Ed25519PrivateKey
) -> SignedWraps:
    """Give the signed document of what a sender sealed to each recipient."""
    unsigned = SignedWraps(
        format=WRAPS_FORMAT,
        agreement=terms.agreement.hex(),
        epoch=terms.epoch,
        sender=sender,
        commitment=commitment.hex(),
        wraps=tuple(Wrap(recipient=party, sealed=sealed[party].hex()) for party in sorted(sealed)),
        signature=_UNSIGNED,
    )
    signature = sign(key, Label.KEY_WRAPS, _signed_part(unsigned))
    return msgspec.structs.replace(unsigned, signature=signature.hex())


def sign_confirmation(
    terms: KeyTerms, *, party: PartyId, digests: Mapping[PartyId, bytes], mac: bytes, key: Ed25519PrivateKey
) -> Confirmation:
    """Give the signed confirmation of a member that holds wraps of these digests."""
    unsigned = Confirmation(
        format=CONFIRMATION_FORMAT,
        agreement=terms.agreement.hex(),
        epoch=terms.epoch,
        party=party,
        seen=tuple(Seen(sender=sender, digest=digests[sender].hex()) for sender in sorted(digests)),
        mac=mac.hex(),
        signature=_UNSIGNED,
    )
    signature = sign(key, Label.KEY_CONFIRMATION, _signed_part(unsigned))
    return msgspec.structs.replace(unsigned, signature=signature.hex())


def verify_wraps(wraps: SignedWraps, identity_key: bytes) -> None:
    """Return only if the sender's signature holds; raise `SignatureInvalid` otherwise."""
    verify(identity_key, Label.KEY_WRAPS, _signed_part(wraps), bytes.fromhex(wraps.signature))


def verify_confirmation(confirmation: Confirmation, identity_key: bytes) -> None:
    """Return only if the party's signature holds; raise `SignatureInvalid` otherwise. The MAC is for members."""
    verify(identity_key, Label.KEY_CONFIRMATION, _signed_part(confirmation), bytes.fromhex(confirmation.signature))


def wraps_from_bytes(data: bytes) -> SignedWraps:
    """Read one sender's wraps; the signature is not checked here.

    Raises:
        MalformedDocument: it is over 64 KiB, not one in canonical form, or its parts contradict each other.
        MalformedMessage: an id in it is none.
        UnsupportedVersion: its format is one that this version does not know.
    """
    _check_size(data, "key wraps")
    wraps = read_canonical(data, SignedWraps, document="key wraps")
    recipients = [wrap.recipient for wrap in wraps.wraps]
    _check_head(wraps, "key wraps", WRAPS_FORMAT, wraps.sender)
    _check_parties(recipients, "key wraps", fewest=1, most=MAX_MEMBERS - 1)
    if wraps.sender in recipients:
        raise MalformedDocument(document="key wraps", problem="the sender is one of the recipients")
    if not _HASH.fullmatch(wraps.commitment) or not all(_SEALED.fullmatch(wrap.sealed) for wrap in wraps.wraps):
        raise MalformedDocument(document="key wraps", problem="a value in it is not hex of the right length")
    return wraps


def confirmation_from_bytes(data: bytes) -> Confirmation:
    """Read a confirmation; signature and MAC are not checked here. Raises as `wraps_from_bytes`."""
    _check_size(data, "key confirmation")
    confirmation = read_canonical(data, Confirmation, document="key confirmation")
    _check_head(confirmation, "key confirmation", CONFIRMATION_FORMAT, confirmation.party)
    senders = [one.sender for one in confirmation.seen]
    _check_parties(senders, "key confirmation", fewest=2, most=MAX_MEMBERS)
    if confirmation.party not in senders:
        raise MalformedDocument(document="key confirmation", problem="the party is none of the senders")
    hashes = [confirmation.mac, *(one.digest for one in confirmation.seen)]
    if not all(_HASH.fullmatch(value) for value in hashes):
        raise MalformedDocument(document="key confirmation", problem="a value in it is not hex of the right length")
    return confirmation


def transcript(terms: KeyTerms, digests: Mapping[PartyId, bytes]) -> bytes:
    """Give the SHA-256 over label, agreement, epoch and the digests of all signed wraps in party order, 32 bytes.

    Raises:
        KeyError: a member's digest is missing; callers check that all are there.
    """
    head = b"isthmus/key-transcript/1\x00" + terms.agreement + terms.epoch.to_bytes(4, "big")
    return sha256(head + b"".join(digests[party] for party in terms.parties()))


def next_epoch(epoch: int, *, before: Iterable[KeyMember], after: Iterable[KeyMember]) -> int:
    """Give the epoch that follows: the same while ids and keys of all members are, else one more."""
    return epoch if frozenset(before) == frozenset(after) else epoch + 1


def _binding(party: PartyId, agreement_key: bytes) -> bytes:
    return party.encode("ascii") + b"\x00" + agreement_key


def _check_size(data: bytes, name: str) -> None:
    if len(data) > MAX_DOCUMENT_BYTES:
        raise MalformedDocument(document=name, problem=f"it is over {MAX_DOCUMENT_BYTES} bytes")


def _signed_part(document: SignedWraps | Confirmation) -> bytes:
    content: dict[str, Any] = msgspec.to_builtins(document)
    del content["signature"]
    return canonical_bytes(content)


def _check_head(document: SignedWraps | Confirmation, name: str, known: str, party: str) -> None:
    if document.format != known:
        raise UnsupportedVersion(document=name, version=document.format[:60])
    parse_party_id(party)
    if not 1 <= document.epoch <= LAST_EPOCH:
        raise MalformedDocument(document=name, problem=f"its epoch is not between 1 and {LAST_EPOCH}")
    if not _HASH.fullmatch(document.agreement) or not _SIGNATURE.fullmatch(document.signature):
        raise MalformedDocument(document=name, problem="its hash or signature is not hex of the right length")


def _check_parties(parties: list[PartyId], name: str, *, fewest: int, most: int) -> None:
    if not fewest <= len(parties) <= most:
        raise MalformedDocument(document=name, problem=f"it does not name between {fewest} and {most} parties")
    if parties != sorted(set(parties)):
        raise MalformedDocument(document=name, problem="its parties are not in order, each once")
    for party in parties:
        parse_party_id(party)
