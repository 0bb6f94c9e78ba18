"""Errors of the data-quality report; they never cross a wire.

BadInput
└── PageUnwritable        the page cannot be written where it was asked for
Conflict
└── PageExists            there is a file of that name
Refused
└── TooFewRows            the data set is too small for a report that may leave
"""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors import CONFLICT, REFUSED, BadInput, Conflict, ErrorSpec, Refused
from isthmus.party.commands import EXIT_SETTINGS


@dataclass(eq=False, kw_only=True)
class PageExists(Conflict):
    """A page is not overwritten unless somebody says so."""

    code: ClassVar[str] = "page-exists"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="ALREADY_EXISTS",
        http=409,
        exit_code=CONFLICT,
        sentence="the file {file} is there already, and nothing was counted or written",
        remedy="give --html another name, or overwrite the file with --force",
    )
    file: str


@dataclass(eq=False, kw_only=True)
class PageUnwritable(BadInput):
    """The page cannot be written where it was asked for."""

    code: ClassVar[str] = "page-unwritable"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=EXIT_SETTINGS,
        sentence="the page cannot be written as {file}: {problem}",
        remedy="give --html a file in a folder that is there and that you may write to, such as report.html",
    )
    file: str
    problem: str


@dataclass(eq=False, kw_only=True)
class TooFewRows(Refused):
    """The data set is too small for a report that may leave the node."""

    code: ClassVar[str] = "too-few-rows-to-share"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=409,
        exit_code=REFUSED,
        sentence="a data set of fewer than {least} rows has no report that may be shared",
        remedy="leave out --for-sharing and keep the report inside your organisation",
    )
    least: int
