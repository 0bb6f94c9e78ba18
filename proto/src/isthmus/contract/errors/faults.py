"""Nobody's wrongdoing: the network, a disk, or a fault of ours."""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors.base import INTERNAL, UNREACHABLE, ErrorSpec, IsthmusError, Passing


@dataclass(eq=False, kw_only=True)
class Unreachable(Passing):
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
class StorageUnavailable(Passing):
    """The coordinator cannot write to its disk or its database; what was being done is undone."""

    code: ClassVar[str] = "storage-unavailable"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="UNAVAILABLE",
        http=503,
        exit_code=UNREACHABLE,
        sentence="the coordinator cannot store anything at the moment: {problem}",
        remedy="its operator has to see to its disk; run this again later, what was acknowledged before is kept",
    )
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
