"""How good the links of a round are, by estimation: the document `isthmus/quality/1` for members and analysts.

For every two providers it holds estimates with intervals, what each level of agreement weighs, the commonest patterns
of levels, how the overlap depends on acceptance, and how many planted people were found. Nothing in it is of one row or
one person. It is made by the coordinator's disclosure control alone, which says what may leave and why; here are its
shape and its bytes. Who may read a report is decided where it is fetched.

A count is a number or `None` where it is hidden. An estimate is an `Interval`, or `NotEnoughData` with the reason.
"""

from enum import StrEnum
from typing import Annotated, Final

import msgspec

from isthmus.contract.canonical import canonical_bytes, read_canonical
from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import PartyId, RoundId, is_party_id
from isthmus.contract.levels import LEVELS
from isthmus.contract.text import is_plain_line

QUALITY_FORMAT: Final = "isthmus/quality/1"
CONFIDENCE: Final = 0.9
"""Of all intervals: so often, by the assumptions of the estimate, the truth is inside."""

MOST_BITS: Final = 10.0
"""Odds of patterns are cut there, either way: a thousand to one."""

MAX_QUALITY_BYTES: Final = 3 << 20
"""A report fits into one message of a call."""

LONGEST_RULE: Final = 200
"""Characters of one of the sentences that say what is hidden."""

MOST_PROVIDERS: Final = 60
"""A round of more has no report: that of 1,770 pairs of them, without weights and patterns, fits into a message."""

LEAST_GROUP: Final = 2
_DOCUMENT: Final = "quality report"

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class TooLittle(StrEnum):
    """Why there is no estimate."""

    FEW_ROWS = "few-rows"
    FEW_LINKS = "few-links"
    FEW_RANDOM_PAIRS = "few-random-pairs"
    FEW_PLANTED = "few-planted"
    HIDDEN = "hidden"


class Interval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="interval"):
    """An estimate and the ends of its interval, all shares: `low` <= `value` <= `high`."""

    value: Share
    low: Share
    high: Share


class NotEnoughData(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="not-enough-data"
):
    """There is too little to go by, and this is what there is too little of."""

    reason: TooLittle


Estimate = Interval | NotEnoughData


class LevelWeight(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a level of a field says: log2 of how much more often one person's pairs have it than random pairs.

    `bounded` says that the level is too rare in one or the other to be weighed exactly.
    """

    field: str
    level: str
    weight: float
    bounded: bool


class Pattern(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A level for each field of the pair, "" where a row lacks it; how many pairs have that; and what it weighs.

    `odds` is log2 of the odds that such a pair is one person, before its rivals count, cut at `MOST_BITS`;
    `None` where there are too few links to weigh anything.
    """

    levels: tuple[str, ...]
    accepted: bool
    pairs: Count
    odds: float | None


class Rung(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many people are in both providers' data if links are accepted from this probability on.

    At the round's own acceptance the count is exact, elsewhere its change is cut to coarse steps.
    """

    acceptance: Share
    both: Count | None


class Band(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The clerical band: pairs whose probability is at least `low` and below `high`, rounded down to a coarse step."""

    low: Share
    high: Share
    pairs: Count | None


class Planted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Made-up people that both providers added, how many of them were linked rightly, and the recall that follows."""

    planted: Count
    found: Count
    recall: Estimate


class PairQuality(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Two providers' links. `prior` is log2 of the odds of a random pair, if weights are given.

    `rows` are hidden where the released overlap table hides them, or they would tell what it hides.
    """

    left: PartyId
    right: PartyId
    rows: tuple[Count | None, Count | None]
    fields: tuple[str, ...]
    candidate_pairs: Count | None
    accepted: Count | None
    precision: Estimate
    recall_of_candidates: Estimate
    recall: Estimate
    f1: Estimate
    planted: Planted
    prior: float | None
    weights: tuple[LevelWeight, ...]
    patterns: tuple[Pattern, ...]
    ladder: tuple[Rung, ...]
    band: Band


class QualityReport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of a round. `acceptance` is the least probability of a link; `rules` say in sentences what is hidden."""

    format: str
    round_id: RoundId
    acceptance: Share
    min_cell_count: int
    rules: tuple[str, ...]
    pairs: tuple[PairQuality, ...]

    def to_bytes(self) -> bytes:
        """Give the canonical bytes."""
        return canonical_bytes(msgspec.to_builtins(self))


def quality_from_bytes(data: bytes) -> QualityReport:
    """Read a quality report.

    Raises:
        MalformedDocument: it is not one in canonical form, or says what no report can say.
        UnsupportedVersion: its format is one that this version does not know.
    """
    if len(data) > MAX_QUALITY_BYTES:
        raise MalformedDocument(document=_DOCUMENT, problem=f"it is over {MAX_QUALITY_BYTES} bytes long")
    report = read_canonical(data, QualityReport, document=_DOCUMENT, version=QUALITY_FORMAT)
    if report.min_cell_count < LEAST_GROUP:
        raise MalformedDocument(document=_DOCUMENT, problem="its rule protects nobody")
    if not all(is_plain_line(rule, LONGEST_RULE) for rule in report.rules):
        raise MalformedDocument(document=_DOCUMENT, problem="a rule of it is no plain sentence")
    for pair in report.pairs:
        problem = _problem(pair, report.min_cell_count)
        if problem:
            raise MalformedDocument(document=_DOCUMENT, problem=problem)
    return report


def quality_of_round(data: bytes, round_id: RoundId) -> QualityReport:
    """Read the quality report of a round; raises what `quality_from_bytes` does, also where it is of another round."""
    report = quality_from_bytes(data)
    if report.round_id != round_id:
        raise MalformedDocument(document=_DOCUMENT, problem="it is of another round")
    return report


def _problem(pair: PairQuality, least: int) -> str | None:
    """Say what is wrong with a pair of providers, if anything is."""
    counts = (pair.candidate_pairs, pair.accepted, pair.band.pairs, *(rung.both for rung in pair.ladder))
    known = set(pair.fields) <= LEVELS.keys()
    checks = {
        "a provider's id is none": is_party_id(pair.left) and is_party_id(pair.right),
        "a count is smaller than its rule lets be shown": all(
            count is None or count >= least for count in (*counts, *(one.pairs for one in pair.patterns))
        ),
        "an interval does not hold its value": all(map(_in_order, _estimates(pair))),
        "more planted people are found than there are": pair.planted.found <= pair.planted.planted,
        "the clerical band has no width": pair.band.low < pair.band.high,
        "odds are larger than can be": all(abs(one.odds or 0.0) <= MOST_BITS for one in pair.patterns),
        "it names a field that is none": known,
        "a pattern or a weight names a level that is none": known and _known_levels(pair),
    }
    return next((problem for problem, holds in checks.items() if not holds), None)


def _estimates(pair: PairQuality) -> tuple[Estimate, ...]:
    return (pair.precision, pair.recall_of_candidates, pair.recall, pair.f1, pair.planted.recall)


def _in_order(estimate: Estimate) -> bool:
    return isinstance(estimate, NotEnoughData) or estimate.low <= estimate.value <= estimate.high


def _known_levels(pair: PairQuality) -> bool:
    return all(one.field in pair.fields and one.level in LEVELS[one.field].names for one in pair.weights) and all(
        len(pattern.levels) == len(pair.fields)
        and all(
            level == "" or level in LEVELS[field].names
            for field, level in zip(pair.fields, pattern.levels, strict=True)
        )
        for pattern in pair.patterns
    )
