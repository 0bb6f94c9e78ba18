"""From the answers of two nodes to what the model needs of them: levels of candidates, and counts of random pairs.

Answers come in pieces and are gone once they are read: a few hundred bytes a pair become one byte a field, and those of
random pairs nothing but counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.comparison import Comparison
from isthmus.contract.differences import GRADES, MISSING, Grades, field_levels
from isthmus.contract.kinds import RANDOM_PRIOR, Levels, Shares
from isthmus.contract.levels import LEVELS
from isthmus.coordinator.match.compare.differences import Bytes, read_differences

Piece = tuple[Bytes, Bytes, NDArray[np.bool_]]
"""Answers of the left and of the right node to some pairs, and which of these pairs are candidates."""

Counts = tuple[NDArray[np.int64], ...]
"""For each field, of how many pairs each level is."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Read:
    """What the answers of two nodes say.

    `levels` are those of the candidates in the order of their pair numbers, int8, shape (fields, candidates), -1 where
    a row lacks the field. `random_counts` are those of pairs that were drawn at random; `random_pairs` is how many of
    these say anything: a row that was struck out has no field.
    """

    fields: tuple[str, ...]
    levels: Levels
    random_counts: Counts
    random_pairs: int

    def random_shares(self) -> Shares:
        """Give the shares of levels in random pairs, none of which is impossible."""
        with_prior = (counts + RANDOM_PRIOR for counts in self.random_counts)
        return tuple(counts / counts.sum() for counts in with_prior)


def read_answers(pieces: Iterable[Piece], comparison: Comparison, *, grades: Grades = GRADES) -> Read:
    """Read all answers of two nodes, piece by piece; one piece is held at a time, and what is given back.

    Args:
        pieces: in the order of pair numbers; answers uint8, shape (pairs, answer_bytes), flags bool, shape (pairs,).
        comparison: of the fields that these two providers share.
        grades: from which similarity on names, streets and towns count as alike.

    Raises:
        ValueError: the sides of a piece, its flags or the comparison do not fit each other.
    """
    counts = tuple(np.zeros(len(LEVELS[field].names), np.int64) for field in comparison.fields)
    candidates = [np.empty((len(comparison.fields), 0), np.int8)]
    random_pairs = 0
    for left, right, candidate in pieces:
        if candidate.shape != left.shape[:1]:
            raise ValueError("a piece must say of every pair whether it is a candidate")
        levels = field_levels(read_differences(left, right, comparison), comparison.fields, grades=grades)
        candidates.append(levels[:, candidate])
        random_pairs += _count(levels[:, ~candidate], counts)
    return Read(
        fields=comparison.fields,
        levels=np.concatenate(candidates, axis=1),
        random_counts=counts,
        random_pairs=random_pairs,
    )


def _count(levels: Levels, counts: Sequence[NDArray[np.int64]]) -> int:
    """Add the levels of some pairs to those counted, and give how many of the pairs say anything."""
    for row, so_far in zip(levels, counts, strict=True):
        np.add(so_far, np.bincount(row[row != MISSING], minlength=so_far.size), out=so_far)
    return int((levels != MISSING).any(axis=0).sum())
