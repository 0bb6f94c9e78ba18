"""What equal vectors give away: who shares a table's values with whom, joined over all tables.

Equality needs no key and has no noise: vectors of a table are equal where the plaintexts are. So the attacker knows
the same structure from a list of people. Colours are those of Weisfeiler and Leman (1968), on the hypergraph whose
edges are the classes of equal vectors.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.node.audit.vectors import EncodedTables, Rows, Vectors, row_count

Colours = NDArray[np.uint64]
"""One a row; equal colours are equal structure, on either side."""

_ROUNDS: Final = 3
_GOLDEN: Final = 0x9E3779B97F4A7C15
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)


def equal_classes(vectors: Vectors) -> Rows:
    """For each row the number of its class of equal vectors, from 0; a row not in the table is a class of its own."""
    keyed = np.ascontiguousarray(vectors.packed).view(np.dtype((np.void, vectors.packed.shape[1]))).ravel()
    inverse = np.unique(keyed, return_inverse=True)[1].astype(np.int64)
    absent = np.flatnonzero(~vectors.present)
    inverse[absent] = len(keyed) + np.arange(len(absent))
    return np.unique(inverse, return_inverse=True)[1].astype(np.int64)


def colours(tables: EncodedTables) -> Colours:
    """Colours after some rounds of refinement: sizes of a row's classes, of its class-mates' classes, and so on."""
    classes = [equal_classes(vectors) for vectors in tables.values()]
    colour = np.zeros(row_count(tables), dtype=np.uint64)
    for place, vectors in enumerate(tables.values(), start=1):
        colour += _mixed(vectors.present.astype(np.uint64) * np.uint64(place), salt=place)
    for _ in range(_ROUNDS):
        colour = _refined(colour, classes)
    return colour


def _refined(colour: Colours, classes: Sequence[Rows]) -> Colours:
    mixed = _mixed(colour, salt=0)
    refined = mixed.copy()
    for place, of_row in enumerate(classes, start=1):
        # A sum that wraps around does not ask for the order of the members.
        total = np.zeros(int(of_row.max(initial=-1)) + 1, dtype=np.uint64)
        np.add.at(total, of_row, mixed)
        refined += _mixed(total, salt=place)[of_row]
    return refined


def _mixed(values: Colours, *, salt: int) -> Colours:
    """Spread 64-bit numbers; the finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    mixed = values + np.uint64(salt * _GOLDEN % 2**64)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
    result: Colours = mixed ^ (mixed >> np.uint64(31))
    return result


def joined_groups(tables: EncodedTables, *, largest: int) -> Iterator[Rows]:
    """Rows that equal vectors join, over all tables together; groups of two to `largest` rows."""
    label = np.arange(row_count(tables))
    classes = [equal_classes(vectors) for vectors in tables.values()]
    changed = True
    while changed:
        before = label
        for of_row in classes:
            least = np.full(int(of_row.max(initial=-1)) + 1, len(label))
            np.minimum.at(least, of_row, label)
            label = least[of_row]
        changed = not np.array_equal(before, label)
    order = np.argsort(label, kind="stable")
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    for group in np.split(order, starts[1:]):
        if 2 <= len(group) <= largest:
            yield group
