"""Members with fixed keys, and a whole key agreement among them, for the tests of keys."""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from isthmus.contract.canonical import sha256
from isthmus.contract.ids import PartyId
from isthmus.contract.key_agreement import Confirmation, KeyTerms, SignedWraps
from isthmus.contract.secret import Secret
from isthmus.node.keys.agreement import (
    Contribution,
    OwnKeys,
    combine,
    confirmation,
    make_contribution,
    open_all,
)

NAMES = ("riverside", "college", "workforce", "lakeside", "health", "youth", "housing", "transit")


def keys_of(party: str, seed: str = "") -> OwnKeys:
    """Give the keys that follow from a name and a seed."""
    return OwnKeys(
        party=PartyId(party),
        signing_key=Ed25519PrivateKey.from_private_bytes(sha256(f"sign {party} {seed}".encode())),
        agreement_key=X25519PrivateKey.from_private_bytes(sha256(f"seal {party} {seed}".encode())),
    )


def terms_of(owners: Sequence[OwnKeys], *, manifest: str = "manifest", epoch: int = 1) -> KeyTerms:
    """Give the terms that list these members."""
    return KeyTerms(agreement=sha256(manifest.encode()), epoch=epoch, members=tuple(owner.member() for owner in owners))


def secret_of(party: str) -> Secret:
    """Give a secret that follows from a name."""
    return Secret(sha256(f"secret {party}".encode()))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """What one member holds once every contribution is opened."""

    own: OwnKeys
    contributions: dict[PartyId, Contribution]
    master: Secret
    confirmation: Confirmation


def contribute(terms: KeyTerms, owners: Sequence[OwnKeys]) -> dict[PartyId, Contribution]:
    """Give each member's contribution."""
    return {owner.party: make_contribution(secret_of(owner.party), terms=terms, own=owner) for owner in owners}


def finish(terms: KeyTerms, own: OwnKeys, mine: Contribution, received: Sequence[SignedWraps]) -> Node:
    """Give a member that opened what it received."""
    contributions = open_all(received, mine=mine, terms=terms, own=own)
    master = combine(contributions, terms=terms)
    proof = confirmation(master, contributions=contributions, terms=terms, own=own)
    return Node(own=own, contributions=contributions, master=master, confirmation=proof)


def agree(terms: KeyTerms, owners: Sequence[OwnKeys]) -> list[Node]:
    """Give all members after an agreement that nobody disturbed."""
    made = contribute(terms, owners)
    wraps = [one.wraps for one in made.values()]
    return [finish(terms, owner, made[owner.party], wraps) for owner in owners]
