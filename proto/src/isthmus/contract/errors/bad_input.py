"""The caller's material is wrong; sending it again will not help."""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors.base import BAD_INPUT, BadInput, ErrorSpec


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
class InvalidAgreement(BadInput):
    """An agreement file parses but does not make a lawful agreement, or does not follow from what is there."""

    code: ClassVar[str] = "invalid-agreement"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INVALID_ARGUMENT",
        http=400,
        exit_code=BAD_INPUT,
        sentence="the agreement is not valid: {problem}",
        remedy="correct the agreement file; isthmus-node agreement check FILE says all that is wrong or missing",
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
class AnswersIncomplete(BadInput):
    """Answers were closed before all of their chunks were stored."""

    code: ClassVar[str] = "answers-incomplete"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=BAD_INPUT,
        sentence="the answers about pairs with {other} hold {stored} of {declared} chunks",
        remedy="run the node again; it goes on from the last chunk that was stored",
    )
    other: str
    stored: int
    declared: int


@dataclass(eq=False, kw_only=True)
class AnswersMalformed(BadInput):
    """Answers, or what is declared of them, are not what the request asks for."""

    code: ClassVar[str] = "answers-malformed"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="INVALID_ARGUMENT",
        http=400,
        exit_code=BAD_INPUT,
        sentence="the answers about pairs with {other} are not acceptable: {problem}",
        remedy="nothing of them counts; run the node again, and if that does not help, update the older of the two "
        "programs",
    )
    other: str
    problem: str
