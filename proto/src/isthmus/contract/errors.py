"""Errors that any party may meet, and the one table that maps them to wires, exit codes and sentences.

    IsthmusError
    ├── BadInput             the caller's material is wrong; sending it again will not help
    │   ├── MalformedMessage · MalformedDocument · UnsupportedVersion
    │   ├── InvalidProject · InvalidProfile · InvalidLinkageSchema
    │   └── ChunkDamaged · SubmissionIncomplete · SubmissionMalformed
    ├── Refused              the caller may not do this
    │   ├── Unauthenticated · CertificateExpired · CertificateUnknown · EnrolmentTokenInvalid
    │   ├── PermissionDenied · NotAMember · SignatureInvalid
    │   └── WrongLinkageKey · WrongProfile · WrongManifest
    ├── Conflict             the request does not fit the state of things
    │   ├── RoundStateMismatch · IllegalTransition · StateChanged
    │   ├── SubmissionConflict · AlreadyExists
    │   └── NotFound · NotReady
    ├── Unreachable          the network or the other side is at fault; trying again may help
    └── Internal             a fault of ours; only an opaque reference is shown

Each class has a stable `code`, typed fields and one row in `ERRORS`. A sentence never holds a field value of a person,
an encoding, a key or a count below a threshold: fields are ids, names of columns and settings, and row numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorSpec:
    """How one error looks from outside.

    `status` is the name of a gRPC status code, `http` an HTTP status number, `exit_code` a process exit code
    (docs/reference/exit-codes.md). `sentence` and `remedy` are format strings over the error's fields and are safe to
    show to anyone.
    """

    status: str
    http: int
    exit_code: int
    sentence: str
    remedy: str


@dataclass(eq=False, kw_only=True)
class IsthmusError(Exception):
    """The root of every error that Isthmus raises on purpose."""

    code: ClassVar[str] = "isthmus"
    spec: ClassVar[ErrorSpec]

    def __post_init__(self) -> None:
        """Give `Exception` its text, so that tracebacks carry it."""
        super().__init__(str(self))

    def fields(self) -> dict[str, str]:
        """Give the typed fields as text, in declaration order."""
        return {field.name: str(getattr(self, field.name)) for field in fields(self)}

    def __reduce__(self) -> tuple[Callable[..., "IsthmusError"], tuple[Any, ...]]:
        """Pickle as class and fields, so that an error can leave a worker process."""
        return _remake, (type(self), {field.name: getattr(self, field.name) for field in fields(self)})

    def __str__(self) -> str:
        """Give the sentence and what to do next."""
        known = self.fields()
        return f"{self.spec.sentence.format(**known)}; {self.spec.remedy.format(**known)}"


BAD_INPUT, REFUSED, CONFLICT, UNREACHABLE, INTERNAL = 4, 5, 6, 7, 70
"""Exit codes by kind of error; 2 is wrong usage, 3 a wrong or missing setting (docs/reference/exit-codes.md)."""


class BadInput(IsthmusError):
    """The caller's material is wrong; sending it again will not help."""


class Refused(IsthmusError):
    """The caller may not do this."""


class Conflict(IsthmusError):
    """The request does not fit the state of things."""


@dataclass(eq=False, kw_only=True)
class MalformedMessage(BadInput):
    """A message lacks a field or holds one out of its bounds."""

    code: ClassVar[str] = "malformed-message"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INVALID_ARGUMENT",
        http=400,
        exit_code=BAD_INPUT,
        sentence="the message field {field} is {problem}",
        remedy="the two programs may be of different versions; update the older one",
    )
    field: str
    problem: str


@dataclass(eq=False, kw_only=True)
class MalformedDocument(BadInput):
    """A document does not parse, or holds an unknown or missing key."""

    code: ClassVar[str] = "malformed-document"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INVALID_ARGUMENT",
        http=400,
        exit_code=BAD_INPUT,
        sentence="the {document} cannot be read: {problem}",
        remedy="correct it and try again",
    )
    document: str
    problem: str


