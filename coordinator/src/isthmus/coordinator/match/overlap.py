"""How many entities are in which providers' data. True counts: they leave only through disclosure control."""

from collections.abc import Sequence

import numpy as np

from isthmus.coordinator.match.group import Groups


def membership_patterns(groups: Groups, *, sizes: Sequence[int]) -> dict[frozenset[int], int]:
    """Give, for each exact set of datasets, the number of entities that are in all of them and in no other.

    A row that is not linked is an entity of its own and counts for its dataset alone. Patterns that do not occur are
    left out. Unless dataset d repeats people, every row of it counts once: the patterns with d sum to `sizes[d]`.
    """
    member = np.zeros((groups.entities, len(sizes)), np.bool_)
    member[groups.entity, groups.dataset] = True
    rows, counts = np.unique(member, axis=0, return_counts=True)
    linked = {frozenset(np.flatnonzero(row).tolist()): int(count) for row, count in zip(rows, counts, strict=True)}
    unlinked = np.array(sizes) - np.bincount(groups.dataset, minlength=len(sizes))
    alone = {frozenset({dataset}): int(count) for dataset, count in enumerate(unlinked) if count > 0}
    # A dataset that repeats people has entities to itself of several rows beside those of one.
    return linked | {pattern: count + linked.get(pattern, 0) for pattern, count in alone.items()}
