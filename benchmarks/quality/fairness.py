"""Which kind of person a pair is about: by origin of the names, changed surname, missing fields, and twins.

Groups are read from the data, so that every set has them; only origins come from whoever made the set.
"""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
# The benchmarks are no package.
from benchmarks.quality.people import DataSet, Provider
from benchmarks.quality.score import Pairs, Side, rows_of

MOST_MISSING: Final = 3
ALIKE: Final = 0.5
"""Last names with that part of their letter pairs in common are the same name, with an error in it."""

Key = tuple[str, str]
"""By what people are told apart, and the group."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCounts:
    """True pairs of a group, how many of them are linked, and how many links of the group are false."""

    true: int
    linked: int
    false: int


def count_groups(people: DataSet, *, true: Pairs, found: Pairs) -> dict[Key, GroupCounts]:
    """Count true and false links by group, all providers together."""
    of_true, of_found, of_both = Counter[Key](), Counter[Key](), Counter[Key]()
    for side, pairs in true.items():
        known, linked = set(pairs.tolist()), found[side].tolist()
        for counter, chosen in ((of_true, pairs), (of_found, found[side])):
            for keys in _keys(people, side, chosen):
                counter.update(keys)
        both = np.array([pair for pair in linked if pair in known], np.int64)
        for keys in _keys(people, side, both):
            of_both.update(keys)
    return {
        key: GroupCounts(true=of_true[key], linked=of_both[key], false=of_found[key] - of_both[key])
        for key in sorted(of_true | of_found)
    }


def _keys(people: DataSet, side: Side, pairs: np.ndarray) -> list[list[Key]]:
    left, right = (people.providers[place] for place in side)
    fields = people.shared_fields(*side)
    twins = [_twins(one) for one in (left, right)]
    return [
        [
            ("surname", _surname(left, right, one, other)),
            ("missing fields", _missing(left, right, one, other, fields)),
            ("twin in the file", "yes" if twins[0][one] or twins[1][other] else "no"),
            *((("names", origin),) if (origin := left.origins[one] or right.origins[other]) else ()),
        ]
        for one, other in zip(*(rows.tolist() for rows in rows_of(pairs)), strict=True)
    ]


def _twins(provider: Provider) -> list[bool]:
    """Say of each row whether another person of the file has its last name and birth date."""
    if "dob" not in provider.columns:
        return [False] * len(provider)
    shared = list(zip(provider.columns["last_name"], provider.columns["dob"], strict=True))
    people = Counter(one for one, _ in set(zip(shared, provider.entities, strict=True)))
    return [all(one) and people[one] > 1 for one in shared]


def _surname(left: Provider, right: Provider, one: int, other: int) -> str:
    ours, theirs = left.columns["last_name"][one], right.columns["last_name"][other]
    if not ours or not theirs:
        return "missing"
    same = bool(set(ours.split()) & set(theirs.split())) or _likeness(ours, theirs) >= ALIKE
    return "kept" if same else "changed"


def _likeness(one: str, other: str) -> float:
    """Dice similarity of two names by their letter pairs, in [0, 1]."""
    ours, theirs = ({f" {name} "[place : place + 2] for place in range(len(name) + 1)} for name in (one, other))
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))


def _missing(left: Provider, right: Provider, one: int, other: int, fields: Sequence[str]) -> str:
    count = sum(not (left.columns[field][one] and right.columns[field][other]) for field in fields)
    return str(count) if count < MOST_MISSING else f"{MOST_MISSING} or more"


def added(counts: Sequence[Mapping[Key, GroupCounts]]) -> dict[Key, GroupCounts]:
    """Give the sums over several sets."""
    return {
        key: GroupCounts(
            true=sum(one[key].true for one in counts if key in one),
            linked=sum(one[key].linked for one in counts if key in one),
            false=sum(one[key].false for one in counts if key in one),
        )
        for key in sorted({key for one in counts for key in one})
    }