@dataclass(eq=False, kw_only=True)
class UnsupportedVersion(BadInput):
    """A document is of a version that this program does not know."""

    code: ClassVar[str] = "unsupported-version"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INVALID_ARGUMENT",
        http=400,
        exit_code=BAD_INPUT,
        sentence="the {document} has version {version}, which this program does not know",
        remedy="update this program, or ask for a document of a version that it knows",
    )
    document: str
    version: str


@dataclass(eq=False, kw_only=True)
class InvalidProject(BadInput):
    """A project file parses but does not make a lawful project."""

    code: ClassVar[str] = "invalid-project"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INVALID_ARGUMENT",
        http=400,
        exit_code=BAD_INPUT,
        sentence="the project is not valid: {problem}",
        remedy="correct the project file and add it again",
    )
    problem: str


@dataclass(eq=False, kw_only=True)
class InvalidProfile(BadInput):
    """An encoding profile is not one that we can or will encode with."""

    code: ClassVar[str] = "invalid-profile"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INVALID_ARGUMENT",
        http=400,
        exit_code=BAD_INPUT,
        sentence="the encoding profile is not valid: {problem}",
        remedy="choose a profile that this version offers, for the fields that the providers share",
    )
    problem: str


@dataclass(eq=False, kw_only=True)
class InvalidLinkageSchema(BadInput):
    """A linkage schema is not a valid clkhash schema of version 1, 2 or 3."""

    code: ClassVar[str] = "invalid-linkage-schema"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INVALID_ARGUMENT",
        http=400,
        exit_code=BAD_INPUT,
        sentence="the linkage schema is not valid at {where}: {problem}",
        remedy="correct the schema; docs/protocol.md lists what a schema may hold",
    )
    where: str
    problem: str


@dataclass(eq=False, kw_only=True)
class ChunkDamaged(BadInput):
    """A chunk's bytes do not match its digest or its place."""

    code: ClassVar[str] = "chunk-damaged"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="DATA_LOSS",
        http=400,
        exit_code=BAD_INPUT,
        sentence="chunk {index} arrived damaged: {problem}",
        remedy="run the submission again; it goes on from the last chunk that was stored",
    )
    index: int
    problem: str


@dataclass(eq=False, kw_only=True)
class SubmissionIncomplete(BadInput):
    """A submission was closed before all of its chunks were stored."""

    code: ClassVar[str] = "submission-incomplete"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=BAD_INPUT,
        sentence="the submission holds {stored} of {declared} chunks",
        remedy="run the submission again; it goes on from the last chunk that was stored",
    )
    stored: int
    declared: int


@dataclass(eq=False, kw_only=True)
class SubmissionMalformed(BadInput):
    """A submission breaks a gate: size, length, duplicate handles or digest."""

    code: ClassVar[str] = "submission-malformed"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INVALID_ARGUMENT",
        http=400,
        exit_code=BAD_INPUT,
        sentence="the submission is not acceptable: {problem}",
        remedy="nothing of it was kept for matching; prepare it again from the source",
    )
    problem: str


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
        sentence="the linkage key of {party} is not the one that the lead {lead} uses",
        remedy="import the key file that the lead handed out for this project, then try again; no record left",
    )
    party: str
    lead: str


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


@dataclass(eq=False, kw_only=True)
class RoundStateMismatch(Conflict):
    """The round is not in a state in which this can be done."""

    code: ClassVar[str] = "round-state"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=CONFLICT,
        sentence="round {round_id} is {state}; this needs {needed}",
        remedy="see whom the round waits for with the status command",
    )
    round_id: str
    state: str
    needed: str


@dataclass(eq=False, kw_only=True)
class IllegalTransition(Conflict):
    """The state machine has no such step."""

    code: ClassVar[str] = "illegal-transition"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=CONFLICT,
        sentence="a round that is {state} cannot become {wanted}",
        remedy="docs/reference/round-states.md shows every step that a round can take",
    )
    state: str
    wanted: str


