"""Random candidate pairs, and two other programs that group them: anonlink's, and a plain one after the protocol."""

from array import array
from collections.abc import Collection
from itertools import combinations, combinations_with_replacement, product

import numpy as np
from anonlink.solving import greedy_solve

from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.group import Groups

Member = tuple[int, int]
Entities = list[list[Member]]


def random_pairs(
    seed: int, *, sizes: list[int], share: float, levels: int, repeating: Collection[int] = ()
) -> CandidatePairs:
    """Each possible pair with the probability `share`, with one of `levels` scores: the fewer, the more ties."""
    rng = np.random.default_rng(seed)
    sides = combinations_with_replacement(range(len(sizes)), 2) if repeating else combinations(range(len(sizes)), 2)
    found = [
        (1 - float(rng.integers(levels)) / levels / 2, left, right, left_row, right_row)
        for left, right in sides
        for left_row, right_row in product(range(sizes[left]), range(sizes[right]))
        if (left < right or (left in repeating and left_row < right_row)) and rng.random() < share
    ]
    return pairs_of(sorted(found, key=lambda pair: (-pair[0], *pair[1:])), repeating=repeating)


def pairs_of(found: Collection[tuple[float, int, int, int, int]], *, repeating: Collection[int] = ()) -> CandidatePairs:
    """Pairs of (similarity, left dataset, right dataset, left row, right row) in their order."""
    similarity, *sides = zip(*found, strict=True) if found else [()] * 5
    left_dataset, right_dataset, left_row, right_row = (np.array(side, np.uint32) for side in sides)
    return CandidatePairs(
        similarity=np.array(similarity, np.float64),
        left_dataset=left_dataset,
        right_dataset=right_dataset,
        left_row=left_row,
        right_row=right_row,
        repeating=frozenset(repeating),
    )


def by_anonlink(pairs: CandidatePairs) -> Entities:
    """What anonlink's greedy solver gives."""
    sides = (pairs.left_dataset, pairs.right_dataset), (pairs.left_row, pairs.right_row)
    left, right = (tuple(array("I", side.tobytes()) for side in both) for both in sides)
    return sorted(sorted(group) for group in greedy_solve((array("d", pairs.similarity.tobytes()), left, right)))


def by_the_protocol(pairs: CandidatePairs) -> Entities:
    """Best first, two groups are joined when all pairs of rows between them have come."""
    groups: list[frozenset[Member]] = []
    come: set[frozenset[Member]] = set()
    for pair in members(pairs):
        come.add(frozenset(pair))
        for member in pair:
            if not any(member in group for group in groups):
                groups.append(frozenset({member}))
        one, other = (next(group for group in groups if member in group) for member in pair)
        if one != other and all(frozenset(between) in come for between in product(one, other)):
            groups = [group for group in groups if group not in {one, other}] + [one | other]
    return sorted(sorted(group) for group in groups if len(group) > 1)


def members(pairs: CandidatePairs) -> list[tuple[Member, Member]]:
    """The two rows of each pair."""
    left = zip(pairs.left_dataset.tolist(), pairs.left_row.tolist(), strict=True)
    right = zip(pairs.right_dataset.tolist(), pairs.right_row.tolist(), strict=True)
    return list(zip(left, right, strict=True))


def bytes_of(groups: Groups) -> tuple[bytes, ...]:
    """All that groups hold."""
    return tuple(each.tobytes() for each in (groups.dataset, groups.row, groups.entity))


def groups_of(entities: Entities, *, repeating: Collection[int] = ()) -> Groups:
    """Sorted entities as groups."""
    linked = np.array([member for entity in entities for member in entity], np.uint32).reshape(-1, 2)
    return Groups(
        dataset=linked[:, 0],
        row=linked[:, 1],
        entity=np.repeat(np.arange(len(entities), dtype=np.uint32), [len(entity) for entity in entities]),
        repeating=frozenset(repeating),
    )
