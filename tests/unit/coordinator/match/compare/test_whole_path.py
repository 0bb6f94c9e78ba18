"""From rows of three providers to entities, with the answers of real nodes: each two share other fields."""

import os
from collections.abc import Iterator
from itertools import combinations
from random import Random

import numpy as np
import pytest

from isthmus.contract.comparison import Comparison, comparison_1
from isthmus.contract.field_answers import pad_numbers, row_numbers
from isthmus.contract.ids import PartyId
from isthmus.contract.secret import Secret
from isthmus.contract.standard_fields import STANDARD_FIELDS
from isthmus.coordinator.match.compare.link import Compared, merge_links, weigh
from isthmus.coordinator.match.compare.people import find_people, group_linked
from isthmus.coordinator.match.compare.reading import Piece, read_answers
from isthmus.coordinator.match.compare.requests import Requests, build_requests
from isthmus.coordinator.match.engine import CandidatePairs, Found, merge_found
from isthmus.node.compare.answers import Answers, Side
from isthmus.node.compare.pads import PadKeys
from isthmus.node.compare.row_fields import read_row_fields

NAMES = ("first_name", "last_name")
FIELDS = ((*NAMES, "dob", "zip"), (*NAMES, "dob", "ssn"), (*NAMES, "zip", "ssn"))
WHO = (range(90), [*range(30, 120), *range(30, 50)], range(60, 150))
"""Which people each provider holds; the second has twenty of them twice."""

SIZES = [len(people) for people in WHO]
COMPARE, PAD = Secret(bytes(32)), Secret(bytes([1]) * 32)
AT_ONCE = 100

Person = dict[str, str]


def _word(rng: Random) -> str:
    return "".join(rng.choice("bdfgklmnprst") + rng.choice("aeiou") for _ in range(rng.choice([2, 3, 4])))


def _made_up(seed: int) -> list[Person]:
    rng = Random(seed)
    names = [_word(rng) for _ in range(60)]
    return [
        {
            "first_name": rng.choice(names),
            "last_name": rng.choice(names),
            "dob": f"{rng.randrange(1930, 2010)}{rng.randrange(1, 13):02d}{rng.randrange(1, 29):02d}",
            "zip": f"{rng.randrange(10000, 99999)}",
            "ssn": f"{rng.randrange(10**8, 10**9)}",
        }
        for _ in range(150)
    ]


def _filed(person: Person, rng: Random) -> Person:
    """Give a person's row, now and then with an error in one field, or with a field left blank."""
    field = rng.choice(list(person) * 2 + [""] * 20)
    if not field:
        return person
    value = person[field]
    place = rng.randrange(len(value))
    return person | {field: rng.choice(["", value[:place] + ("7" if value.isdigit() else "x") + value[place + 1 :]])}


def _files(seed: int) -> list[list[Person]]:
    people, rng = _made_up(seed), Random(f"{seed}/errors")
    return [[_filed(people[number], rng) for number in who] for who in WHO]


def _candidates(left: list[Person], right: list[Person]) -> Found:
    """Put the rows side by side that have two values in common; the more, the better."""
    common = np.array([[sum(a[f] == b[f] != "" for f in a) for b in right] for a in left])
    left_row, right_row = (side.astype(np.uint32) for side in np.nonzero(common >= 2))
    return Found(
        left_dataset=0,
        right_dataset=1,
        similarity=common[left_row, right_row] / 5,
        left_row=left_row,
        right_row=right_row,
    )


def _requests(left: list[Person], right: list[Person]) -> Requests:
    best = merge_found([_candidates(left, right)])
    return build_requests(
        best.left_row, best.right_row, rows=(len(left), len(right)), slots=8, seed=Secret(bytes([2]) * 32)
    )


def _pieces(
    files: list[list[Person]], places: tuple[int, int], requests: Requests, comparison: Comparison
) -> Iterator[Piece]:
    keys = PadKeys(pad=PAD, left=PartyId(f"p{places[0]}"), right=PartyId(f"p{places[1]}"))
    sides = [
        Answers(
            comparison=comparison,
            rows=read_row_fields(
                {field: [row[field] for row in files[place]] for field in comparison.fields},
                comparison,
                compare=COMPARE,
                pad=PAD,
            ),
            keys=keys,
            side=side,
            random_bytes=os.urandom,
        )
        for place, side in zip(places, (Side.LEFT, Side.RIGHT), strict=True)
    ]
    for first in range(0, len(requests), AT_ONCE):
        inside = slice(first, first + AT_ONCE)
        left, right = (
            side.of(row_numbers(places[inside]), numbers=pad_numbers(places[inside], first=first))
            for side, places in zip(sides, (requests.left_place, requests.right_place), strict=True)
        )
        compared = requests.compared[inside]
        yield left[compared], right[compared], requests.candidate[inside][compared]


def _compared(files: list[list[Person]], places: tuple[int, int]) -> Compared:
    left, right = places
    shared = [field for field in STANDARD_FIELDS if field in FIELDS[left] and field in FIELDS[right]]
    comparison, requests = comparison_1(shared), _requests(files[left], files[right])
    return Compared(
        left=left,
        right=right,
        left_row=requests.left_row[requests.candidate],
        right_row=requests.right_row[requests.candidate],
        read=read_answers(_pieces(files, places, requests, comparison), comparison),
        near=(),
    )


def _twice() -> CandidatePairs:
    """Give the pairs of rows inside the second provider that are one person."""
    pairs = [(a, b) for a, b in combinations(range(SIZES[1]), 2) if WHO[1][a] == WHO[1][b]]
    left, right = np.array(pairs, np.uint32).T
    found = Found(left_dataset=1, right_dataset=1, similarity=np.full(left.size, 0.9), left_row=left, right_row=right)
    return merge_found([found], repeating=frozenset({1}))


@pytest.mark.slow
def test_three_providers_with_other_fields_for_each_two_are_linked_by_answers_of_their_nodes() -> None:
    files, inside = _files(1), _twice()
    people = find_people(inside, sizes=SIZES)

    weighed = [weigh(_compared(files, places), people=people) for places in combinations(range(3), 2)]
    groups = group_linked(merge_links(weighed, accept=0.5, inside=inside), sizes=SIZES)

    members: dict[int, list[tuple[int, int]]] = {}
    for entity, place, row in zip(groups.entity.tolist(), groups.dataset.tolist(), groups.row.tolist(), strict=True):
        members.setdefault(entity, []).append((place, row))
    linked = {pair for rows in members.values() for pair in combinations(rows, 2)}
    everyone = [(place, row) for place, size in enumerate(SIZES) for row in range(size)]
    true = {(a, b) for a, b in combinations(everyone, 2) if WHO[a[0]][a[1]] == WHO[b[0]][b[1]]}
    assert not any(one.scarce for one in weighed)
    assert len(true & linked) > 0.97 * len(true)
    assert len(linked - true) <= 2
    for one, common in zip(weighed, (60, 30, 60), strict=True):
        assert abs(one.model.shared - common) < 4
