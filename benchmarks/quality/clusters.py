"""Groups as a plaintext linker would make them: whatever is connected, best pair first, at most one row a provider.

The product joins two groups only when every pair between them is a link; Splink's pairs are not held to that.
"""

from collections.abc import Collection, Sequence

import numpy as np

from isthmus.coordinator.match.engine import CandidatePairs
from isthmus.coordinator.match.group import Groups

Row = tuple[int, int]
"""A provider and a row of it."""


def connected(pairs: CandidatePairs, *, repeating: Collection[int]) -> Groups:
    """Join the rows of each pair in turn, unless both groups have rows of one provider that does not repeat people."""
    group: dict[Row, list[Row]] = {}
    columns = (pairs.left_dataset, pairs.left_row, pairs.right_dataset, pairs.right_row)
    for left_place, left_row, right_place, right_row in zip(*(one.tolist() for one in columns), strict=True):
        left = group.setdefault((left_place, left_row), [(left_place, left_row)])
        right = group.setdefault((right_place, right_row), [(right_place, right_row)])
        if left is not right and not ({one for one, _ in left} & {one for one, _ in right}) - set(repeating):
            left += right
            group |= dict.fromkeys(right, left)
    return _as_groups(sorted({id(one): sorted(one) for one in group.values() if len(one) > 1}.values()), repeating)


def _as_groups(found: Sequence[Sequence[Row]], repeating: Collection[int]) -> Groups:
    rows = np.array([row for one in found for row in one], np.uint32).reshape(-1, 2)
    entity = np.repeat(np.arange(len(found), dtype=np.uint32), [len(one) for one in found])
    return Groups(dataset=rows[:, 0].copy(), row=rows[:, 1].copy(), entity=entity, repeating=frozenset(repeating))
