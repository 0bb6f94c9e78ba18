"""Errors of disclosure control.

BadInput
└── TableNotReleasable   no set of hidden cells protects the table
"""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors import BAD_INPUT, BadInput, ErrorSpec


@dataclass(eq=False, kw_only=True)
class TableNotReleasable(BadInput):
    """A small count of the table follows from its shape alone, whatever is hidden."""

    code: ClassVar[str] = "table-not-releasable"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="FAILED_PRECONDITION",
        http=422,
        exit_code=BAD_INPUT,
        sentence="the table {title} cannot be released: a small count would follow even if every cell were hidden",
        remedy="ask for a table with fewer or wider categories",
    )
    title: str
