"""Errors of matching.

BadInput
└── TooManyCandidates    more pairs of rows look alike than this coordinator will hold in memory
"""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors import BAD_INPUT, BadInput, ErrorSpec


@dataclass(eq=False, kw_only=True)
class TooManyCandidates(BadInput):
    """More pairs reach the threshold than the limit allows; nothing of them was kept."""

    code: ClassVar[str] = "too-many-candidates"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="RESOURCE_EXHAUSTED",
        http=422,
        exit_code=BAD_INPUT,
        sentence="more than {limit} pairs of rows reach the similarity threshold {threshold}",
        remedy="propose a new round with a higher threshold or with more linkage fields, and check the files for "
        "rows in which most fields are missing",
    )
    threshold: float
    limit: int
