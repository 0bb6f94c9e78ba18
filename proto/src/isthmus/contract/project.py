"""A project: who links what, for which purpose, under which settings; and the round manifest that its members sign.

A project file (TOML) becomes a `Project`; proposing a round pins it, the profile and every member's identity key into a
`RoundManifest`, whose canonical bytes the providers sign. Changing anything makes another hash. docs/protocol.md,
section 3.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import msgspec

from isthmus.contract.agreement import Agreement, checked_agreement
from isthmus.contract.canonical import canonical_bytes, check_version, read_canonical, sha256
from isthmus.contract.comparison import Comparison, comparison_1
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.encodings import MAX_ROWS
from isthmus.contract.errors import InvalidProject, MalformedDocument
from isthmus.contract.ids import AgreementId, PartyId, ProjectId, RoundId, parse_round_id
from isthmus.contract.key_agreement import LAST_EPOCH, KeyMember, KeyTerms
from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.profiles import (
    DEFAULT_PROFILE,
    AnyProfile,
    build_profile,
    default_threshold,
    read_profile,
)
from isthmus.contract.project_check import LONGEST_NAME, MAX_PROVIDERS, project_problems
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.contract.text import is_plain_line
from isthmus.contract.toml import TomlInvalid, from_toml, parse_toml

__all__ = ["LONGEST_NAME", "MAX_PROVIDERS"]  # of the checks, for whoever reads projects

PROJECT_FORMAT: Final = "isthmus/project/5"
MANIFEST_FORMAT: Final = "isthmus/round-manifest/5"

_PUBLIC_KEY = re.compile(r"[0-9a-f]{64}")
_SIGNATURE = re.compile(r"[0-9a-f]{128}")


class RevealMode(StrEnum):
    """What a provider learns about its rows: `linked` gives IDs to rows that linked, `spine` to every row."""

    LINKED = "linked"
    SPINE = "spine"


class ProviderTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one provider brings: the data set, by the name that its node knows, and the standard fields used.

    `max_rows` is the most rows that it may submit to a round. Where the data set `repeats` people, its rows are
    compared with each other too, and all rows of a person belong to one entity; otherwise an entity has one at most.
    `years` and `cohort` leave out the rows of all other years and cohorts, which only the node can tell; empty and
    absent leave out nobody.
    """

    party: PartyId
    dataset: str
    fields: tuple[str, ...]
    max_rows: int = MAX_ROWS
    repeats: bool = False
    years: tuple[str, ...] = ()
    cohort: str | None = None


