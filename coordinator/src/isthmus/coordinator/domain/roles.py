"""Who may call what: one table of calls, roles and relations. docs/reference/roles.md shows the same table."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from isthmus.contract.errors import PermissionDenied
from isthmus.contract.ids import PartyId
from isthmus.contract.parties import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """An authenticated caller: whose certificate it is, and in which role that party calls."""

    party: PartyId
    role: Role


class Relation(StrEnum):
    """What a caller of the right role must be to the thing that it asks about; the call's action checks it."""

    TOKEN = "token"  # noqa: S105 - a word of the table
    """Holds a one-time token for what it asks; has no role yet."""
    ANY = "any"
    """Nothing: the role is enough."""
    OWN = "own"
    """Nothing, but the answer tells of what is the caller's alone."""
    MEMBER = "member"
    """Is a provider of the round, project or agreement."""
    LEAD = "lead"
    """Leads the agreement, which one of its providers does."""
    NAMED = "named"
    """Is named in its role: an analyst by the project, an auditor by the project's agreement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Which roles may make a call, and about what."""

    roles: frozenset[Role]
    relation: Relation


def _calls(relation: Relation, *calls: str, role: Role | None = None) -> dict[str, Permission]:
    roles = frozenset([role] if role else [])
    return dict.fromkeys(calls, Permission(roles=roles, relation=relation))


_PROVIDER: Final = (
    _calls(Relation.OWN, "ListRounds", "ListAgreements", role=Role.PROVIDER)
    | _calls(Relation.LEAD, "ProposeAgreement", role=Role.PROVIDER)
    | _calls(
        Relation.MEMBER,
        "GetRound",
        "SignRound",
        "DeclineRound",
        "SendKeyWraps",
        "FetchKeyWraps",
        "SendKeyConfirmation",
        "FetchKeyConfirmations",
        "ConfirmPreflight",
        "OpenSubmission",
        "UploadChunks",
        "CompleteSubmission",
        "FetchComparison",
        "OpenAnswers",
        "UploadAnswers",
        "CompleteAnswers",
        "TombstoneRows",
        "FetchPseudonyms",
        "FetchIdChanges",
        "FetchQuality",
        "FetchLog",
        "AcknowledgeCheckpoint",
        "GetAgreement",
        "SignAgreement",
        "DeclineAgreement",
        "WithdrawFromAgreement",
        role=Role.PROVIDER,
    )
)

_ANALYST: Final = _calls(Relation.OWN, "ListTables", role=Role.ANALYST) | _calls(
    Relation.NAMED, "FetchTable", "FetchRoundQuality", role=Role.ANALYST
)

_AUDITOR: Final = _calls(Relation.OWN, "ListProjects", role=Role.AUDITOR) | _calls(
    Relation.NAMED, "ListProjectRounds", "GetProjectRound", "FetchProjectLog", role=Role.AUDITOR
)

_OPERATOR: Final = _calls(
    Relation.ANY,
    "AddParty",
    "ListParties",
    "MintToken",
    "RevokeParty",
    "AddAgreement",
    "ListAllAgreements",
    "AddProject",
    "ProposeRound",
    "ListAllRounds",
    "CancelRound",
    "RetryRound",
    role=Role.OPERATOR,
)

PERMISSIONS: Final[Mapping[str, Mapping[str, Permission]]] = MappingProxyType(
    {
        "isthmus.v1.EnrolmentService": _calls(Relation.TOKEN, "Enrol"),
        "isthmus.v1.ProviderService": _PROVIDER,
        "isthmus.v1.AnalystService": _ANALYST,
        "isthmus.v1.AuditorService": _AUDITOR,
        "isthmus.v1.OperatorService": _OPERATOR,
    }
)
"""By service and call. What is not in the table is open to nobody; enrolment has no role and a port of its own."""


def may_call(role: Role, service: str, call: str) -> bool:
    """Say whether the table opens a call to a role."""
    permission = PERMISSIONS.get(service, {}).get(call)
    return permission is not None and role in permission.roles


def check_role(actor: Actor, service: str, call: str) -> None:
    """Return only if the role may make the call; raise `PermissionDenied` otherwise."""
    if not may_call(actor.role, service, call):
        raise PermissionDenied(call=call, role=actor.role.value)
