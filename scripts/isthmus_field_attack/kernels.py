"""How well a person explains what is seen of a row, in compiled code: the inner loops of the attack."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.compiled import compiled, inlined
from isthmus_field_attack.book import BAND, DIGITS, ONE_PERSON, STRANGERS, TEXT, Book

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]


class Graph(NamedTuple):
    """What was compared with what. A *unit* is one row, or two rows that link.

    `rows`: int32, shape (units, 2), its row of either file, or -1. `has`: uint32, shape (units, 2), parts that it has.
    `link`: int32, shape (units,), the pair by which its rows link, or -1. `first`: its pairs are `pair[first[u] :
    first[u + 1]]`, with the unit `other`; `left` says whether this unit is the left one. `seen`: int16, shape (pairs,
    parts), in the order of the book.
    """

    rows: Ints
    has: NDArray[np.uint32]
    link: Ints
    first: NDArray[np.int64]
    pair: Ints
    other: Ints
    left: NDArray[np.bool_]
    seen: NDArray[np.int16]


class Beliefs(NamedTuple):
    """For each unit its likeliest people, best first, and how likely they are; -1 and 0 where there are fewer."""

    people: Ints
    weight: Floats


@inlined
def expected_of(book: Book, part: int, left: int, right: int) -> np.int64:  # noqa: PLR0911 - one loop, no calls
    """Give what the difference of two people should be, -1 where either lacks the part."""
    kind, place = book.kind[part], book.place[part]
    if kind == TEXT:
        one, other = book.left_text[place, left], book.right_text[place, right]
        if one < 0 or other < 0:
            return np.int64(-1)
        return np.int64(book.tables[book.start[place] + one * book.width[place] + other])
    if kind == DIGITS:
        ours, theirs = book.left_digits[place, left], book.right_digits[place, right]
        if ours == np.uint64(0xFFFFFFFFFFFFFFFF) or theirs == np.uint64(0xFFFFFFFFFFFFFFFF):
            return np.int64(-1)
        differ = ours ^ theirs
        differ |= differ >> np.uint64(1)
        differ |= differ >> np.uint64(2)
        # One bit for each digit that differs; the product adds them up in its highest four.
        differ &= np.uint64(0x1111111111111111)
        return np.int64((differ * np.uint64(0x1111111111111111)) >> np.uint64(60))
    if kind == BAND:
        return np.int64(book.left_bands[place, left] + book.right_bands[place, right])
    one, other = book.left_tags[place, left], book.right_tags[place, right]
    if one < 0 or other < 0:
        return np.int64(-1)
    return np.int64(one == other)


@inlined
def explained(book: Book, seen: NDArray[np.int16], kind: int, left: int, right: int, cut: float) -> float:
    """Give the log of how much likelier two people make what is seen of a pair; anything below `cut` is as good."""
    total, group = 0.0, 0.0
    for part in range(book.kind.size):
        if seen[part] >= 0:
            expected = expected_of(book, part, left, right)
            if expected >= 0:
                group += book.rates[kind, part, seen[part], expected]
        if book.ends[part]:
            total += max(group, float(book.floor[kind, part]))
            group = 0.0
            if total < cut:
                return total
    return total


@inlined
def _bits(value: np.uint32) -> int:
    count = 0
    while value:
        value &= value - np.uint32(1)
        count += 1
    return count


@inlined
def _alone(book: Book, graph: Graph, unit: int, person: int, lacking: float, cut: float) -> float:
    """Score a person by the unit's own rows: which parts they have, and how they differ from each other."""
    total = 0.0
    if graph.rows[unit, 0] >= 0:
        if not book.in_left[person]:
            return -1e9
        total -= lacking * _bits(graph.has[unit, 0] ^ book.left_has[person])
    if graph.rows[unit, 1] >= 0:
        if not book.in_right[person]:
            return -1e9
        total -= lacking * _bits(graph.has[unit, 1] ^ book.right_has[person])
    if total >= cut and graph.link[unit] >= 0:
        total += explained(book, graph.seen[graph.link[unit]], ONE_PERSON, person, person, cut - total)
    return total


@inlined
def _told(book: Book, graph: Graph, beliefs: Beliefs, place: int, person: int, choices: int, cut: float) -> float:
    """Score a person by one pair, over the likeliest people of the other unit."""
    other, seen = graph.other[place], graph.seen[graph.pair[place]]
    rest, total = 1.0, 0.0
    for choice in range(choices):
        weight = beliefs.weight[other, choice]
        if weight < 0.02:
            break
        rest -= weight
        who = beliefs.people[other, choice]
        if graph.left[place]:
            log = explained(book, seen, STRANGERS, person, who, cut)
        else:
            log = explained(book, seen, STRANGERS, who, person, cut)
        total += weight * np.exp(min(log, 40.0))
    return float(np.log(total + max(rest, 1e-4)))


@compiled
def score(book: Book, graph: Graph, beliefs: Beliefs, unit: int, person: int, lacking: float) -> float:
    """Give the log of how much likelier a person makes all that is seen of a unit."""
    total = _alone(book, graph, unit, person, lacking, -200.0)
    for place in range(graph.first[unit], graph.first[unit + 1]):
        if beliefs.weight[graph.other[place], 0] >= 0.02:
            total += _told(book, graph, beliefs, place, person, beliefs.people.shape[1], -20.0)
    return total


@compiled
def score_again(
    book: Book, graph: Graph, beliefs: Beliefs, units: NDArray[np.int64], prior: Floats, lacking: float, into: Beliefs
) -> None:
    """Score the people that these units may be, by what is believed of the others now."""
    for at in range(units.size):
        unit = units[at]
        for choice in range(into.people.shape[1]):
            person = into.people[unit, choice]
            if person >= 0:
                found = score(book, graph, beliefs, unit, person, lacking)
                into.weight[unit, choice] = found + prior[unit, choice]
