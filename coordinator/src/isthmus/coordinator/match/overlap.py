"""How many entities are in which providers' data. True counts: they leave only through disclosure control."""

from collections.abc import Sequence

import numpy as np

from isthmus.coordinator.match.group import Groups


def people_counts(groups: Groups, *, sizes: Sequence[int]) -> list[int]:
    """Give the number of people of each dataset: its rows, those of one entity counted once."""
    again = (np.diff(groups.entity) == 0) & (np.diff(groups.dataset) == 0)
    surplus = np.bincount(groups.dataset[1:][again], minlength=len(sizes))
    return [size - int(rows) for size, rows in zip(sizes, surplus, strict=True)]


def membership_patterns(groups: Groups, *, sizes: Sequence[int]) -> dict[frozenset[int], int]:
    """Give, for each exact set of datasets, the number of entities that are in all of them and in no other.

    A row that is not linked is an entity of its own and counts for its dataset alone. Patterns that do not occur are
    left out. The patterns with dataset d sum to its `people_counts`: its rows, unless it repeats people.
    """
    member = np.zeros((groups.entities, len(sizes)), np.bool_)
    member[groups.entity, groups.dataset] = True
    rows, counts = np.unique(member, axis=0, return_counts=True)
    linked = {frozenset(np.flatnonzero(row).tolist()): int(count) for row, count in zip(rows, counts, strict=True)}
    unlinked = np.array(sizes) - np.bincount(groups.dataset, minlength=len(sizes))
    alone = {frozenset({dataset}): int(count) for dataset, count in enumerate(unlinked) if count > 0}
    # A dataset that repeats people has entities to itself of several rows beside those of one.
    return linked | {pattern: count + linked.get(pattern, 0) for pattern, count in alone.items()}
