"""Who takes part in a project's key agreements, under which keys, in which epoch: what is kept from round to round.

The coordinator keeps it to know when the epoch grows; each node keeps it to notice a coordinator that goes back to an
older one, or changes keys within one. docs/protocol.md section 4.
"""

from typing import Final

import msgspec

from isthmus.contract.canonical import canonical_bytes, read_canonical
from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import PartyId
from isthmus.contract.key_agreement import KeyMember, KeyTerms, next_epoch

MEMBERSHIP_FORMAT: Final = "isthmus/membership/1"


class _Listed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    party: PartyId
    identity_key: str
    agreement_key: str

    def keys(self) -> KeyMember:
        return KeyMember(
            party=self.party,
            identity_key=bytes.fromhex(self.identity_key),
            agreement_key=bytes.fromhex(self.agreement_key),
        )


class Membership(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An epoch and its members, in party order; public keys in hex."""

    format: str
    epoch: int
    members: tuple[_Listed, ...]

    def to_bytes(self) -> bytes:
        """Give the canonical bytes."""
        return canonical_bytes(msgspec.to_builtins(self))

    def keys(self) -> frozenset[KeyMember]:
        """Give the members with their keys."""
        return frozenset(one.keys() for one in self.members)


def membership_of(terms: KeyTerms) -> Membership:
    """Give what is kept of these terms."""
    members = sorted(terms.members, key=lambda member: member.party)
    listed = tuple(
        _Listed(party=one.party, identity_key=one.identity_key.hex(), agreement_key=one.agreement_key.hex())
        for one in members
    )
    return Membership(format=MEMBERSHIP_FORMAT, epoch=terms.epoch, members=listed)


def membership_from_bytes(data: bytes) -> Membership:
    """Read what was kept.

    Raises:
        MalformedDocument: it is none in canonical form, or a key in it is not hex.
        MalformedMessage: a key in it has another length than 32 bytes, or an id is none.
        UnsupportedVersion: its format is one that this version does not know.
    """
    kept = read_canonical(data, Membership, document="membership", version=MEMBERSHIP_FORMAT)
    try:
        kept.keys()
    except ValueError as exc:
        raise MalformedDocument(document="membership", problem="a key in it is not hex") from exc
    return kept


def epoch_for(kept: Membership | None, members: frozenset[KeyMember]) -> int:
    """Give the epoch of a new round of these members: 1 at first, the kept one while nothing changed, else one more."""
    return next_epoch(kept.epoch, before=kept.keys(), after=members) if kept else 1


def changed_parties(before: Membership, after: Membership) -> tuple[PartyId, ...]:
    """Give, in party order, whoever came, went, or has another key."""
    return tuple(sorted({member.party for member in before.keys() ^ after.keys()}))
