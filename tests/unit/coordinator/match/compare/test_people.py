"""Entities of rows that are linked by fields: a plain program agrees, and people whom a provider repeats are one."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.coordinator.match.compare.people import find_people, group_linked
from isthmus.coordinator.match.engine import CandidatePairs, Found, merge_found
from isthmus.coordinator.match.group import group_rows

Row = tuple[int, int]
"""Dataset and row."""
Link = tuple[float, Row, Row]


def _pairs(links: Sequence[Link], *, repeating: frozenset[int] = frozenset()) -> CandidatePairs:
    parts = [
        Found(
            left_dataset=left[0],
            right_dataset=right[0],
            similarity=np.array([score]),
            left_row=np.array([left[1]], np.uint32),
            right_row=np.array([right[1]], np.uint32),
        )
        for score, left, right in links
    ]
    return merge_found(parts, repeating=repeating)


def _entities(pairs: CandidatePairs, sizes: Sequence[int]) -> list[set[Row]]:
    groups = group_linked(pairs, sizes=sizes)
    found: list[set[Row]] = [set() for _ in range(groups.entities)]
    for entity, dataset, row in zip(groups.entity.tolist(), groups.dataset.tolist(), groups.row.tolist(), strict=True):
        found[entity].add((dataset, row))
    return found


def _plain_entities(pairs: CandidatePairs, sizes: Sequence[int]) -> list[set[Row]]:
    """Join sets of people, each a set of rows of one provider, pair after pair."""
    people = [{(dataset, row)} for dataset, size in enumerate(sizes) for row in range(size)]
    sides = zip(
        zip(pairs.left_dataset.tolist(), pairs.left_row.tolist(), strict=True),
        zip(pairs.right_dataset.tolist(), pairs.right_row.tolist(), strict=True),
        strict=True,
    )
    links = list(sides)
    own = {link for link in links if link[0][0] == link[1][0]}
    # Of one provider: joined when every two of their rows are a pair.
    for left, right in (link for link in links if link in own):
        one, other = (next(each for each in people if row in each) for row in (left, right))
        come = links[: links.index((left, right)) + 1]
        if one is not other and all((min(a, b), max(a, b)) in come for a in one for b in other):
            people.remove(other)
            one |= other
    groups = [[person] for person in people]
    for left, right in (link for link in links if link not in own):
        first, second = (next(group for group in groups if any(row in one for one in group)) for row in (left, right))
        datasets = [{min(person)[0] for person in group} for group in (first, second)]
        if not datasets[0] & datasets[1]:
            groups.remove(second)
            first += second
    entities = [set().union(*group) for group in groups]
    return sorted((rows for rows in entities if len(rows) > 1), key=min)


@st.composite
def _linked(draw: st.DrawFn) -> tuple[CandidatePairs, list[int]]:
    sizes = draw(st.lists(st.integers(0, 5), min_size=2, max_size=4))
    repeating = draw(st.frozensets(st.integers(0, len(sizes) - 1)))
    rows = [(dataset, row) for dataset, size in enumerate(sizes) for row in range(size)]
    possible = [(a, b) for a in rows for b in rows if a < b and (a[0] != b[0] or a[0] in repeating)]
    chosen = draw(st.lists(st.sampled_from(possible), unique=True, max_size=25)) if possible else []
    links = [(draw(st.sampled_from([0.25, 0.5, 0.75, 1.0])), *pair) for pair in chosen]
    return _pairs(links, repeating=repeating), sizes


@settings(max_examples=60, deadline=None)
@given(_linked())
def test_entities_are_those_that_a_plain_program_joins(linked: tuple[CandidatePairs, list[int]]) -> None:
    pairs, sizes = linked

    assert _entities(pairs, sizes) == _plain_entities(pairs, sizes)


@settings(max_examples=30, deadline=None)
@given(_linked())
def test_people_are_numbered_by_their_first_rows(linked: tuple[CandidatePairs, list[int]]) -> None:
    pairs, sizes = linked

    for size, people in zip(sizes, find_people(pairs, sizes=sizes), strict=True):
        firsts = np.unique(people.of_row, return_index=True)[1]
        assert people.of_row.size == size
        assert people.count == firsts.size
        assert firsts.tolist() == sorted(firsts.tolist())


def test_a_row_that_is_like_only_one_of_two_joins_both() -> None:
    pairs = _pairs([(0.9, (0, 0), (1, 0)), (0.8, (0, 0), (2, 5))])

    assert _entities(pairs, [1, 1, 6]) == [{(0, 0), (1, 0), (2, 5)}]


def test_of_two_rows_of_a_provider_the_better_is_linked() -> None:
    pairs = _pairs([(0.9, (0, 0), (1, 1)), (0.8, (0, 0), (1, 0))])

    assert _entities(pairs, [1, 2]) == [{(0, 0), (1, 1)}]


def test_one_accepted_pair_links_all_rows_of_a_person_whom_a_provider_repeats() -> None:
    links = [(0.6, (0, 0), (0, 2)), (0.9, (0, 2), (1, 4)), (0.8, (0, 1), (1, 4))]

    assert _entities(_pairs(links, repeating=frozenset({0})), [3, 5]) == [{(0, 0), (0, 2), (1, 4)}]


def test_two_people_of_a_provider_that_repeats_people_are_never_joined_by_a_row_elsewhere() -> None:
    links = [(0.9, (0, 0), (1, 0)), (0.8, (0, 1), (1, 0))]

    assert _entities(_pairs(links, repeating=frozenset({0})), [2, 1]) == [{(0, 0), (1, 0)}]


def test_people_of_a_provider_are_those_that_its_own_pairs_join() -> None:
    pairs = _pairs([(0.9, (0, 1), (0, 3)), (0.8, (0, 0), (1, 0))], repeating=frozenset({0}))

    repeated, other = find_people(pairs, sizes=[5, 2])

    assert repeated.of_row.tolist() == [0, 1, 2, 1, 3]
    assert (repeated.count, other.count) == (4, 2)


def test_many_providers_are_told_apart() -> None:
    sizes = [2] * 130
    links = [(0.9, (place, 0), (place + 1, 0)) for place in range(129)]
    links += [(0.8, (0, 1), (129, 0)), (0.7, (0, 1), (129, 1)), (0.6, (64, 1), (129, 1)), (0.5, (0, 0), (64, 1))]

    chain, pair = _entities(_pairs(links), sizes)

    assert chain == {(place, 0) for place in range(130)}
    assert pair == {(0, 1), (64, 1), (129, 1)}


def test_two_providers_are_grouped_as_with_complete_linkage() -> None:
    rng = np.random.default_rng(1)
    chosen = {(int(a), int(b)) for a, b in rng.integers(0, 60, (300, 2))}
    pairs = _pairs([(float(rng.integers(1, 20)) / 20, (0, a), (1, b)) for a, b in sorted(chosen)])

    one, other = group_linked(pairs, sizes=[60, 60]), group_rows(pairs, sizes=[60, 60])

    for name in ("dataset", "row", "entity"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist()


@pytest.mark.parametrize("right", [(1, 3), (2, 0)])
def test_a_pair_out_of_range_is_refused(right: Row) -> None:
    with pytest.raises(ValueError, match="no dataset holds"):
        _entities(_pairs([(0.9, (0, 0), right)]), [2, 3])
