"""The round manifest: a project with its profile and every member's identity key, which the providers sign.

Proposing a round pins these; the canonical bytes are what is signed, and changing anything makes another hash.
docs/protocol.md, section 3.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from isthmus.contract.agreement import Agreement, checked_agreement
from isthmus.contract.canonical import canonical_bytes, read_canonical, sha256
from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import PartyId, RoundId, parse_round_id
from isthmus.contract.key_agreement import LAST_EPOCH, KeyMember, KeyTerms
from isthmus.contract.profiles import AnyProfile, read_profile
from isthmus.contract.project import LONGEST_NAME, Project, ProviderTerms, check_project
from isthmus.contract.text import is_plain_line

MANIFEST_FORMAT: Final = "isthmus/round-manifest/5"

_PUBLIC_KEY = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


class Member(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A provider as pinned into a manifest; `identity_key` (Ed25519), `agreement_key` (X25519) are public, in hex."""

    party: PartyId
    name: str
    identity_key: str
    agreement_key: str

    def keys(self) -> KeyMember:
        """Give the member as the key agreement knows it."""
        return KeyMember(
            party=self.party,
            identity_key=bytes.fromhex(self.identity_key),
            agreement_key=bytes.fromhex(self.agreement_key),
        )


class RoundManifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The terms of one round, immutable once proposed. `profile` is the profile's whole document.

    `agreement` is the whole version under which the round is, with its signatures (hex) by party, so that a node can
    check by itself that all signed it. `epoch`, from 1, grows whenever a member's keys change (docs/protocol.md
    section 4).
    """

    format: str
    round_id: RoundId
    project: Project
    agreement: Agreement
    agreement_signatures: dict[PartyId, str]
    profile: dict[str, Any]
    threshold: str
    epoch: int
    members: tuple[Member, ...]
    coordinator_key: str
    proposed_at: str

    def to_bytes(self) -> bytes:
        """Give the canonical bytes, which the providers sign."""
        return canonical_bytes(msgspec.to_builtins(self))

    def digest(self) -> bytes:
        """Give the SHA-256 of the canonical bytes."""
        return sha256(self.to_bytes())

    def member(self, party: PartyId) -> Member | None:
        """Give the member of that id, if there is one."""
        return next((member for member in self.members if member.party == party), None)

    def key_terms(self) -> KeyTerms:
        """Give what the members agree on before they agree on the round's key."""
        return KeyTerms(
            agreement=self.digest(), epoch=self.epoch, members=tuple(member.keys() for member in self.members)
        )

    def terms(self, party: PartyId) -> ProviderTerms | None:
        """Give what that provider brings, if it is one."""
        return next((terms for terms in self.project.providers if terms.party == party), None)

    def repeats(self, party: PartyId) -> bool:
        """Say whether that provider's data set may hold a person more than once."""
        terms = self.terms(party)
        return terms is not None and terms.repeats

    def read_profile(self) -> AnyProfile:
        """Give the profile that the manifest carries; raise `InvalidProfile` where it is none of ours."""
        return read_profile(self.profile)


def manifest_from_bytes(data: bytes) -> RoundManifest:
    """Read a manifest's canonical bytes.

    Raises:
        MalformedDocument: it does not parse, is not in canonical form, or its parts contradict each other.
        MalformedMessage: its round id is none.
        UnsupportedVersion, InvalidProject, InvalidAgreement, InvalidProfile: a part of it is refused.
    """
    manifest = read_canonical(data, RoundManifest, document="round manifest", version=MANIFEST_FORMAT)
    check_project(manifest.project)
    checked_agreement(manifest.agreement)
    parse_round_id(manifest.round_id)
    _check_manifest(manifest)
    return manifest


def build_manifest(
    project: Project,
    *,
    agreement: Agreement,
    agreement_signatures: Mapping[PartyId, bytes],
    round_id: RoundId,
    epoch: int,
    members: tuple[Member, ...],
    coordinator_key: bytes,
    proposed_at: str,
) -> RoundManifest:
    """Pin a project, its signed agreement, its profile and its members into the manifest of a new round."""
    return RoundManifest(
        format=MANIFEST_FORMAT,
        round_id=round_id,
        project=project,
        agreement=agreement,
        agreement_signatures={party: agreement_signatures[party].hex() for party in agreement.signers()},
        profile=project.build_profile().document(),
        threshold=str(project.declared_threshold()),
        epoch=epoch,
        members=members,
        coordinator_key=coordinator_key.hex(),
        proposed_at=proposed_at,
    )


def _check_manifest(manifest: RoundManifest) -> None:
    project = manifest.project
    problems = []
    if tuple(member.party for member in manifest.members) != project.provider_ids():
        problems.append("its members are not the project's providers")
    problems += _agreement_problems(manifest)
    if manifest.read_profile().digest() != project.build_profile().digest():
        problems.append("its profile is not the one that follows from the project")
    if manifest.threshold != str(project.declared_threshold()):
        problems.append("its threshold is not the declared one")
    if not 1 <= manifest.epoch <= LAST_EPOCH:
        problems.append(f"its epoch is not between 1 and {LAST_EPOCH}")
    keys = [key for member in manifest.members for key in (member.identity_key, member.agreement_key)]
    if len(set(keys)) != len(keys):
        problems.append("two of its members' keys are the same")
    keys.append(manifest.coordinator_key)
    if any(_PUBLIC_KEY.fullmatch(key) is None for key in keys):
        problems.append("a key in it is not 64 hex digits")
    if not all(is_plain_line(member.name, LONGEST_NAME) for member in manifest.members):
        problems.append("a member's name is not one printable line")
    if problems:
        raise MalformedDocument(document="round manifest", problem="; ".join(problems))


def _agreement_problems(manifest: RoundManifest) -> list[str]:
    problems, signatures = [], manifest.agreement_signatures
    if manifest.agreement.id != manifest.project.agreement:
        problems.append("its agreement is not the project's")
    if set(signatures) != set(manifest.agreement.signers()):
        problems.append("its signatures on the agreement are not those of all who have to sign it")
    if any(_SIGNATURE.fullmatch(one) is None for one in signatures.values()):
        problems.append("a signature on its agreement is not 128 hex digits")
    return problems
