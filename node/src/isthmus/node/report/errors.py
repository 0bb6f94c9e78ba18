"""Errors of the data-quality report; they never cross a wire.

Refused
└── TooFewRows            the data set is too small for a report that may leave
"""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors import REFUSED, ErrorSpec, Refused


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
