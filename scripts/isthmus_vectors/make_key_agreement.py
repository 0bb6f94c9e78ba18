"""Vectors of the key agreement: made by our code, but for the sealing, which takes its ephemeral key from here.

The library draws an ephemeral key by itself, so that two runs would never write the same file. RFC 9180 (base mode,
DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM) is therefore written out; what it seals our code has to open.
"""

import hmac
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from isthmus.contract.canonical import sha256
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.key_agreement import KeyTerms, sign_wraps, transcript
from isthmus.contract.secret import Secret
from isthmus.node.keys.agreement import (
    Contribution,
    KeyUse,
    OwnKeys,
    agreed_key,
    combine,
    commit,
    confirmation,
    open_all,
    seen_digests,
    wrap_info,
)
from isthmus.node.keys.fingerprint import fingerprint, fingerprint_text
from isthmus.node.keys.linkage_key import key_check_value

Json = dict[str, Any]

_KEM: Final = b"KEM\x00\x20"
_SUITE: Final = b"HPKE\x00\x20\x00\x01\x00\x02"
_PROJECT: Final = ProjectId("demo")
_ROUND: Final = RoundId("demo-0000000001")


def key_agreement_vectors() -> Json:
    """Give whole agreements of two and of three members, with every secret on the way."""
    return {
        "about": [
            "Key agreements with all that is secret in a real one. Made by scripts/make_vectors, confirmed by",
            "scripts/verify_vectors. Values are hexadecimal. Members are listed as a manifest might; contributions",
            "and confirmations in party order. docs/decisions/0010-key-agreement.md has the rules.",
        ],
        "version": 1,
        "cases": [
            _case("two", parties=("riverside", "college"), epoch=1),
            _case("three", parties=("workforce", "riverside", "college-2"), epoch=258),
        ],
    }


def _case(name: str, *, parties: Sequence[str], epoch: int) -> Json:
    owners = [_keys(name, party) for party in parties]
    terms = KeyTerms(
        agreement=sha256(f"manifest {name}".encode()), epoch=epoch, members=tuple(owner.member() for owner in owners)
    )
    made = {owner.party: _contribution(name, terms, owner) for owner in owners}
    nodes = [
        (own, open_all([one.wraps for one in made.values()], mine=made[own.party], terms=terms, own=own))
        for own in owners
    ]
    master = combine(nodes[0][1], terms=terms)
    proofs = {
        own.party: confirmation(combine(got, terms=terms), contributions=got, terms=terms, own=own)
        for own, got in nodes
    }
    return {
        "name": name,
        "agreement": terms.agreement.hex(),
        "epoch": epoch,
        "members": [_member(own, made[own.party]) for own in owners],
        "contributions": [msgspec.to_builtins(made[party].wraps) for party in terms.parties()],
        "transcript": transcript(terms, seen_digests(made, terms)).hex(),
        "master": master.reveal().hex(),
        "confirmations": [msgspec.to_builtins(proofs[party]) for party in terms.parties()],
        "project": _PROJECT,
        "round_id": _ROUND,
        "round_keys": {
            use.value: agreed_key(master, use, project=_PROJECT, round_id=_ROUND).reveal().hex() for use in KeyUse
        },
        "key_check": key_check_value(master, project=_PROJECT, round_id=_ROUND).hex(),
    }


def _keys(name: str, party: str) -> OwnKeys:
    return OwnKeys(
        party=PartyId(party),
        signing_key=Ed25519PrivateKey.from_private_bytes(sha256(f"{name} sign {party}".encode())),
        agreement_key=X25519PrivateKey.from_private_bytes(sha256(f"{name} agree {party}".encode())),
    )


def _contribution(name: str, terms: KeyTerms, own: OwnKeys) -> Contribution:
    secret = Secret(sha256(f"{name} secret {own.party}".encode()))
    sealed = {}
    for member in terms.members:
        if member.party != own.party:
            ephemeral = X25519PrivateKey.from_private_bytes(sha256(f"{name} {own.party} {member.party}".encode()))
            info = wrap_info(terms, sender=own.party, recipient=member.party)
            sealed[member.party] = _seal(secret.reveal(), member.agreement_key, info, ephemeral)
    commitment = commit(secret, terms, sender=own.party)
    wraps = sign_wraps(terms, sender=own.party, commitment=commitment, sealed=sealed, key=own.signing_key)
    return Contribution(secret=secret, wraps=wraps)


def _member(own: OwnKeys, made: Contribution) -> Json:
    member = own.member()
    return {
        "party": own.party,
        "signing_private": own.signing_key.private_bytes_raw().hex(),
        "identity_key": member.identity_key.hex(),
        "agreement_private": own.agreement_key.private_bytes_raw().hex(),
        "agreement_key": member.agreement_key.hex(),
        "fingerprint": fingerprint(member).hex(),
        "fingerprint_text": fingerprint_text(member),
        "secret": made.secret.reveal().hex(),
    }


def _seal(plaintext: bytes, recipient: bytes, info: bytes, ephemeral: X25519PrivateKey) -> bytes:
    """RFC 9180 sections 4.1, 5.1 and 5.2: encapsulated key, then the only message of the context."""
    enc = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    kem_secret = _expand(_KEM, _extract(_KEM, b"", b"eae_prk", shared), b"shared_secret", enc + recipient, 32)
    context = b"\x00" + _extract(_SUITE, b"", b"psk_id_hash", b"") + _extract(_SUITE, b"", b"info_hash", info)
    secret = _extract(_SUITE, kem_secret, b"secret", b"")
    key = _expand(_SUITE, secret, b"key", context, 32)
    return enc + AESGCM(key).encrypt(_expand(_SUITE, secret, b"base_nonce", context, 12), plaintext, b"")


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + suite + label + material, "sha256")


def _expand(suite: bytes, key: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """One block of HKDF-Expand: nothing here is longer than 32 bytes."""
    return hmac.digest(key, length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01", "sha256")[:length]
