"""Errors that any party may meet, and the one table that maps them to wires, exit codes and sentences.

    IsthmusError
    ├── BadInput             the caller's material is wrong; sending it again will not help
    │   ├── MalformedMessage · MalformedDocument · UnsupportedVersion
    │   ├── InvalidAgreement · InvalidProject · InvalidProfile · InvalidLinkageSchema
    │   ├── ChunkDamaged · SubmissionIncomplete · SubmissionMalformed
    │   └── AnswersIncomplete · AnswersMalformed
    ├── Refused              the caller may not do this
    │   ├── Unauthenticated · CertificateExpired · CertificateUnknown · EnrolmentTokenInvalid
    │   ├── PermissionDenied · NotAMember · SignatureInvalid
    │   └── WrongLinkageKey · KnownAnswersDiffer · WrongProfile · WrongManifest
    ├── Conflict             the request does not fit the state of things
    │   ├── RoundStateMismatch · IllegalTransition · StateChanged
    │   ├── SubmissionConflict · AlreadyExists · AgreementNotInForce
    │   └── NotFound · NotReady · NoQualityReport
    ├── Passing              nobody did anything wrong; trying again may help
    │   └── Unreachable · StorageUnavailable
    └── Internal             a fault of ours; only an opaque reference is shown

Each class has a stable `code`, typed fields and one row in `ERRORS`. A sentence never holds a field value of a person,
an encoding, a key or a count below a threshold: fields are ids, names of columns and settings, and row numbers.
"""

import re
from dataclasses import fields
from typing import Final

from isthmus.contract.errors.bad_input import (
    AnswersIncomplete,
    AnswersMalformed,
    ChunkDamaged,
    InvalidAgreement,
    InvalidLinkageSchema,
    InvalidProfile,
    InvalidProject,
    MalformedDocument,
    MalformedMessage,
    SubmissionIncomplete,
    SubmissionMalformed,
    UnsupportedVersion,
)
from isthmus.contract.errors.base import (
    BAD_INPUT,
    CONFLICT,
    INTERNAL,
    REFUSED,
    UNREACHABLE,
    BadInput,
    Conflict,
    ErrorSpec,
    IsthmusError,
    Passing,
    Refused,
)
from isthmus.contract.errors.conflict import (
    AgreementNotInForce,
    AlreadyExists,
    IllegalTransition,
    NoQualityReport,
    NotFound,
    NotReady,
    RoundStateMismatch,
    StateChanged,
    SubmissionConflict,
)
from isthmus.contract.errors.faults import Internal, StorageUnavailable, Unreachable
from isthmus.contract.errors.refused import (
    CertificateExpired,
    CertificateUnknown,
    EnrolmentTokenInvalid,
    KnownAnswersDiffer,
    NotAMember,
    PermissionDenied,
    SignatureInvalid,
    Unauthenticated,
    WrongLinkageKey,
    WrongManifest,
    WrongProfile,
)
from isthmus.contract.text import made_plain

__all__ = [
    "BAD_INPUT",
    "CONFLICT",
    "ERRORS",
    "INTERNAL",
    "REFUSED",
    "UNREACHABLE",
    "AgreementNotInForce",
    "AlreadyExists",
    "AnswersIncomplete",
    "AnswersMalformed",
    "BadInput",
    "CertificateExpired",
    "CertificateUnknown",
    "ChunkDamaged",
    "Conflict",
    "EnrolmentTokenInvalid",
    "ErrorSpec",
    "IllegalTransition",
    "Internal",
    "InvalidAgreement",
    "InvalidLinkageSchema",
    "InvalidProfile",
    "InvalidProject",
    "IsthmusError",
    "KnownAnswersDiffer",
    "MalformedDocument",
    "MalformedMessage",
    "NoQualityReport",
    "NotAMember",
    "NotFound",
    "NotReady",
    "Passing",
    "PermissionDenied",
    "Refused",
    "RoundStateMismatch",
    "SignatureInvalid",
    "StateChanged",
    "StorageUnavailable",
    "SubmissionConflict",
    "SubmissionIncomplete",
    "SubmissionMalformed",
    "Unauthenticated",
    "Unreachable",
    "UnsupportedVersion",
    "WrongLinkageKey",
    "WrongManifest",
    "WrongProfile",
    "rebuild",
]


def _leaves(root: type[IsthmusError]) -> list[type[IsthmusError]]:
    below = root.__subclasses__()
    return [root] if not below else [leaf for child in below for leaf in _leaves(child)]


ERRORS: dict[str, type[IsthmusError]] = {leaf.code: leaf for leaf in _leaves(IsthmusError)}
"""Every error that may cross a wire, by code. Errors that a program defines for itself are not in it."""


LONGEST_FIELD: Final = 2000

_CODE: Final = re.compile(r"[a-z0-9-]{1,40}")


def rebuild(code: str, known: dict[str, str]) -> IsthmusError:
    """Rebuild an error from its code and text fields, as it came over a wire.

    Numbers come back as numbers. An unknown code, or fields that do not fit it, gives `Internal` with the code as
    reference, because a newer peer may know errors that this program does not. What the peer wrote is cut and made
    plain: it will be read at a terminal.
    """
    unknown = Internal(reference=code if _CODE.fullmatch(code) else "not given")
    cls = ERRORS.get(code)
    if cls is None:
        return unknown
    wanted = {field.name: field.type in (int, "int") for field in fields(cls)}
    if set(wanted) != set(known):
        return unknown
    try:
        return cls(**{name: int(known[name]) if numeric else _shown(known[name]) for name, numeric in wanted.items()})
    except ValueError:
        return unknown


def _shown(text: str) -> str:
    """Give a peer's text cut to a line that can do nothing but be read."""
    return made_plain(text[:LONGEST_FIELD])
