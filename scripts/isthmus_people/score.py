"""Precision, recall and F1 of links against the truth, over pairs of records of different holders.

Pure. Counts come from contingency tables of (group, holder), so the cost is linear in the number of records and the
counts are exact however large the groups are.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

Row = tuple[str, str, str]
"""(holder, record id, link or entity id)."""

HolderPair = tuple[str, str]
"""Two different holders, in alphabetical order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairCounts:
    """How many pairs are linked, how many are true, and how many are both."""

    linked: int
    true: int
    correct: int

    @property
    def precision(self) -> float:
        """Share of linked pairs that are true, in [0, 1]; 1 where nothing is linked, because nothing is wrong."""
        return self.correct / self.linked if self.linked else 1.0

    @property
    def recall(self) -> float:
        """Share of true pairs that are linked, in [0, 1]; 1 where there is nothing to find."""
        return self.correct / self.true if self.true else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in [0, 1]; 1 where there is nothing to find and nothing is linked."""
        return 2 * self.correct / (self.linked + self.true) if self.linked + self.true else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Pair counts over all holders and by holder pair, and what was left out.

    `ignored_records` counts linked records that the truth does not know; no pair of theirs is counted.
    """

    overall: PairCounts
    by_holders: Mapping[HolderPair, PairCounts]
    ignored_records: int


def _groups(rows: Iterable[Row], *, name: str) -> dict[tuple[str, str], str]:
    """Give (holder, record id) -> group; raise `ValueError` where a record stands in two groups."""
    found: dict[tuple[str, str], str] = {}
    for number, (holder, record, group) in enumerate(rows, start=1):
        if found.setdefault((holder, record), group) != group:
            message = f"row {number} of the {name} puts a record into a second group"
            raise ValueError(message)
    return found


def _pairs(members: Iterable[tuple[str, object]]) -> Counter[HolderPair]:
    """Count, for each two holders, the pairs of records that share a group; `members` are (holder, group)."""
    sizes: dict[object, Counter[str]] = {}
    for holder, group in members:
        sizes.setdefault(group, Counter())[holder] += 1
    pairs: Counter[HolderPair] = Counter()
    for by_holder in sizes.values():
        for left, right in combinations(sorted(by_holder), 2):
            pairs[left, right] += by_holder[left] * by_holder[right]
    return pairs


def score_links(links: Iterable[Row], truth: Iterable[Row]) -> Scores:
    """Compare links with the truth.

    Args:
        links: (party, record id, link id), a row for each linked record; records without a link need no row.
        truth: (holder, record id, entity id), a row for each record. A pair is two records of different holders under
            the same id; two records of one holder are no pair.

    Raises:
        ValueError: a record stands in two groups of the links, or of the truth.
    """
    entities = _groups(truth, name="truth")
    all_links = _groups(links, name="links")
    known = {record: link for record, link in all_links.items() if record in entities}
    linked = _pairs((holder, link) for (holder, _), link in known.items())
    true = _pairs((holder, entity) for (holder, _), entity in entities.items())
    correct = _pairs((record[0], (link, entities[record])) for record, link in known.items())
    by_holders = {
        pair: PairCounts(linked=linked[pair], true=true[pair], correct=correct[pair])
        for pair in combinations(sorted({holder for holder, _ in entities}), 2)
    }
    overall = PairCounts(linked=linked.total(), true=true.total(), correct=correct.total())
    return Scores(overall=overall, by_holders=by_holders, ignored_records=len(all_links) - len(known))


_HEADER: Final = f"{'holders':<28} {'precision':>9} {'recall':>7} {'F1':>7} {'linked':>8} {'true':>8} {'correct':>8}"


def _line(name: str, counts: PairCounts) -> str:
    rates = f"{counts.precision:>9.4f} {counts.recall:>7.4f} {counts.f1:>7.4f}"
    return f"{name:<28} {rates} {counts.linked:>8} {counts.true:>8} {counts.correct:>8}"


def score_table(scores: Scores) -> str:
    """Give the scores as a text table: a row for each two holders and one over all."""
    rows = [_line(f"{left} - {right}", counts) for (left, right), counts in scores.by_holders.items()]
    return "\n".join([_HEADER, *rows, _line("all", scores.overall)])
