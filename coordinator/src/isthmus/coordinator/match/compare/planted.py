"""Planted people between two providers: which pairs they are in, and how many are found. docs/protocol.md section 14.

They are made up by the nodes, who say which rows they are when all answers are asked for. Everything else is done
without them; how many of them are linked with themselves is recall under the errors that the protocol publishes.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.kinds import Floats
from isthmus.coordinator.match.compare.link import DECIMALS
from isthmus.coordinator.match.compare.model import Candidates, Model, judge

Rows = NDArray[np.uint32]
Flags = NDArray[np.bool_]

NOBODY = -1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Planted:
    """The planted people of two providers: `left_row` and `right_row` of person 0, 1 and so on, uint32, (people,).

    Raises `ValueError` where the two have not as many, or one row is two people.
    """

    left_row: Rows
    right_row: Rows

    def __post_init__(self) -> None:
        """Check lengths, and that no row comes twice."""
        if self.left_row.shape != self.right_row.shape or self.left_row.ndim != 1:
            raise ValueError("both providers must have a row of every planted person")
        if any(np.unique(rows).size != rows.size for rows in (self.left_row, self.right_row)):
            raise ValueError("a row is one planted person at most")

    def __len__(self) -> int:
        """How many people there are."""
        return int(self.left_row.size)

    def concerns(self, left_row: Rows, right_row: Rows) -> Flags:
        """Say of pairs, given by their rows of shape (pairs,), whether one of their rows is planted."""
        return np.isin(left_row, self.left_row) | np.isin(right_row, self.right_row)

    def own(self, left_row: Rows, right_row: Rows) -> NDArray[np.intp]:
        """Give of pairs the person that both their rows are, `NOBODY` where they are not."""
        left, right = _person(left_row, self.left_row), _person(right_row, self.right_row)
        return np.where(left == right, left, NOBODY)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedFound:
    """Of how many planted `people` of two providers both rows were `asked` for as candidates, and `found` to be one."""

    people: int
    asked: int
    found: int


def find_planted(planted: Planted, candidates: Candidates, model: Model, *, accept: float) -> PlantedFound:
    """Give how many planted people are found by a model that knows nothing of them.

    A person is found where the probability of the pair of both rows is equal to the acceptance or greater, and no other
    pair of one of these rows has a greater one.

    Args:
        planted: of the two providers.
        candidates: that were asked for; those without a planted row play no part. `rows` are those of real people.
        model: of real people alone.
        accept: in (0, 1].
    """
    inside = planted.concerns(candidates.left_row, candidates.right_row)
    concerned = replace(
        candidates,
        levels=candidates.levels[:, inside],
        left_row=candidates.left_row[inside],
        right_row=candidates.right_row[inside],
    )
    own = planted.own(concerned.left_row, concerned.right_row)
    probability = judge(concerned, model).round(DECIMALS)
    best = _is_best(probability, concerned.left_row) & _is_best(probability, concerned.right_row)
    return PlantedFound(
        people=len(planted),
        asked=_people(own),
        found=_people(own[best & (probability >= accept)]),
    )


def _is_best(probability: Floats, row: Rows) -> Flags:
    """Say of each pair whether no other one of its row has a greater probability."""
    _, of_pair = np.unique(row, return_inverse=True)
    most = np.zeros(int(of_pair.max(initial=-1)) + 1)
    np.maximum.at(most, of_pair, probability)
    return probability >= most[of_pair]


def _people(persons: NDArray[np.intp]) -> int:
    return int(np.unique(persons[persons != NOBODY]).size)


def _person(rows: Rows, of_person: Rows) -> NDArray[np.intp]:
    """Give the person that each row is, `NOBODY` where it is not planted."""
    order = np.argsort(of_person)
    rising = of_person[order]
    if not rising.size:
        return np.full(rows.size, NOBODY)
    place = np.minimum(np.searchsorted(rising, rows), rising.size - 1)
    return np.where(rising[place] == rows, order[place], NOBODY)
