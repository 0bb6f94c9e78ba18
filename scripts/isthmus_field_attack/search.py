"""The people who explain a row best, of everybody: compiled code that drops whoever is out of the question early."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.kernels.compiled import compiled
from isthmus_field_attack.book import BAND, DIGITS, ONE_PERSON, STRANGERS, TEXT, Book
from isthmus_field_attack.kernels import Beliefs, Graph, expected_of

MOST_HEARD = 4
"""So many pairs with units that are likely somebody decide who is looked at more closely."""

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]


class Running(NamedTuple):
    """People who are still in question: who, their score so far, what the pair adds, and the group within it."""

    who: Ints
    score: Floats
    pair: Floats
    group: Floats


@compiled
def search(
    book: Book,
    graph: Graph,
    beliefs: Beliefs,
    units: NDArray[np.int64],
    prior: Floats,
    lacking: float,
    cut: float,
    into: Beliefs,
) -> None:
    """Put the people who explain these units best where their people go, and their scores where weights go.

    `prior`: float32, shape (len(units), people), what is known of each beforehand.
    """
    everybody = book.in_left.size
    running = Running(
        np.empty(everybody, np.int32),
        np.empty(everybody, np.float32),
        np.empty(everybody, np.float32),
        np.empty(everybody, np.float32),
    )
    for at in range(units.size):
        unit = units[at]
        count = _begin(book, graph, unit, prior[at], lacking, cut, running)
        if graph.link[unit] >= 0:
            count = _narrow(book, graph.seen[graph.link[unit]], ONE_PERSON, -1, True, 1.0, running, count, cut)
        heard = 0
        for place in range(graph.first[unit], graph.first[unit + 1]):
            other = graph.other[place]
            weight = beliefs.weight[other, 0]
            if weight >= 0.5 and heard < MOST_HEARD:
                heard += 1
                seen, left, who = graph.seen[graph.pair[place]], graph.left[place], beliefs.people[other, 0]
                count = _narrow(book, seen, STRANGERS, who, left, weight, running, count, cut)
        _keep_best(running, count, into.people[unit], into.weight[unit])


@compiled
def _bits(value: np.uint32) -> int:
    count = 0
    while value:
        value &= value - np.uint32(1)
        count += 1
    return count


@compiled
def _begin(book: Book, graph: Graph, unit: int, prior: Floats, lacking: float, cut: float, running: Running) -> int:
    """Begin with everybody whose values are there and missing as the unit's are, more or less."""
    on_left, on_right = graph.rows[unit, 0] >= 0, graph.rows[unit, 1] >= 0
    left_has, right_has, count = graph.has[unit, 0], graph.has[unit, 1], 0
    for person in range(book.in_left.size):
        if (on_left and not book.in_left[person]) or (on_right and not book.in_right[person]):
            continue
        score = prior[person]
        if on_left:
            score -= lacking * _bits(left_has ^ book.left_has[person])
        if on_right:
            score -= lacking * _bits(right_has ^ book.right_has[person])
        if score >= cut:
            running.who[count] = person
            running.score[count] = score
            count += 1
    return count


@compiled
def _narrow(
    book: Book,
    seen: NDArray[np.int16],
    kind: int,
    other: int,
    left: bool,
    weight: float,
    running: Running,
    count: int,
    cut: float,
) -> int:
    """Add what one pair says of everybody who is in question; give how many still are.

    `other` is who the other row is believed to be, by `weight`, or -1 for the same person.
    """
    rest = max(1.0 - weight, 1e-4)
    running.pair[:count] = 0
    running.group[:count] = 0
    for part in range(book.kind.size):
        if seen[part] >= 0:
            rates = book.rates[kind, part, seen[part]]
            if other < 0:
                _add_own(book, part, rates, running, count)
            else:
                _add(book, part, rates, other, left, running, count)
        if book.ends[part]:
            floor = book.floor[kind, part]
            count = _prune(floor, np.log(rest), running, count, cut)
    for place in range(count):
        running.score[place] += np.log(weight * np.exp(min(running.pair[place], np.float32(40.0))) + rest)
    return count


@compiled
def _prune(floor: float, least: float, running: Running, count: int, cut: float) -> int:
    """End a group of parts, and drop whoever falls below the cut, however wrong the other row's name may be."""
    kept = 0
    for place in range(count):
        pair, score = running.pair[place] + max(running.group[place], floor), running.score[place]
        if score + max(pair, least) >= cut:
            running.who[kept] = running.who[place]
            running.score[kept], running.pair[kept], running.group[kept] = score, pair, 0.0
            kept += 1
    return kept


@compiled
def _add_own(book: Book, part: int, rates: Floats, running: Running, count: int) -> None:
    for place in range(count):
        person = running.who[place]
        expected = expected_of(book, part, person, person)
        if expected >= 0:
            running.group[place] += rates[expected]


@compiled
def _add(
    book: Book,
    part: int,
    rates: Floats,
    other: int,
    left: bool,
    running: Running,
    count: int,
) -> None:
    kind, place = book.kind[part], book.place[part]
    if kind == TEXT:
        values, theirs = (book.left_text, book.right_text) if left else (book.right_text, book.left_text)
        start = book.start[place] + theirs[place, other] * book.width[place]
        if theirs[place, other] >= 0:
            _add_text(book.tables[start : start + book.width[place]], values[place], rates, running, count)
    elif kind == DIGITS:
        digits, of = (book.left_digits, book.right_digits) if left else (book.right_digits, book.left_digits)
        if of[place, other] != np.uint64(0xFFFFFFFFFFFFFFFF):
            _add_digits(of[place, other], digits[place], rates, running, count)
    elif kind == BAND:
        bands, of_other = (book.left_bands, book.right_bands) if left else (book.right_bands, book.left_bands)
        for at in range(count):
            running.group[at] += rates[bands[place, running.who[at]] + of_other[place, other]]
    else:
        tags, tag = (book.left_tags, book.right_tags) if left else (book.right_tags, book.left_tags)
        if tag[place, other] >= 0:
            for at in range(count):
                ours = tags[place, running.who[at]]
                if ours >= 0:
                    running.group[at] += rates[np.int64(ours == tag[place, other])]


@compiled
def _add_text(distances: NDArray[np.uint8], values: Ints, rates: Floats, running: Running, count: int) -> None:
    for at in range(count):
        value = values[running.who[at]]
        if value >= 0:
            running.group[at] += rates[distances[value]]


@compiled
def _add_digits(other: np.uint64, digits: NDArray[np.uint64], rates: Floats, running: Running, count: int) -> None:
    for at in range(count):
        ours = digits[running.who[at]]
        if ours != np.uint64(0xFFFFFFFFFFFFFFFF):
            differ = ours ^ other
            differ |= differ >> np.uint64(1)
            differ |= differ >> np.uint64(2)
            differ &= np.uint64(0x1111111111111111)
            running.group[at] += rates[(differ * np.uint64(0x1111111111111111)) >> np.uint64(60)]


@compiled
def _keep_best(running: Running, count: int, people: Ints, scores: Floats) -> None:
    people[:] = -1
    scores[:] = -1e9
    for at in range(count):
        found, place = running.score[at], people.size - 1
        if found <= scores[place]:
            continue
        while place > 0 and scores[place - 1] < found:
            scores[place], people[place] = scores[place - 1], people[place - 1]
            place -= 1
        scores[place], people[place] = found, running.who[at]