class Project(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A governed purpose. `threshold` is decimal text in [0.1, 1], or absent for the profile's declared rule.

    `min_cell_count` is the smallest count that a released table may show. `name_table` grants `hardened-1` the table of
    first and last name. A node whose self-audit re-identifies more than `audit_limit_percent` of its rows, from 1 to
    100, does not go through preflight; absent, there is no audit. With `require_verified`, a node gives its
    part of the key only to members whose fingerprints somebody there compared. `blocks` grants keyed blocks, so that
    only rows that share one are compared; absent, every pair of rows is. `comparison` grants that candidate pairs are
    compared field by field, and says when they link; absent, the threshold decides. Every round is under the agreement
    of that id; `questions` are what shall be answered, for people. `longitudinal` keeps IDs from round to round.
    """

    format: str
    id: ProjectId
    title: str
    purpose: str
    agreement: AgreementId
    questions: tuple[str, ...] = ()
    longitudinal: bool = False
    lead: PartyId
    reveal: RevealMode
    providers: tuple[ProviderTerms, ...]
    analysts: tuple[PartyId, ...] = ()
    profile: str = DEFAULT_PROFILE
    name_table: bool = False
    threshold: str | None = None
    audit_limit_percent: int | None = None
    min_cell_count: int = 10
    require_verified: bool = True
    blocks: Blocks | None = None
    comparison: ComparisonTerms | None = None

    def to_bytes(self) -> bytes:
        """Give the canonical bytes."""
        return canonical_bytes(msgspec.to_builtins(self))

    def digest(self) -> bytes:
        """Give the SHA-256 of the canonical bytes."""
        return sha256(self.to_bytes())

    def provider_ids(self) -> tuple[PartyId, ...]:
        """Give the providers in the project's order, which is the order of data sets everywhere."""
        return tuple(terms.party for terms in self.providers)

    def shared_fields(self) -> tuple[str, ...]:
        """Give the fields that every provider brings, in standard order: the fields that are encoded."""
        common = set.intersection(*(set(terms.fields) for terms in self.providers))
        return tuple(field for field in STANDARD_FIELDS if field in common)

    def fields_of_both(self, one: PartyId, other: PartyId) -> tuple[str, ...]:
        """Give the fields that two providers bring, in standard order: those by which their rows are compared."""
        brought = {terms.party: set(terms.fields) for terms in self.providers}
        return tuple(field for field in STANDARD_FIELDS if field in brought[one] & brought[other])

    def comparison_of(self, one: PartyId, other: PartyId) -> Comparison:
        """Give what is compared of a pair of rows of these two providers, whichever comes first."""
        return comparison_1(self.fields_of_both(one, other))

    def comparable_fields(self, party: PartyId) -> tuple[str, ...]:
        """Give the fields that a provider brings and any other does too, in standard order."""
        others = [other for other in self.provider_ids() if other != party]
        shared = {field for other in others for field in self.fields_of_both(party, other)}
        return tuple(field for field in STANDARD_FIELDS if field in shared)

    def declared_threshold(self) -> Decimal:
        """Give the similarity from which a pair is a candidate: the project's own, else the profile's rule."""
        return Decimal(self.threshold or default_threshold(self.profile, self.shared_fields()))

    def build_profile(self) -> AnyProfile:
        """Give the profile that follows from the project; raise `InvalidProfile` where its fields do not allow it."""
        return build_profile(self.profile, self.shared_fields(), name_table=self.name_table)

    def row_bits(self) -> int:
        """Give how many bits a row's encodings and bucket numbers take; raises as `build_profile`."""
        return self.build_profile().row_bits + (self.blocks.row_bits if self.blocks else 0)


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


def project_from_toml(text: str) -> Project:
    """Read a project file.

    Raises:
        MalformedDocument: it is not TOML, or a key is unknown, missing or of another type.
        UnsupportedVersion: its format is one that this version does not know.
        InvalidProject: it is well formed but not a lawful project; all of what is wrong is named at once.
    """
    try:
        keys = parse_toml(text)
        if isinstance(keys.get("format"), str):  # before its keys, which another version may have otherwise
            check_version(keys["format"], PROJECT_FORMAT, document="project")
        return _checked(from_toml(keys, Project))
    except TomlInvalid as exc:
        raise MalformedDocument(document="project file", problem=str(exc)) from exc


def project_from_bytes(data: bytes) -> Project:
    """Read a project's canonical bytes; raises as `project_from_toml`."""
    return _checked(read_canonical(data, Project, document="project", version=PROJECT_FORMAT))


def manifest_from_bytes(data: bytes) -> RoundManifest:
    """Read a manifest's canonical bytes.

    Raises:
        MalformedDocument: it does not parse, is not in canonical form, or its parts contradict each other.
        MalformedMessage: its round id is none.
        UnsupportedVersion, InvalidProject, InvalidAgreement, InvalidProfile: a part of it is refused.
    """
    manifest = read_canonical(data, RoundManifest, document="round manifest", version=MANIFEST_FORMAT)
    _checked(manifest.project)
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


def _checked(project: Project) -> Project:
    check_version(project.format, PROJECT_FORMAT, document="project")
    problems = project_problems(project)
    if problems:
        raise InvalidProject(problem="; ".join(problems))
    return project
