"""Errors of matching.

BadInput
├── TooManyCandidates    more pairs of rows look alike than this coordinator will hold
└── CrowdedRows          some rows look like more others than any person's row would
"""

from dataclasses import dataclass
from typing import ClassVar

from isthmus.contract.errors import BAD_INPUT, BadInput, ErrorSpec


@dataclass(eq=False, kw_only=True)
class TooManyCandidates(BadInput):
    """More pairs reach the threshold than the limit allows; `fits` is the lowest threshold that would fit, if any."""

    code: ClassVar[str] = "too-many-candidates"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="RESOURCE_EXHAUSTED",
        http=422,
        exit_code=BAD_INPUT,
        sentence="{found} pairs of rows reach the similarity threshold {threshold}, and {limit} are allowed; "
        "the lowest threshold that would fit: {fits}",
        remedy="propose a new round with a higher threshold or with more linkage fields, and check the files for "
        "rows in which most fields are missing; or let the coordinator hold more (matching.max_pairs)",
    )
    threshold: float
    limit: int
    found: int
    fits: str


@dataclass(eq=False, kw_only=True)
class CrowdedRows(BadInput):
    """Some rows are in more candidate pairs than the limit allows; `fits` as in `TooManyCandidates`."""

    code: ClassVar[str] = "crowded-rows"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="RESOURCE_EXHAUSTED",
        http=422,
        exit_code=BAD_INPUT,
        sentence="{rows} row(s) have more than {limit} candidates each at the similarity threshold {threshold}; "
        "the lowest threshold that would fit: {fits}",
        remedy="check the files for rows in which most fields are missing or hold a stand-in, propose a new round with "
        "a higher threshold, or let rows have more candidates (matching.max_pairs_of_row)",
    )
    threshold: float
    limit: int
    rows: int
    fits: str
