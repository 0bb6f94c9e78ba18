"""Nobody's wrongdoing: the network, or a fault of ours."""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors.base import INTERNAL, UNREACHABLE, ErrorSpec, IsthmusError


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
