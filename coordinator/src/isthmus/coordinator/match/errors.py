"""Errors of matching.

BadInput
├── TooManyCandidates    more pairs of rows look alike than this coordinator will hold
├── TooManyBestPairs     the best candidates of each row are more than this coordinator will hold
├── CrowdedRows          some rows look like more others than any person's row would
└── NotEnoughMemory      the round may take more memory than matching is allowed
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


@dataclass(eq=False, kw_only=True)
class TooManyBestPairs(BadInput):
    """The best candidates of each row are more pairs than the limit; `enough` is a limit that no files exceed."""

    code: ClassVar[str] = "too-many-best-pairs"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="RESOURCE_EXHAUSTED",
        http=422,
        exit_code=BAD_INPUT,
        sentence="the best candidates of each row, and the rows with equal match keys, are more than {limit} pairs; "
        "no threshold changes that",
        remedy="let the coordinator hold more (matching.max_pairs; {enough} are enough whatever the files hold) and "
        "retry the round, or check the files for rows that come again and again",
    )
    limit: int
    enough: int


@dataclass(eq=False, kw_only=True)
class NotEnoughMemory(BadInput):
    """Matching may take more memory than the setting allows; `needed_mib` is the smallest setting that is enough."""

    code: ClassVar[str] = "not-enough-memory"
    spec: ClassVar[ErrorSpec] = ErrorSpec(
        status="RESOURCE_EXHAUSTED",
        http=422,
        exit_code=BAD_INPUT,
        sentence="matching {rows} rows may take {needed_mib} MiB of memory, and {limit_mib} are allowed; nothing was "
        "compared",
        remedy="set matching.memory_mib to {needed_mib} or more if the machine has it, or matching.max_pairs to less, "
        "start the coordinator again and retry the round",
    )
    rows: int
    limit_mib: int
    needed_mib: int
