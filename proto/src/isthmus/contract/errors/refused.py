"""The caller may not do this."""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors.base import REFUSED, ErrorSpec, Refused


@dataclass(eq=False, kw_only=True)
class Unauthenticated(Refused):
    """The caller showed no certificate that we can read."""

    code: ClassVar[str] = "unauthenticated"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="UNAUTHENTICATED",
        http=401,
        exit_code=REFUSED,
        sentence="the connection carries no certificate of this coordinator",
        remedy="enrol first",
    )


@dataclass(eq=False, kw_only=True)
class CertificateExpired(Refused):
    """The caller's certificate is past its last day."""

    code: ClassVar[str] = "certificate-expired"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="UNAUTHENTICATED",
        http=401,
        exit_code=REFUSED,
        sentence="the certificate of this party expired at {expired_at}",
        remedy="ask the coordinator's operator for an enrolment token and enrol again; nothing else is lost",
    )
    expired_at: str


@dataclass(eq=False, kw_only=True)
class CertificateUnknown(Refused):
    """The caller's certificate is not, or no longer, one that this coordinator stands for."""

    code: ClassVar[str] = "certificate-unknown"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="UNAUTHENTICATED",
        http=401,
        exit_code=REFUSED,
        sentence="the certificate was not issued by this coordinator, or was withdrawn",
        remedy="ask the coordinator's operator for an enrolment token and enrol again",
    )


@dataclass(eq=False, kw_only=True)
class EnrolmentTokenInvalid(Refused):
    """An enrolment token is unknown, used, or past its hour."""

    code: ClassVar[str] = "enrolment-token-invalid"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="PERMISSION_DENIED",
        http=403,
        exit_code=REFUSED,
        sentence="the enrolment token is unknown, already used, or older than one hour",
        remedy="ask the coordinator's operator for a new one",
    )


@dataclass(eq=False, kw_only=True)
class PermissionDenied(Refused):
    """The caller's role does not allow the call."""

    code: ClassVar[str] = "permission-denied"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="PERMISSION_DENIED",
        http=403,
        exit_code=REFUSED,
        sentence="{call} is not open to the role {role}",
        remedy="use an account of a role that may; docs/reference/roles.md lists them",
    )
    call: str
    role: str


@dataclass(eq=False, kw_only=True)
class NotAMember(Refused):
    """The caller's party has no part in the thing asked for, or the thing does not exist."""

    code: ClassVar[str] = "not-a-member"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="PERMISSION_DENIED",
        http=403,
        exit_code=REFUSED,
        sentence="there is no {kind} {id} in which this party takes part",
        remedy="check the name; the coordinator's operator can list the parties of a project",
    )
    kind: str
    id: str


@dataclass(eq=False, kw_only=True)
class SignatureInvalid(Refused):
    """A signature does not verify under the key that it claims."""

    code: ClassVar[str] = "signature-invalid"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="PERMISSION_DENIED",
        http=403,
        exit_code=REFUSED,
        sentence="the signature on the {document} does not verify",
        remedy="sign it again; if it happens again, do not trust this connection and call the operator",
    )
    document: str


@dataclass(eq=False, kw_only=True)
class WrongLinkageKey(Refused):
    """The key-check value differs from the lead's."""

    code: ClassVar[str] = "wrong-linkage-key"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=REFUSED,
        sentence="the key of {party} for this round is not the one that the lead {lead} holds",
        remedy="no record left; ask the lead for a new round, and the operator what came of this one",
    )
    party: str
    lead: str


@dataclass(eq=False, kw_only=True)
class KnownAnswersDiffer(Refused):
    """The same made-up values do not come out the same at two nodes."""

    code: ClassVar[str] = "known-answers-differ"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=REFUSED,
        sentence="{party} and the lead {lead} make different encodings of the same made-up values: {parts}",
        remedy="run the same version of isthmus-node at both, then start it again; no record left",
    )
    party: str
    lead: str
    parts: str


@dataclass(eq=False, kw_only=True)
class WrongProfile(Refused):
    """The node encodes with another profile than the signed manifest names."""

    code: ClassVar[str] = "wrong-profile"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=REFUSED,
        sentence="the encoding profile differs from the one in the signed manifest of round {round_id}",
        remedy="update this node to the version that the project's members use",
    )
    round_id: str


@dataclass(eq=False, kw_only=True)
class WrongManifest(Refused):
    """A manifest is not the one that was signed, or does not concern this party."""

    code: ClassVar[str] = "wrong-manifest"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=REFUSED,
        sentence="the manifest of round {round_id} is refused: {problem}",
        remedy="ask the lead what changed before you sign or send anything",
    )
    round_id: str
    problem: str
