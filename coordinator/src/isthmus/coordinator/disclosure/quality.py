"""The one way out for what is known of links: `release_quality` makes a `ReleasedQuality`, and nothing else makes one.

What may leave, of two providers whose overlap the released overlap table shows, and why:

- *Rows* where that table shows them, and *planted people*, who are nobody. Rows that it hides would, less the overlaps
  that it shows, give the number of people whom a provider shares with nobody.
- *Counts of candidates, of links and of their commonest patterns of levels*. They go through `release` as one table,
  with the sums that tie them together, so that no shown total gives a small pattern away. Patterns that are rare, or
  hidden to protect those, are not listed: a rare pattern, "all equal but the last name", may be one known person.
  Where a third provider may link more people, totals are hidden, lest it follows how many it links.
- *Overlap at other acceptances* and the *clerical band*: the changes are cut to multiples of twice the smallest count
  that may be shown. One exact count less another would be how many people a few hundredths of probability decide.
- *What levels and patterns weigh*, one decimal, where there are links enough that this hides `min_cell_count` of them.
  A level that fewer pairs have is weighed as if so many had it, and not at all where both kinds of pairs have it as
  rarely. Odds of patterns are cut at `MOST_BITS` for the same reason.
- *Estimates*, three decimals, ends rounded outwards. They come from a model, a draw and the number of rivals.

Of more than `MOST_DETAILED` pairs of providers weights and patterns are left out, for the report's size alone.

Where the overlap table hides what both providers share, or that is less than may be shown, all of this is hidden but
rows and planted people. Never there: a row, a pair, a probability of one pair, which rows are doubtful.

*Adversary*: a reader of this document and of the overlap table who knows the relations among counts. He is taken not to
know which rivals took how much from which pair, which blurs what a pattern says of a step of the ladder. Who knows this
program learns no more: what is not listed is one number, which patterns that are all rare would give as well.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import InitVar, dataclass
from dataclasses import field as kept
from itertools import accumulate
from math import ceil, floor, log2
from typing import Final

import msgspec

from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.quality import (
    MOST_BITS,
    QUALITY_FORMAT,
    Band,
    Estimate,
    Interval,
    LevelWeight,
    NotEnoughData,
    PairQuality,
    Pattern,
    Planted,
    QualityReport,
    Rung,
    TooLittle,
    quality_from_bytes,
)
from isthmus.coordinator.disclosure.release import DisclosureRules, release
from isthmus.coordinator.disclosure.table import Cell, Key, Relation, Table

MOST_PATTERNS: Final = 12
"""Of links, and as many of other candidates."""

LINKS_FOR_WEIGHTS: Final = 30
"""So many times `min_cell_count` links: a tenth of a bit is 7 % of a share, then more than `min_cell_count` pairs."""

MOST_DETAILED: Final = 190
"""Pairs of providers, all of 20: with weights and patterns of more, a report might not fit into a message."""

_PER_THOUSAND: Final = 1_000
_LINKS: Final[Key] = ("links",)
_CANDIDATES: Final[Key] = ("candidates",)
_HIDDEN: Final = NotEnoughData(reason=TooLittle.HIDDEN)
_WITHOUT_DETAIL: Final = "What levels and patterns weigh is left out: there are too many pairs of providers to list it."
_SEAL: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelFigures:
    """How often a level comes in one person's pairs and in random ones, shares above 0."""

    field: str
    level: str
    match: float = kept(repr=False)
    random: float = kept(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternFigures:
    """How many candidates have these levels, "" for a missing field, and are links or not; log2 of their odds."""

    levels: tuple[str, ...]
    accepted: bool
    pairs: int = kept(repr=False)
    odds: float = kept(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFigures:
    """All that is known of the links of two providers, before disclosure control; `repr` shows no figure of it.

    `overlap_shown` and `rows_shown` say whether the released overlap table shows how many people both have, and the
    rows (people, where they may repeat) of each; `alone` whether there is no third provider through whom more of them
    are linked; `prior` is in bits; `patterns` are all of them, whose numbers of pairs add up to `candidate_pairs` and,
    where accepted, to `links`; `steps` are (acceptance, people in both) for rising acceptances, that of the project
    among them; `band` is (low, high, pairs). Raises `ValueError` where patterns do not add up.
    """

    left: PartyId
    right: PartyId
    overlap_shown: bool
    rows_shown: tuple[bool, bool]
    alone: bool
    rows: tuple[int, int]
    fields: tuple[str, ...]
    candidate_pairs: int = kept(repr=False)
    links: int = kept(repr=False)
    precision: Estimate = kept(repr=False)
    recall_of_candidates: Estimate = kept(repr=False)
    recall: Estimate = kept(repr=False)
    f1: Estimate = kept(repr=False)
    planted: Planted
    prior: float = kept(repr=False)
    random_pairs: int
    levels: tuple[LevelFigures, ...]
    patterns: tuple[PatternFigures, ...]
    steps: tuple[tuple[float, int], ...] = kept(repr=False)
    band: tuple[float, float, int] = kept(repr=False)

    def __post_init__(self) -> None:
        """Check the sums; no message holds a count."""
        if sum(one.pairs for one in self.patterns) != self.candidate_pairs:
            raise ValueError("the patterns do not add up to the candidates")
        if sum(one.pairs for one in self.patterns if one.accepted) != self.links:
            raise ValueError("the patterns of links do not add up to the links")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedQuality:
    """A quality report that is safe to give away: made by `release_quality`, or by `reopen_quality` from its bytes.

    Making one in any other way raises `TypeError`. Copies and pickles go through the canonical bytes.
    """

    report: QualityReport
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        """Refuse every maker but this module."""
        if seal is not _SEAL:
            raise TypeError("only release_quality() makes a ReleasedQuality")

    def to_bytes(self) -> bytes:
        """Give the canonical bytes: the same for equal reports, on every machine."""
        return self.report.to_bytes()

    def __reduce__(self) -> tuple[Callable[[bytes], "ReleasedQuality"], tuple[bytes]]:
        """Pickle as the canonical bytes, so that unpickling checks what it reads."""
        return reopen_quality, (self.to_bytes(),)


def release_quality(
    figures: Sequence[PairFigures], *, round_id: RoundId, acceptance: float, rules: DisclosureRules
) -> ReleasedQuality:
    """Give the report without what the rules hide.

    Args:
        figures: of every two providers.
        round_id: of the round.
        acceptance: the least probability of a link.
        rules: those of the project.

    Raises:
        ValueError: the steps of a ladder do not have the project's acceptance.
    """
    pairs = tuple(_released(one, acceptance, rules) for one in figures)
    detailed = len(pairs) <= MOST_DETAILED
    report = QualityReport(
        format=QUALITY_FORMAT,
        round_id=round_id,
        acceptance=acceptance,
        min_cell_count=rules.min_cell_count,
        rules=(*_for_people(rules.min_cell_count), *(() if detailed else (_WITHOUT_DETAIL,))),
        pairs=pairs if detailed else tuple(map(_without_detail, pairs)),
    )
    # The same checks as at whoever reads it.
    return reopen_quality(report.to_bytes())


def reopen_quality(data: bytes) -> ReleasedQuality:
    """Give the released report whose canonical bytes these are; raises what `quality_from_bytes` does."""
    return ReleasedQuality(report=quality_from_bytes(data), seal=_SEAL)


def _for_people(least: int) -> tuple[str, ...]:
    return (
        f"Patterns of fewer than {least} pairs are not listed, and others where these would follow from sums.",
        f"Overlap at other acceptances and the clerical band change in steps of {2 * least}, rounded down.",
        f"A level that fewer than {least} pairs have is weighed as if {least} had it, or not at all.",
        f"All about their links is hidden where two providers share fewer than {least} people, or a hidden number.",
        f"Why pairs are links is shown from {LINKS_FOR_WEIGHTS * least:,} links on, or it would tell of few people.",
        "Numbers of rows are hidden where the overlap table hides them.",
        "Estimates come from a model and not from the truth; intervals hold 90 of 100 times if its assumptions do.",
    )


def _released(one: PairFigures, acceptance: float, rules: DisclosureRules) -> PairQuality:
    both = dict(one.steps).get(acceptance)
    if both is None:
        raise ValueError("a ladder must have a step at the project's acceptance")
    hidden = PairQuality(
        left=one.left,
        right=one.right,
        rows=_shown_rows(one),
        fields=one.fields,
        candidate_pairs=None,
        accepted=None,
        precision=_HIDDEN,
        recall_of_candidates=_HIDDEN,
        recall=_HIDDEN,
        f1=_HIDDEN,
        planted=one.planted,
        prior=None,
        weights=(),
        patterns=(),
        ladder=(),
        band=Band(low=one.band[0], high=one.band[1], pairs=None),
    )
    shown = one.overlap_shown and min(both, one.links) >= rules.min_cell_count
    return _with_counts(hidden, one, both, rules) if shown else hidden


def _shown_rows(one: PairFigures) -> tuple[int | None, int | None]:
    left, right = (count if shown else None for count, shown in zip(one.rows, one.rows_shown, strict=True))
    return left, right


def _without_detail(pair: PairQuality) -> PairQuality:
    return msgspec.structs.replace(pair, prior=None, weights=(), patterns=())


def _with_counts(hidden: PairQuality, one: PairFigures, both: int, rules: DisclosureRules) -> PairQuality:
    least = rules.min_cell_count
    counts = _released_counts(one, both, rules)
    return msgspec.structs.replace(
        hidden,
        candidate_pairs=counts.candidate_pairs,
        accepted=counts.links,
        precision=_rounded(one.precision),
        recall_of_candidates=_rounded(one.recall_of_candidates),
        recall=_rounded(one.recall),
        f1=_rounded(one.f1),
        prior=round(one.prior, 1) if _weighable(one, least) else None,
        weights=tuple(_weights(one, least)) if _weighable(one, least) else (),
        patterns=counts.patterns,
        ladder=tuple(Rung(acceptance=at, both=_changed(both, then, least)) for at, then in one.steps),
        band=msgspec.structs.replace(hidden.band, pairs=_cut(one.band[2], least) or None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    candidate_pairs: int | None = None
    links: int | None = None
    patterns: tuple[Pattern, ...] = ()


def _released_counts(one: PairFigures, both: int, rules: DisclosureRules) -> _Counts:
    links = _commonest(one, rules.min_cell_count, accepted=True)
    others = _commonest(one, rules.min_cell_count, accepted=False)
    weighed = _weighable(one, rules.min_cell_count)
    if not one.alone or both != one.links:
        return _Counts(
            patterns=tuple(
                _pattern(of, weighed=weighed)
                for of in [*_sheltered(links, both=both, least=rules.min_cell_count), *others]
            )
        )
    counts = _shown(_table(one, links, others), rules)
    if counts[_LINKS] is None:
        # The overlap table shows them all the same, as people in both. The total of candidates is given up instead; by
        # itself the total of links is never hidden, for the parts of it that are hidden can be as many as all.
        counts = _shown(_table_of_links(one, links), rules)
    return _Counts(
        candidate_pairs=counts.get(_CANDIDATES),
        links=one.links,
        patterns=tuple(
            _pattern(of, weighed=weighed)
            for of in [*links, *others]
            if counts.get(_pattern_key(of), of.pairs) is not None
        ),
    )


def _shown(table: Table, rules: DisclosureRules) -> dict[Key, int | None]:
    return {row.key: row.count for row in release(table, rules=rules).rows}


def _sheltered(links: Sequence[PatternFigures], *, both: int, least: int) -> Iterator[PatternFigures]:
    """Give the patterns to list where people may be linked through other providers, whose number must not follow.

    Totals are not shown then. Of the people in both, at least twice `least` have a pattern that is not listed or are
    linked through others; how they divide nobody can tell.
    """
    ends = accumulate(of.pairs for of in links)
    return (of for of, end in zip(links, ends, strict=True) if both - end >= 2 * least)


def _pattern(of: PatternFigures, *, weighed: bool) -> Pattern:
    odds = round(min(max(of.odds, -MOST_BITS), MOST_BITS), 1) if weighed else None
    return Pattern(levels=of.levels, accepted=of.accepted, pairs=of.pairs, odds=odds)


def _commonest(one: PairFigures, least: int, *, accepted: bool) -> list[PatternFigures]:
    large = [of for of in one.patterns if of.accepted is accepted and of.pairs >= least]
    return sorted(large, key=lambda of: (-of.pairs, of.levels))[:MOST_PATTERNS]


def _table(one: PairFigures, links: Sequence[PatternFigures], others: Sequence[PatternFigures]) -> Table:
    """Tie totals and patterns together; those that are not listed are one cell of links and one of others."""
    of_links, not_links = _table_of_links(one, links), one.candidate_pairs - one.links
    rest = Cell(key=("other pairs",), count=not_links - sum(of.pairs for of in others))
    whole = Relation(total=_CANDIDATES, parts=(_LINKS, *map(_pattern_key, others), rest.key))
    return Table(
        title=of_links.title,
        dimensions=of_links.dimensions,
        cells=(*of_links.cells, Cell(key=_CANDIDATES, count=one.candidate_pairs), *map(_cell, others), rest),
        systems=((*of_links.relations, whole),),
    )


def _table_of_links(one: PairFigures, links: Sequence[PatternFigures]) -> Table:
    rest = Cell(key=("other links",), count=one.links - sum(of.pairs for of in links))
    parts = (*map(_pattern_key, links), rest.key)
    return Table(
        title="Patterns of levels",
        dimensions=("pattern",),
        cells=(Cell(key=_LINKS, count=one.links), *map(_cell, links), rest),
        systems=((Relation(total=_LINKS, parts=parts),),),
    )


def _cell(of: PatternFigures) -> Cell:
    return Cell(key=_pattern_key(of), count=of.pairs)


def _pattern_key(of: PatternFigures) -> Key:
    return (f"{of.accepted} {' | '.join(of.levels)}",)


def _changed(base: int, both: int, least: int) -> int | None:
    changed = base + _cut(both - base, least) if both >= base else base - _cut(base - both, least)
    return changed if changed >= least else None


def _cut(count: int, least: int) -> int:
    return count // (2 * least) * (2 * least)


def _weighable(one: PairFigures, least: int) -> bool:
    return min(one.links, one.random_pairs) >= LINKS_FOR_WEIGHTS * least


def _weights(one: PairFigures, least: int) -> Iterator[LevelWeight]:
    for of in one.levels:
        rare = (of.match < least / one.links, of.random < least / one.random_pairs)
        # What is rare in both has a weight that comes from the bounds alone.
        if not all(rare):
            ratio = max(of.match, least / one.links) / max(of.random, least / one.random_pairs)
            yield LevelWeight(field=of.field, level=of.level, weight=round(log2(ratio), 1), bounded=any(rare))


def _rounded(estimate: Estimate) -> Estimate:
    if isinstance(estimate, NotEnoughData):
        return estimate
    return Interval(
        value=round(estimate.value, 3),
        low=floor(estimate.low * _PER_THOUSAND) / _PER_THOUSAND,
        high=ceil(estimate.high * _PER_THOUSAND) / _PER_THOUSAND,
    )
