"""What projects and round manifests of every version have in common.

So that what another version of this program made can still be listed, ended and kept from strangers, though nothing
else can be done with it. docs/protocol.md section 3.
"""

from typing import Final

import msgspec

from isthmus.contract.canonical import sha256
from isthmus.contract.ids import AgreementId, PartyId, ProjectId, RoundId
from isthmus.contract.manifest import MANIFEST_FORMAT


class _Named(msgspec.Struct, frozen=True, kw_only=True):
    party: PartyId


class _Terms(msgspec.Struct, frozen=True, kw_only=True):
    require_verified: bool = True


class ManifestOutline(msgspec.Struct, frozen=True, kw_only=True):
    """The format of a round manifest, the ids of its members in the project's order, and one of the project's terms.

    It vouches for nothing: who acts on a manifest reads it with `manifest_from_bytes`.
    """

    format: str
    members: tuple[_Named, ...]
    project: _Terms = _Terms()

    @property
    def is_current(self) -> bool:
        """Whether this version of the program made it, or could have."""
        return self.format == MANIFEST_FORMAT

    def parties(self) -> tuple[PartyId, ...]:
        """Give the ids of the members."""
        return tuple(member.party for member in self.members)


_NOTHING: Final = ManifestOutline(format="", members=())


class ProjectOutline(msgspec.Struct, frozen=True, kw_only=True):
    """What the projects of all versions say of themselves."""

    id: ProjectId
    title: str
    purpose: str
    analysts: tuple[PartyId, ...] = ()


class AgreementOutline(msgspec.Struct, frozen=True, kw_only=True):
    """How people call a version of an agreement."""

    id: AgreementId
    version: int
    title: str


class MemberOutline(msgspec.Struct, frozen=True, kw_only=True):
    """A provider and its legal name."""

    party: PartyId
    name: str


class TermsOutline(msgspec.Struct, frozen=True, kw_only=True):
    """Under which terms a round of any version is: project and agreement lie in it as canonical bytes of their own.

    Like the other outlines it vouches for nothing: it is for manifests that were checked and signed.
    """

    round_id: RoundId
    members: tuple[MemberOutline, ...]
    project: msgspec.Raw
    agreement: msgspec.Raw = msgspec.Raw(b"")

    def read_project(self) -> tuple[ProjectOutline, bytes]:
        """Give the project and its hash."""
        return msgspec.json.decode(self.project, type=ProjectOutline), sha256(bytes(self.project))

    def read_agreement(self) -> tuple[AgreementOutline, bytes] | None:
        """Give the agreement's version and its hash; none where the round is of a version that knew no agreements."""
        data = bytes(self.agreement)
        return (msgspec.json.decode(data, type=AgreementOutline), sha256(data)) if data else None


class _Read(msgspec.Struct, frozen=True, kw_only=True):
    analysts: tuple[PartyId, ...] = ()
    providers: tuple[_Named, ...] = ()
    agreement: AgreementId | None = None


def manifest_outline(data: bytes) -> ManifestOutline:
    """Give the outline of a manifest of any version; one without members, and not current, where there is none."""
    try:
        return msgspec.json.decode(data, type=ManifestOutline)
    except (msgspec.MsgspecError, RecursionError):
        return _NOTHING


def terms_outline(data: bytes) -> TermsOutline:
    """Give the terms of a manifest of any version; raise `msgspec.MsgspecError` where it is none."""
    return msgspec.json.decode(data, type=TermsOutline)


def project_analysts(data: bytes) -> tuple[PartyId, ...]:
    """Give the analysts of a project of any version; nobody where its bytes do not say."""
    return _read_project(data).analysts


def project_providers(data: bytes) -> tuple[PartyId, ...]:
    """Give the providers of a project of any version; nobody where its bytes do not say."""
    return tuple(provider.party for provider in _read_project(data).providers)


def project_agreement(data: bytes) -> AgreementId | None:
    """Give the agreement of a project of any version; none where its bytes do not say."""
    return _read_project(data).agreement


def _read_project(data: bytes) -> _Read:
    try:
        return msgspec.json.decode(data, type=_Read)
    except (msgspec.MsgspecError, RecursionError):
        return _Read()
