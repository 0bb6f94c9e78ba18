"""The attack: rows get names, and rows with names give names to those that were compared with them.

Known people are where it starts, and rows whose own differences single them out. A row that was compared with somebody
who is known is explained by few people of the list; with two such, by one. What is believed of a row is a few people
with probabilities, which all of its pairs update, as in belief propagation; growth from seeds is percolation (Yartseva
and Grossglauser, 2013).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus_field_attack.book import Book, Evidence, People, Sight, codes, in_order, write_book
from isthmus_field_attack.kernels import Beliefs, Graph, score_again
from isthmus_field_attack.profile import bins_of, counted, profiles
from isthmus_field_attack.scene import Files, Held, Knowledge
from isthmus_field_attack.search import search

Ints = NDArray[np.int64]
Report = Callable[[str], None]

CHOICES: Final = 16
ROUNDS: Final = 20
CLAIM: Final = 0.9
_ASTRAY: Final = {Knowledge.EXACT: 0.05, Knowledge.OWN: 0.5}
"""Chance that what seems to tell of a row is wrong, such as the name of one that it was compared with."""

_CUT: Final = -8.0
_LACKING: Final = {Knowledge.EXACT: 7.0, Knowledge.OWN: 0.4}
"""What a part costs that a row has and the list not, or the other way round."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Names:
    """What the attacker makes of the rows of both files: the likeliest person, -1 for no idea, and its probability."""

    person: tuple[Ints, Ints]
    probability: tuple[NDArray[np.float32], NDArray[np.float32]]


def make_graph(held: Held, seen: NDArray[np.int16], *, order: list[int]) -> Graph:
    """Give units and which of them were compared."""
    requests = held.requests
    sizes = [len(has) for has in held.presence]
    unit_of = [np.full(size, -1, np.int64) for size in sizes]
    left, right = requests.left_row.astype(np.int64), requests.right_row.astype(np.int64)
    unit_of[0][left[held.linked]] = unit_of[1][right[held.linked]] = np.arange(len(held.linked))
    count = len(held.linked)
    for of in unit_of:
        free = np.flatnonzero(of < 0)
        of[free] = count + np.arange(len(free))
        count += len(free)
    rows, has = np.full((count, 2), -1, np.int32), np.zeros((count, 2), np.uint32)
    for side, of in enumerate(unit_of):
        rows[of, side], has[of, side] = np.arange(sizes[side]), held.presence[side]
    link = np.full(count, -1, np.int32)
    link[: len(held.linked)] = held.linked
    ends = np.stack([unit_of[0][left], unit_of[1][right]])
    pairs = np.flatnonzero(ends[0] != ends[1])
    owner = np.concatenate([ends[0, pairs], ends[1, pairs]])
    sort = np.argsort(owner, kind="stable")
    return Graph(
        rows=rows,
        has=has,
        link=link,
        first=np.searchsorted(owner[sort], np.arange(count + 1)).astype(np.int64),
        pair=np.concatenate([pairs, pairs])[sort].astype(np.int32),
        other=np.concatenate([ends[1, pairs], ends[0, pairs]])[sort].astype(np.int32),
        left=np.repeat([True, False], len(pairs))[sort],
        seen=np.ascontiguousarray(seen[:, order]),
    )


