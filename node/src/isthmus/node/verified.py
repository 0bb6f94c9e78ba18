"""Whose keys somebody at this node verified, by comparing fingerprints out of band; one file, mode 0600.

The coordinator hands out every member's keys, so a comparison that it has no part in is what keeps it from putting in
keys of its own making. docs/protocol.md section 4.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import PartyId
from isthmus.contract.key_agreement import KeyMember
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.round_state import RoundState
from isthmus.contract.views import RoundView
from isthmus.node.errors import (
    FingerprintDiffers,
    MembersUnverified,
    MemberUnknown,
    OwnFingerprint,
    RefusedByPolicy,
    VerifiedOtherKeys,
)
from isthmus.node.keys.fingerprint import is_fingerprint_of
from isthmus.party.identity import write_private

FILE_NAME: Final = "verified.json"
VERIFIED_FORMAT: Final = "isthmus/verified/1"


class VerifiedParty(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The public keys of a party, in hex, whose fingerprint was compared, and when."""

    party: PartyId
    identity_key: str
    agreement_key: str
    verified_at: str

    def keys(self) -> KeyMember:
        """Give the party with its keys."""
        return KeyMember(
            party=self.party,
            identity_key=bytes.fromhex(self.identity_key),
            agreement_key=bytes.fromhex(self.agreement_key),
        )


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    parties: tuple[VerifiedParty, ...]


Verified = Mapping[PartyId, KeyMember]
"""The keys that were verified, by party."""


def load_verified(folder: Path) -> Verified:
    """Give what the node's folder says; raise `MalformedDocument` where its file is damaged."""
    return {one.party: one.keys() for one in _load(folder)}


def save_verified(folder: Path, member: KeyMember, *, digits: str, now: str, replace: bool = False) -> None:
    """Record that somebody compared a party's fingerprint, all 60 digits, in constant time.

    Raises:
        FingerprintDiffers: the digits are not those of these keys; nothing is recorded.
        VerifiedOtherKeys: other keys of the party were verified before, and `replace` does not let go of them.
    """
    if not is_fingerprint_of(digits, member):
        raise FingerprintDiffers(party=member.party)
    others = tuple(one for one in _load(folder) if one.party != member.party)
    if not replace and load_verified(folder).get(member.party, member) != member:
        raise VerifiedOtherKeys(party=member.party)
    verified = VerifiedParty(
        party=member.party,
        identity_key=member.identity_key.hex(),
        agreement_key=member.agreement_key.hex(),
        verified_at=now,
    )
    parties = tuple(sorted((*others, verified), key=lambda one: one.party))
    write_private(folder / FILE_NAME, msgspec.json.encode(_File(format=VERIFIED_FORMAT, parties=parties)))


def other_member(manifest: RoundManifest, party: PartyId, *, own: PartyId) -> KeyMember:
    """Give the keys that the manifest lists for another member than this node.

    Raises:
        OwnFingerprint: `party` is this node.
        MemberUnknown: no such member is there.
    """
    if party == own:
        raise OwnFingerprint(party=own, others=_others(manifest, own))
    member = manifest.key_terms().member(party)
    if member is None:
        raise MemberUnknown(round_id=manifest.round_id, party=party, others=_others(manifest, own))
    return member


def check_not_own(digits: str, manifest: RoundManifest, *, own: PartyId) -> None:
    """Return only if the digits are not this node's own; raise `OwnFingerprint` where somebody took the wrong ones."""
    member = manifest.key_terms().member(own)
    if member is not None and is_fingerprint_of(digits, member):
        raise OwnFingerprint(party=own, others=_others(manifest, own))


def _others(manifest: RoundManifest, own: PartyId) -> str:
    return ", ".join(sorted(one.party for one in manifest.key_terms().members if one.party != own))


def unverified_members(manifest: RoundManifest, verified: Verified, *, own: PartyId) -> tuple[PartyId, ...]:
    """Give the other members whose very keys were not verified here, in party order."""
    members = manifest.key_terms().members
    return tuple(sorted(one.party for one in members if one.party != own and verified.get(one.party) != one))


def check_same_keys(manifest: RoundManifest, verified: Verified) -> None:
    """Return only if no verified party has other keys in the manifest than those that were verified.

    Raises:
        RefusedByPolicy: one has; it says who, and what to do.
    """
    changed = [
        one.party for one in manifest.key_terms().members if one.party in verified and verified[one.party] != one
    ]
    if changed:
        names = ", ".join(sorted(changed))
        problem = (
            f"it lists other keys for {names} than those that were verified here; ask them, not over the coordinator,"
            " whether they have new keys, and only then: isthmus-node fingerprint verify --replace"
        )
        raise RefusedByPolicy(round_id=manifest.round_id, problem=problem)


def check_verified(manifest: RoundManifest, verified: Verified, *, own: PartyId) -> None:
    """Return only if this node may give its part of the key to all the members.

    Raises:
        RefusedByPolicy: a verified party has other keys now.
        MembersUnverified: the signed project wants all members verified, and some are not.
    """
    check_same_keys(manifest, verified)
    missing = unverified_members(manifest, verified, own=own)
    if manifest.project.require_verified and missing:
        raise MembersUnverified(round_id=manifest.round_id, parties=", ".join(missing))


def name_unverified(view: RoundView, manifest: RoundManifest, verified: Verified, *, own: PartyId) -> RoundView:
    """Give a locked round with whose fingerprints come first, in place of the coordinator's guess: it cannot know."""
    missing = unverified_members(manifest, verified, own=own)
    if view.state is not RoundState.LOCKED or not manifest.project.require_verified or not missing:
        return view
    needs = f"compare the fingerprints of {', '.join(missing)}: isthmus-node fingerprint --round {view.round_id}"
    waiting = (dataclasses.replace(one, needs=needs) if one.party == own else one for one in view.waiting_for)
    return dataclasses.replace(view, waiting_for=tuple(waiting))


def _load(folder: Path) -> tuple[VerifiedParty, ...]:
    try:
        file = msgspec.json.decode((folder / FILE_NAME).read_bytes(), type=_File)
        for one in file.parties:
            one.keys()
    except FileNotFoundError:
        return ()
    except (ValueError, msgspec.MsgspecError) as exc:
        raise MalformedDocument(document="list of verified parties", problem="it is damaged") from exc
    if file.format != VERIFIED_FORMAT:
        raise MalformedDocument(document="list of verified parties", problem="it is of another version")
    return file.parties
