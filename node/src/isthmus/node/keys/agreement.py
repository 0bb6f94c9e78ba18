"""How the providers of a round agree on one master secret that the coordinator, who relays every message, cannot have.

Each member draws 32 bytes, commits to them and seals them to every other member (RFC 9180, HPKE base mode) under its
own signature. The master is HKDF over all secrets in party order, so an outsider cannot know it while one member's
secret is unknown. Each member then confirms what it saw and what it derived; a difference names its author. Pure
functions: keeping, sending and waiting are for others. docs/protocol.md section 4 has every byte.

Sealing draws HPKE's ephemeral key from the operating system, since the library takes none. So the same secret never
seals to the same bytes twice, and a node keeps its `Contribution` and sends that one again, never a second one.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from isthmus.contract.canonical import canonical_bytes, read_canonical, same_bytes
from isthmus.contract.errors import MalformedDocument, SignatureInvalid, UnsupportedVersion
from isthmus.contract.ids import PartyId, ProjectId, RandomBytes, RoundId
from isthmus.contract.key_agreement import (
    SECRET_BYTES,
    Confirmation,
    KeyMember,
    KeyTerms,
    SignedWraps,
    sign_confirmation,
    sign_wraps,
    transcript,
    verify_confirmation,
    verify_wraps,
    wraps_from_bytes,
)
from isthmus.contract.secret import Secret
from isthmus.node.keys.errors import (
    ConfirmationRefused,
    ConfirmationsMissing,
    ContributionRefused,
    ContributionsDiffer,
    ContributionsMissing,
    MemberKeyUnusable,
    OwnKeyDiffers,
    WeakSecret,
)
from isthmus.node.keys.linkage_key import round_key

KEPT_FORMAT: Final = "isthmus/kept-contribution/1"


class KeyUse(StrEnum):
    """What a round's keys are for; the value is the label of the derivation. `kcv` is of `key_check_value` alone."""

    ENCODE = "encode"
    DIFFUSION = "diffusion"
    PAD = "pad"
    BLOCK = "block"
    TABULATE = "tabulate"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKeys:
    """This node's own part: its id and its two private keys."""

    party: PartyId
    signing_key: Ed25519PrivateKey
    agreement_key: X25519PrivateKey

    def __repr__(self) -> str:
        """Show the party alone."""
        return f"OwnKeys(party={self.party!r})"

    def member(self) -> KeyMember:
        """Give the public part, as a manifest lists it."""
        return KeyMember(
            party=self.party,
            identity_key=self.signing_key.public_key().public_bytes_raw(),
            agreement_key=self.agreement_key.public_key().public_bytes_raw(),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contribution:
    """What a node keeps until the agreement is done: its own secret, and the wraps that it sent."""

    secret: Secret
    wraps: SignedWraps


class _Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    secret: str
    wraps: str

    def __repr__(self) -> str:
        return "_Kept(...)"


def new_secret(random_bytes: RandomBytes) -> Secret:
    """Draw this node's 32 bytes; raise `WeakSecret` where the source plainly does not work."""
    return _checked_secret(Secret(random_bytes(SECRET_BYTES)))


def make_contribution(secret: Secret, *, terms: KeyTerms, own: OwnKeys) -> Contribution:
    """Seal the secret to every other member, and sign. Call once for each agreement, keep the result, then send it.

    Raises:
        WeakSecret: the secret has another length than 32 bytes, or all its bytes are the same.
        OwnKeyDiffers: the terms do not list this node's own keys.
        MemberKeyUnusable: a member's agreement key is no key that something can be sealed to.
    """
    _checked_secret(secret)
    _check_own(terms, own)
    sealed = {
        member.party: _seal(secret, terms, own.party, member) for member in terms.members if member.party != own.party
    }
    commitment = commit(secret, terms, sender=own.party)
    wraps = sign_wraps(terms, sender=own.party, commitment=commitment, sealed=sealed, key=own.signing_key)
    return Contribution(secret=secret, wraps=wraps)


def kept_bytes(contribution: Contribution) -> bytes:
    """Give a contribution as bytes to be sealed at rest. They hold the secret."""
    kept = _Kept(
        format=KEPT_FORMAT,
        secret=contribution.secret.reveal().hex(),
        wraps=contribution.wraps.to_bytes().decode("ascii"),
    )
    return canonical_bytes(msgspec.to_builtins(kept))


def read_kept(data: bytes, *, terms: KeyTerms, own: OwnKeys) -> Contribution:
    """Give back what `kept_bytes` gave, so that a node that was stopped goes on with the same contribution.

    Raises:
        MalformedDocument, UnsupportedVersion: the bytes are no kept contribution.
        ContributionRefused: it is of other terms, or its secret is not the one in its wraps.
        OwnKeyDiffers: the terms do not list this node's own keys.
    """
    kept = read_canonical(data, _Kept, document="kept contribution")
    if kept.format != KEPT_FORMAT:
        raise UnsupportedVersion(document="kept contribution", version=kept.format[:60])
    try:
        secret = Secret(bytes.fromhex(kept.secret))
    except ValueError as exc:
        raise MalformedDocument(document="kept contribution", problem="its secret is not hex") from exc
    wraps = wraps_from_bytes(kept.wraps.encode("utf-8"))
    _check_own(terms, own)
    if wraps.sender != own.party:
        raise ContributionRefused(sender=wraps.sender, problem="it is not this node's own")
    check_wraps(wraps, terms=terms)
    _check_commitment(secret, wraps, terms)
    return Contribution(secret=secret, wraps=wraps)


def check_wraps(wraps: SignedWraps, *, terms: KeyTerms) -> None:
    """Return only if the wraps are signed by a member, of these terms, and for exactly the other members.

    Raises:
        ContributionRefused: they are not; it says which of these.
    """
    sender = terms.member(wraps.sender)
    if sender is None:
        raise ContributionRefused(sender=wraps.sender, problem="the signed manifest lists no such member")
    try:
        verify_wraps(wraps, sender.identity_key)
    except SignatureInvalid as exc:
        raise ContributionRefused(sender=wraps.sender, problem="the signature is not that member's") from exc
    if wraps.agreement != terms.agreement.hex():
        raise ContributionRefused(sender=wraps.sender, problem="it is for another round or manifest")
    if wraps.epoch != terms.epoch:
        raise ContributionRefused(sender=wraps.sender, problem="it is of another epoch")
    if tuple(wrap.recipient for wrap in wraps.wraps) != terms.others(wraps.sender):
        raise ContributionRefused(sender=wraps.sender, problem="it is not sealed to exactly the other members")


def open_contribution(wraps: SignedWraps, *, terms: KeyTerms, own: OwnKeys) -> Secret:
    """Give the secret that another member sealed to this node.

    Raises:
        ContributionRefused: the wraps are not that member's for these terms, do not open, or hold another secret than
            the sender committed to.
        OwnKeyDiffers: the terms do not list this node's own keys.
    """
    _check_own(terms, own)
    check_wraps(wraps, terms=terms)
    wrap = wraps.wrap_for(own.party)
    if wrap is None:
        raise ContributionRefused(sender=wraps.sender, problem="it is this node's own")
    try:
        info = wrap_info(terms, sender=wraps.sender, recipient=own.party)
        secret = Secret(_suite().decrypt(bytes.fromhex(wrap.sealed), own.agreement_key, info=info))
    except (InvalidTag, ValueError) as exc:  # ValueError: the encapsulated key is a point of small order
        raise ContributionRefused(sender=wraps.sender, problem="its wrap does not open at this node") from exc
    _check_commitment(secret, wraps, terms)
    return secret


def open_all(
    received: Iterable[SignedWraps], *, mine: Contribution, terms: KeyTerms, own: OwnKeys
) -> dict[PartyId, Contribution]:
    """Give every member's contribution, this node's own included, from what came in any order.

    The same document twice is one. A document in this node's name has to be the one that it made.

    Raises:
        ContributionRefused: one of them is not lawful, or a member sent two that differ.
        ContributionsMissing: some are not there.
        OwnKeyDiffers: the terms do not list this node's own keys.
    """
    opened = {own.party: mine}
    for wraps in received:
        known = opened.get(wraps.sender)
        if known is None:
            secret = open_contribution(wraps, terms=terms, own=own)
            opened[wraps.sender] = Contribution(secret=secret, wraps=wraps)
        elif known.wraps != wraps:
            raise ContributionRefused(sender=wraps.sender, problem="there are two, and they differ")
    _check_complete(opened, terms)
    return opened


def combine(contributions: Mapping[PartyId, Contribution], *, terms: KeyTerms) -> Secret:
    """Give the 32-byte master: HKDF-SHA256 of all secrets in party order, each after its length in two bytes.

    The salt is the agreement's hash; the info names the epoch. One good secret among them makes a good master.

    Raises:
        ContributionsMissing: a member's secret is not there.
        ContributionRefused: there is one of somebody who is no member.
    """
    _check_complete(contributions, terms)
    secrets = [contributions[party].secret.reveal() for party in terms.parties()]
    material = b"".join(len(secret).to_bytes(2, "big") + secret for secret in secrets)
    info = f"isthmus/key-master/1|{terms.epoch}".encode("ascii")
    return Secret(HKDF(algorithm=SHA256(), length=32, salt=terms.agreement, info=info).derive(material))


def confirmation(
    master: Secret, *, contributions: Mapping[PartyId, Contribution], terms: KeyTerms, own: OwnKeys
) -> Confirmation:
    """Give this node's signed proof of the wraps that it saw and of the master.

    Raises:
        OwnKeyDiffers: the terms do not list this node's own keys.
        ContributionsMissing, ContributionRefused: the contributions are not those of exactly the members.
    """
    _check_own(terms, own)
    digests = seen_digests(contributions, terms)
    mac = confirmation_mac(master, party=own.party, seen=transcript(terms, digests))
    return sign_confirmation(terms, party=own.party, digests=digests, mac=mac, key=own.signing_key)


def verify_confirmations(
    received: Iterable[Confirmation],
    *,
    master: Secret,
    contributions: Mapping[PartyId, Contribution],
    terms: KeyTerms,
    own: OwnKeys,
) -> None:
    """Return only if every other member proved that it saw the same wraps and holds the same master.

    Raises:
        ContributionsDiffer: this node and a witness hold different wraps of one sender: names both.
        ConfirmationRefused: one is not that member's, of other terms, or of another master: names who.
        ConfirmationsMissing: some are not there; raised only if none of those that are there is refused.
    """
    digests = seen_digests(contributions, terms)
    confirmed: dict[PartyId, Confirmation] = {}
    for one in received:
        check_confirmation(one, terms=terms)
        if confirmed.setdefault(one.party, one) != one:
            raise ConfirmationRefused(party=one.party, problem="there are two, and they differ")
        _check_same_view(one, digests)
        mac = confirmation_mac(master, party=one.party, seen=transcript(terms, digests))
        if not same_bytes(bytes.fromhex(one.mac), mac):
            raise ConfirmationRefused(party=one.party, problem="it saw the same contributions but has another master")
    missing = tuple(party for party in terms.others(own.party) if party not in confirmed)
    if missing:
        raise ConfirmationsMissing(parties=missing)


def check_confirmation(one: Confirmation, *, terms: KeyTerms) -> None:
    """Return only if it is signed by a member, of these terms, and about exactly the members' wraps.

    Raises:
        ConfirmationRefused: it is not; it says which of these.
    """
    member = terms.member(one.party)
    if member is None:
        raise ConfirmationRefused(party=one.party, problem="the signed manifest lists no such member")
    try:
        verify_confirmation(one, member.identity_key)
    except SignatureInvalid as exc:
        raise ConfirmationRefused(party=one.party, problem="the signature is not that member's") from exc
    if one.agreement != terms.agreement.hex() or one.epoch != terms.epoch:
        raise ConfirmationRefused(party=one.party, problem="it is for another round, manifest or epoch")
    if tuple(seen.sender for seen in one.seen) != terms.parties():
        raise ConfirmationRefused(party=one.party, problem="it is not about exactly the members")


def equivocating_sender(one: SignedWraps, other: SignedWraps, *, terms: KeyTerms) -> PartyId | None:
    """Give the member that signed both of two different documents for one agreement; `None` where these prove nothing.

    Raises:
        ContributionRefused: one of them is not lawful, so it is no proof against anybody.
    """
    check_wraps(one, terms=terms)
    check_wraps(other, terms=terms)
    return one.sender if one.sender == other.sender and one != other else None


def agreed_key(master: Secret, use: KeyUse, *, project: ProjectId, round_id: RoundId) -> Secret:
    """Give the 32-byte key for one use in one round; derived from the master."""
    return round_key(master, project=project, round_id=round_id, label=use.value)


def commit(secret: Secret, terms: KeyTerms, *, sender: PartyId) -> bytes:
    """Give the commitment to a secret: HMAC-SHA256 under it, over agreement, epoch and sender; 32 bytes."""
    message = f"isthmus/key-commitment/1|{terms.agreement.hex()}|{terms.epoch}|{sender}"
    return hmac.new(secret.reveal(), message.encode("ascii"), hashlib.sha256).digest()


def wrap_info(terms: KeyTerms, *, sender: PartyId, recipient: PartyId) -> bytes:
    """Give the HPKE info of a wrap, which ties it to agreement, epoch, sender and recipient."""
    return f"isthmus/key-wrap/1|{terms.agreement.hex()}|{terms.epoch}|{sender}|{recipient}".encode("ascii")


def confirmation_mac(master: Secret, *, party: PartyId, seen: bytes) -> bytes:
    """Give a party's proof of the master over the transcript `seen`: HMAC-SHA256, 32 bytes."""
    message = f"isthmus/key-confirm/1|{party}|{seen.hex()}".encode("ascii")
    return hmac.new(master.reveal(), message, hashlib.sha256).digest()


def seen_digests(contributions: Mapping[PartyId, Contribution], terms: KeyTerms) -> dict[PartyId, bytes]:
    """Give the digest of each member's signed wraps; raises as `combine` where one is missing or too many."""
    _check_complete(contributions, terms)
    return {party: contributions[party].wraps.digest() for party in terms.parties()}


def _suite() -> Suite:
    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def _seal(secret: Secret, terms: KeyTerms, sender: PartyId, recipient: KeyMember) -> bytes:
    info = wrap_info(terms, sender=sender, recipient=recipient.party)
    try:
        key = X25519PublicKey.from_public_bytes(recipient.agreement_key)
        return _suite().encrypt(secret.reveal(), key, info=info)
    except ValueError as exc:  # a point of small order
        raise MemberKeyUnusable(party=recipient.party) from exc


def _checked_secret(secret: Secret) -> Secret:
    value = secret.reveal()
    if len(value) != SECRET_BYTES:
        raise WeakSecret(kind="secret", problem=f"not {SECRET_BYTES} bytes long")
    if len(set(value)) == 1:  # chance would do so once in 2**248 draws
        raise WeakSecret(kind="secret", problem="one byte over and over")
    return secret


def _check_own(terms: KeyTerms, own: OwnKeys) -> None:
    if terms.member(own.party) != own.member():
        raise OwnKeyDiffers(party=own.party)


def _check_commitment(secret: Secret, wraps: SignedWraps, terms: KeyTerms) -> None:
    if not same_bytes(commit(secret, terms, sender=wraps.sender), bytes.fromhex(wraps.commitment)):
        raise ContributionRefused(sender=wraps.sender, problem="its wrap holds another secret than it committed to")


def _check_complete(contributions: Mapping[PartyId, Contribution], terms: KeyTerms) -> None:
    for party in contributions:
        if terms.member(party) is None:
            raise ContributionRefused(sender=party, problem="the signed manifest lists no such member")
    missing = tuple(party for party in terms.parties() if party not in contributions)
    if missing:
        raise ContributionsMissing(parties=missing)


def _check_same_view(one: Confirmation, digests: Mapping[PartyId, bytes]) -> None:
    for sender, digest in one.digests().items():
        if digest != digests[sender]:
            raise ContributionsDiffer(sender=sender, witness=one.party)
