"""A project: who links what, for which purpose, under which settings.

A project file (TOML) becomes a `Project`; proposing a round pins it into a manifest (`isthmus.contract.manifest`).
Changing anything makes another hash. docs/protocol.md, section 3.
"""

from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from isthmus.contract.canonical import canonical_bytes, check_version, read_canonical, sha256
from isthmus.contract.comparison import Comparison, comparison_1
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.encodings import MAX_ROWS
from isthmus.contract.errors import InvalidProject, MalformedDocument
from isthmus.contract.ids import AgreementId, PartyId, ProjectId
from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.profiles import (
    DEFAULT_PROFILE,
    AnyProfile,
    build_profile,
    default_threshold,
)
from isthmus.contract.project_check import LONGEST_NAME, MAX_PROVIDERS, project_problems
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.contract.toml import TomlInvalid, from_toml, parse_toml

__all__ = ["LONGEST_NAME", "MAX_PROVIDERS"]  # of the checks, for whoever reads projects

PROJECT_FORMAT: Final = "isthmus/project/5"


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
    of that id; `questions` are what shall be answered, for people. With `longitudinal`, row handles
    and IDs are the same in every round (docs/protocol.md section 15).
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
        return check_project(from_toml(keys, Project))
    except TomlInvalid as exc:
        raise MalformedDocument(document="project file", problem=str(exc)) from exc


def project_from_bytes(data: bytes) -> Project:
    """Read a project's canonical bytes; raises as `project_from_toml`."""
    return check_project(read_canonical(data, Project, document="project", version=PROJECT_FORMAT))


def check_project(project: Project) -> Project:
    """Give the project if it is lawful; raise what `project_from_toml` does of one that is well formed."""
    check_version(project.format, PROJECT_FORMAT, document="project")
    problems = project_problems(project)
    if problems:
        raise InvalidProject(problem="; ".join(problems))
    return project