@dataclass(eq=False, kw_only=True)
class StateChanged(Conflict):
    """Somebody else changed the thing first."""

    code: ClassVar[str] = "state-changed"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="ABORTED",
        http=409,
        exit_code=CONFLICT,
        sentence="the {kind} {id} changed while this was done",
        remedy="look at it again and repeat what is still needed",
    )
    kind: str
    id: str


@dataclass(eq=False, kw_only=True)
class SubmissionConflict(Conflict):
    """Other content for a slot that already holds some."""

    code: ClassVar[str] = "submission-conflict"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="ALREADY_EXISTS",
        http=409,
        exit_code=CONFLICT,
        sentence="this party has already sent other content for round {round_id} ({slot})",
        remedy="what was sent first stands; to send other content, ask the lead for a new round",
    )
    round_id: str
    slot: str


@dataclass(eq=False, kw_only=True)
class AlreadyExists(Conflict):
    """A thing of that name is there and differs."""

    code: ClassVar[str] = "already-exists"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="ALREADY_EXISTS",
        http=409,
        exit_code=CONFLICT,
        sentence="the {kind} {id} exists already",
        remedy="choose another name, or use the one that is there",
    )
    kind: str
    id: str


@dataclass(eq=False, kw_only=True)
class NotFound(Conflict):
    """There is no such thing."""

    code: ClassVar[str] = "not-found"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="NOT_FOUND",
        http=404,
        exit_code=CONFLICT,
        sentence="there is no {kind} {id}",
        remedy="check the name",
    )
    kind: str
    id: str


@dataclass(eq=False, kw_only=True)
class NotReady(Conflict):
    """The thing will exist, but does not yet."""

    code: ClassVar[str] = "not-ready"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=CONFLICT,
        sentence="the {kind} {id} is not ready: {waiting_for}",
        remedy="try again when that is done",
    )
    kind: str
    id: str
    waiting_for: str


@dataclass(eq=False, kw_only=True)
class Unreachable(IsthmusError):
    """The other side did not answer."""

    code: ClassVar[str] = "unreachable"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="UNAVAILABLE",
        http=503,
        exit_code=UNREACHABLE,
        sentence="the coordinator at {address} cannot be reached: {problem}",
        remedy="check the address and the network, then run this again; nothing is lost",
    )
    address: str
    problem: str


@dataclass(eq=False, kw_only=True)
class Internal(IsthmusError):
    """A fault of ours; its cause stays in the local log under the reference."""

    code: ClassVar[str] = "internal"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INTERNAL",
        http=500,
        exit_code=INTERNAL,
        sentence="something went wrong on the other side (reference {reference})",
        remedy="give the reference to the operator, whose log holds the cause",
    )
    reference: str


def _remake(cls: type[IsthmusError], known: dict[str, Any]) -> IsthmusError:
    return cls(**known)


def _leaves(root: type[IsthmusError]) -> list[type[IsthmusError]]:
    below = root.__subclasses__()
    return [root] if not below else [leaf for child in below for leaf in _leaves(child)]


ERRORS: dict[str, type[IsthmusError]] = {leaf.code: leaf for leaf in _leaves(IsthmusError)}
"""Every error that may cross a wire, by code. Errors that a program defines for itself are not in it."""


def rebuild(code: str, known: dict[str, str]) -> IsthmusError:
    """Rebuild an error from its code and text fields, as it came over a wire.

    Numbers come back as numbers. An unknown code, or fields that do not fit it, gives `Internal` with the code as
    reference, because a newer peer may know errors that this program does not.
    """
    cls = ERRORS.get(code)
    if cls is None:
        return Internal(reference=code)
    wanted = {field.name: field.type in (int, "int") for field in fields(cls)}
    if set(wanted) != set(known):
        return Internal(reference=code)
    try:
        return cls(**{name: int(known[name]) if numeric else known[name] for name, numeric in wanted.items()})
    except ValueError:
        return Internal(reference=code)