def attackers_view(held: Held, sight: Sight) -> NDArray[np.int16]:
    """Give differences as the book expects them: digits that differ, and bands of equal names only."""
    seen, names = held.seen.copy(), [part.name for part in held.comparison.parts]
    for place, part in enumerate(held.comparison.parts):
        if getattr(part, "length", 0):
            seen[:, place] = np.where(seen[:, place] < 0, -1, seen[:, place] // 2)
        elif part.name.endswith(".band"):
            differing = held.seen[:, names.index(part.name.removesuffix(".band"))]
            seen[:, place] = np.where((differing == 0) & (seen[:, place] <= 6), seen[:, place], -1)
        there = seen[:, place] >= 0
        seen[there, place] = codes(part, sight)[seen[there, place]]
    return seen


def attackers_list(files: Files, knowledge: Knowledge) -> People:
    """Give what the attacker has of people."""
    everybody = len(next(iter(files.own_list.values())))
    if knowledge is Knowledge.OWN:
        anywhere = np.ones(everybody, np.bool_)
        return People(columns=(files.own_list, files.own_list), inside=(anywhere, anywhere))
    inside = [np.isin(np.arange(everybody), of) for of in files.person]
    columns = []
    for side in (0, 1):
        whole = {}
        for field in files.own_list:
            values = np.array(files.own_list[field], object)
            for one in (1 - side, side):
                values[files.person[one]] = np.array(files.columns[one][field], object)
            whole[field] = values.tolist()
        columns.append(whole)
    return People(columns=(columns[0], columns[1]), inside=(inside[0], inside[1]))


def recognise(
    held: Held,
    people: People,
    *,
    knowledge: Knowledge,
    known: tuple[Ints, Ints],
    sight: Sight,
    rng: np.random.Generator,
    report: Report,
) -> Names:
    """Name the rows.

    Args:
        known: for each file the person of each row that is known, -1 of the others.
    """
    order, view = in_order(held.comparison), attackers_view(held, sight)
    links = np.isin(np.arange(len(view)), held.linked)
    evidence = Evidence(
        strangers=view[~held.requests.candidate], links=view[links], exact=knowledge is Knowledge.EXACT, sight=sight
    )
    book, graph = write_book(people, held.comparison, evidence, rng=rng), make_graph(held, view, order=order)
    beliefs = grow(
        book,
        graph,
        _known_units(graph, known),
        lacking=_LACKING[knowledge],
        astray=_ASTRAY[knowledge],
        rng=rng,
        report=report,
    )
    named, sure = beliefs.people[:, 0].astype(np.int64), beliefs.weight[:, 0]
    of_unit = [_unit_of(graph, side) for side in (0, 1)]
    return Names(person=(named[of_unit[0]], named[of_unit[1]]), probability=(sure[of_unit[0]], sure[of_unit[1]]))


def _unit_of(graph: Graph, side: int) -> Ints:
    units = np.flatnonzero(graph.rows[:, side] >= 0)
    of = np.zeros(len(units), np.int64)
    of[graph.rows[units, side]] = units
    return of


def _known_units(graph: Graph, known: tuple[Ints, Ints]) -> Ints:
    person = np.full(len(graph.rows), -1, np.int64)
    for side in (0, 1):
        of = _unit_of(graph, side)
        person[of] = np.maximum(person[of], known[side])
    return person


def grow(
    book: Book, graph: Graph, known: Ints, *, lacking: float, astray: float, rng: np.random.Generator, report: Report
) -> Beliefs:
    """Let names spread until nothing changes or `ROUNDS` are over."""
    units = len(graph.rows)
    beliefs = Beliefs(np.full((units, CHOICES), -1, np.int32), np.zeros((units, CHOICES), np.float32))
    fixed = known >= 0
    beliefs.people[fixed, 0], beliefs.weight[fixed, 0] = known[fixed], 1
    heard_of = np.zeros(units, np.int64)
    searched = fixed | (graph.link < 0)
    before = -1.0
    bins = bins_of(book)
    looks = profiles(book, bins, rng)
    for done in range(ROUNDS):
        scores = Beliefs(beliefs.people.copy(), np.full_like(beliefs.weight, -1e9))
        sure = _sure_neighbours(graph, beliefs)
        unsure = ~fixed & (beliefs.weight[:, 0] < CLAIM)
        asked = np.flatnonzero((~searched & (done == 0)) | (unsure & (sure > heard_of) & (heard_of < 6)))
        heard_of[asked] = sure[asked]
        seen_of_strangers = counted(graph, beliefs, bins)
        for block in np.array_split(asked, 1 + len(asked) // 500):
            prior = seen_of_strangers[block] @ looks.T
            search(book, graph, beliefs, block, prior, lacking, _CUT, scores)
        prior = _of_choices(seen_of_strangers, looks, scores.people)
        score_again(book, graph, beliefs, np.flatnonzero(~fixed), prior, lacking, scores)
        settled = _settled(scores, graph, nobody=np.log(astray * len(book.in_left)))
        settled.people[fixed], settled.weight[fixed] = beliefs.people[fixed], beliefs.weight[fixed]
        beliefs = settled
        now = float(beliefs.weight[:, 0].sum())
        claimed = int((beliefs.weight[:, 0] >= CLAIM).sum())
        report(f"round {done + 1} of {ROUNDS}: {len(asked)} searched, {claimed} of {units} claimed")
        if not len(asked) and abs(now - before) < 0.001 * units:
            break
        before = now
    return beliefs


def _of_choices(
    counts: NDArray[np.float32], looks: NDArray[np.float32], people: NDArray[np.int32]
) -> NDArray[np.float32]:
    prior = np.zeros(people.shape, np.float32)
    for start in range(0, len(people), 1000):
        inside = slice(start, start + 1000)
        prior[inside] = np.einsum("uc,ukc->uk", counts[inside], looks[people[inside]])
    return prior


def _sure_neighbours(graph: Graph, beliefs: Beliefs) -> Ints:
    sure = np.concatenate([[0], np.cumsum(beliefs.weight[graph.other, 0] >= 0.5)])
    heard: Ints = sure[graph.first[1:]] - sure[graph.first[:-1]]
    return heard


def _settled(scores: Beliefs, graph: Graph, *, nobody: float) -> Beliefs:
    """Make scores to probabilities, in which units that want one person compete."""
    order = np.argsort(-scores.weight, axis=1, kind="stable")
    who, log = np.take_along_axis(scores.people, order, 1), np.take_along_axis(scores.weight, order, 1)
    highest = np.maximum(log[:, :1], nobody)
    weight = np.where(who >= 0, np.exp(log - highest), 0)
    weight /= weight.sum(axis=1, keepdims=True) + np.exp(nobody - highest)
    for side in (0, 1):
        there = (graph.rows[:, side] >= 0)[:, None] & (who >= 0)
        wanted = np.bincount(who[there], weight[there], int(who.max(initial=0)) + 1)
        weight = np.where(there, weight / np.maximum(1, wanted[who]), weight)
    order = np.argsort(-weight, axis=1, kind="stable")
    return Beliefs(
        np.ascontiguousarray(np.take_along_axis(who, order, 1)),
        np.ascontiguousarray(np.take_along_axis(weight, order, 1).astype(np.float32)),
    )
