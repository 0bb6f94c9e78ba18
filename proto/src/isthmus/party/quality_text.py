"""How a quality report is shown at a terminal: estimates, overlap by acceptance, weights, and waterfalls of bars.

Weights are in bits: one bit doubles the odds that two rows are one person.
"""

from collections.abc import Iterator
from itertools import accumulate
from types import MappingProxyType
from typing import Final

from isthmus.contract.quality import (
    CONFIDENCE,
    MOST_BITS,
    Estimate,
    NotEnoughData,
    PairQuality,
    Pattern,
    Planted,
    QualityReport,
    TooLittle,
)

BAR: Final = 24
"""Characters of the longest bar."""

WATERFALL: Final = 40
"""Characters of all steps of a waterfall."""

WATERFALLS: Final = 3
"""Of the commonest patterns of links."""

REASONS: Final = MappingProxyType({
    TooLittle.FEW_ROWS: "not enough data: a provider has too few rows",
    TooLittle.FEW_LINKS: "not enough data: too few links",
    TooLittle.FEW_RANDOM_PAIRS: "not enough data: too few random pairs were compared; more rows or slots give more",
    TooLittle.FEW_PLANTED: "not known: that takes 30 planted people or more (comparison.planted in the project)",
    TooLittle.HIDDEN: "hidden: the two providers share too few people, or the overlap table hides how many",
})  # fmt: skip

HOW_TO_READ: Final = (
    "How to read it",
    "  precision             of the links, how many join rows of one person; the others join two people",
    "  recall                of the people in both, how many were linked",
    "  recall of candidates  the same of people whose rows are alike enough to be compared; recall is lower",
    "  F1                    precision and recall in one number, nearer to the lower one",
    "  planted people        made-up people whom every provider added: the share that is found measures recall",
    "  doubtful pairs        pairs that a clerk would look at, if anybody could",
    "  90% intervals         9 times of 10 the truth lies within them; quote them, not the number alone",
)
"""For who did not write this program; the guides say more."""


def quality_text(report: QualityReport) -> str:
    """Give the report for people."""
    parts = [f"quality of {report.round_id}: links are pairs of probability {report.acceptance:g} or more"]
    parts += ["\n".join(_pair(pair)) for pair in report.pairs]
    parts += ["\n".join(HOW_TO_READ), "\n".join(report.rules)]
    return "\n\n".join(parts)


def quality_summary(report: QualityReport) -> str:
    """Give precision and recall of every two providers, or why they are not known."""
    return "\n".join(
        f"{pair.left} and {pair.right}\n"
        f"  estimated precision  {estimate_text(pair.precision)}\n"
        f"  estimated recall     {estimate_text(pair.recall)}"
        for pair in report.pairs
    )


def _pair(pair: PairQuality) -> Iterator[str]:
    left, right = map(_count, pair.rows)
    yield f"{pair.left} and {pair.right}"
    yield f"  rows                  {left} and {right}"
    yield f"  candidate pairs       {_count(pair.candidate_pairs)}"
    yield f"  links                 {_count(pair.accepted)}"
    yield f"  estimates             in brackets: {CONFIDENCE:.0%} intervals"
    yield f"    precision             {estimate_text(pair.precision)}"
    yield f"    recall of candidates  {estimate_text(pair.recall_of_candidates)}"
    yield f"    recall                {estimate_text(pair.recall)}"
    yield f"    F1                    {estimate_text(pair.f1)}"
    yield f"  planted people        {_planted(pair.planted)}"
    band = f"{pair.band.pairs:,} or more" if pair.band.pairs else "few, or hidden"
    yield f"  doubtful pairs        {band} (clerical band: probability {pair.band.low:g} to {pair.band.high:g})"
    yield from _ladder(pair)
    yield from _weights(pair)
    links = [pattern for pattern in pair.patterns if pattern.accepted and pair.weights]
    for pattern in links[:WATERFALLS]:
        yield from _waterfall(pair, pattern)


def estimate_text(estimate: Estimate) -> str:
    """Give an estimate with its interval, or why there is none."""
    if isinstance(estimate, NotEnoughData):
        return REASONS[estimate.reason]
    return f"{estimate.value:.3f}  ({estimate.low:.3f} to {estimate.high:.3f})"


def _planted(planted: Planted) -> str:
    return f"{planted.found:,} of {planted.planted:,} found" if planted.planted else "none"


def _count(count: int | None) -> str:
    return "hidden" if count is None else f"{count:,}"


def _ladder(pair: PairQuality) -> Iterator[str]:
    if pair.ladder:
        yield "  people in both, if links were accepted from"
    most = max((rung.both or 0 for rung in pair.ladder), default=0)
    for rung in pair.ladder:
        bar = "#" * round(BAR * (rung.both or 0) / most) if most else ""
        yield f"    {rung.acceptance:<5g} {_count(rung.both):>12}  {bar}".rstrip()


def _weights(pair: PairQuality) -> Iterator[str]:
    if pair.weights:
        yield "  what levels say, in bits (~: too rare to be weighed exactly)"
    longest = max((abs(one.weight) for one in pair.weights), default=1.0)
    for one in pair.weights:
        label = f"{one.field}: {one.level}"
        mark = "~" if one.bounded else " "
        yield f"    {label:40} {mark}{one.weight:+6.1f}  {_signed_bar(one.weight, longest)}".rstrip()


def waterfall_steps(pair: PairQuality, pattern: Pattern) -> list[tuple[str, float]]:
    """Give the steps from a random pair's odds to those of a pattern, in bits.

    The prior comes first, then what each field says if it were alone; fields that are missing, or whose level is too
    rare to be weighed, are left out. `all fields together` is the rest, unless the odds are cut.
    """
    weight_of = {(one.field, one.level): one.weight for one in pair.weights}
    steps = [("a random pair", pair.prior or 0.0)]
    steps += [
        (f"{field}: {level}", weight_of[field, level])
        for field, level in zip(pair.fields, pattern.levels, strict=True)
        if (field, level) in weight_of
    ]
    if pattern.odds is not None and abs(pattern.odds) < MOST_BITS:
        steps.append(("all fields together", pattern.odds - sum(weight for _, weight in steps)))
    return steps


def odds_text(pattern: Pattern) -> str:
    """Give the odds of a pattern as a power of 2."""
    if pattern.odds is None:
        return "unknown"
    cut = " or more" if pattern.odds >= MOST_BITS else " or less" if pattern.odds <= -MOST_BITS else ""
    return f"2^{pattern.odds:g}{cut}"


def _waterfall(pair: PairQuality, pattern: Pattern) -> Iterator[str]:
    steps = waterfall_steps(pair, pattern)
    ends = list(accumulate(weight for _, weight in steps))
    low = min(0.0, *ends)
    scale = WATERFALL / ((max(0.0, *ends) - low) or 1.0)
    yield f"  a pattern of {pattern.pairs:,} links, with odds of {odds_text(pattern)} before rivals count"
    for (label, weight), end in zip(steps, ends, strict=True):
        start = round((min(end, end - weight) - low) * scale)
        bar = ("+" if weight > 0 else "-") * max(1, round(abs(weight) * scale))
        yield f"    {label:40}  {weight:+6.1f}  {' ' * start}{bar}"


def _signed_bar(weight: float, longest: float) -> str:
    return ("+" if weight > 0 else "-") * round(BAR * abs(weight) / longest) if longest else ""
