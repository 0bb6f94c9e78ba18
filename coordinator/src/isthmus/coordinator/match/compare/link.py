"""Links over all providers, from what the answers of each two of them say.

Each two providers have a model of their own, of the fields that they share. Rows of a provider that repeats people are
joined to people before (`people.find_people`), and people compete in the model, not rows: of the candidates between two
people the one that speaks most for them stands for all. The links of all providers are then grouped together
(`people.group_linked`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.differences import MISSING
from isthmus.contract.kinds import Floats, Kind
from isthmus.coordinator.match.compare.model import (
    DECLARED,
    MOST_ROUNDS,
    Candidates,
    Model,
    Starting,
    first_model,
    fit,
    log_evidence,
)
from isthmus.coordinator.match.compare.people import People
from isthmus.coordinator.match.compare.reading import Read
from isthmus.coordinator.match.compare.scarce import Scarce, too_few_matches, too_little_to_learn
from isthmus.coordinator.match.engine import CandidatePairs, Found, merge_found

Rows = NDArray[np.uint32]

DECIMALS: Final = 12
"""Probabilities have so many, so that the last bits of a processor's arithmetic decide nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """Two providers, by their places in the project, the left one first, and what is known of their candidates.

    `left_row` and `right_row` are uint32, shape (candidates,), in the order of `read.levels`; `near` are the near
    misses of both. Raises `ValueError` where lengths or places do not fit.
    """

    left: int
    right: int
    left_row: Rows
    right_row: Rows
    read: Read
    near: tuple[Kind, ...]

    def __post_init__(self) -> None:
        """Check places and lengths."""
        if self.left >= self.right:
            raise ValueError("the left provider must come before the right one")
        if any(row.shape != self.read.levels.shape[1:] for row in (self.left_row, self.right_row)):
            raise ValueError("there must be levels for every candidate")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weighed:
    """The candidates of two providers with the probability of each to be one person, float64, shape (candidates,).

    `scarce` says what there is too little of; where that is rows or random pairs, the model is the one to begin with.
    """

    compared: Compared
    probability: Floats
    model: Model
    scarce: frozenset[Scarce]


def weigh(compared: Compared, *, people: Sequence[People], starting: Starting = DECLARED) -> Weighed:
    """Give the probabilities of the candidates of two providers.

    A candidate that no field says anything of has none, and neither counts nor competes.

    Args:
        compared: the two providers.
        people: of every provider of the project, in its order.
        starting: what matches look like to begin with.
    """
    all_pairs, speak = pairs_of_people(compared, people)
    random = compared.read.random_shares()
    begun = first_model(all_pairs.fields, random=random, near=compared.near, rows=all_pairs.rows, starting=starting)
    best, of_pair = best_of_people(all_pairs, begun)
    scarce = too_little_to_learn(rows=all_pairs.rows, random_pairs=compared.read.random_pairs)
    rounds = 0 if scarce else MOST_ROUNDS
    model, of_people = fit(best, random=random, near=compared.near, starting=starting, most_rounds=rounds)
    probability = np.zeros(compared.left_row.size)
    probability[speak] = of_people[of_pair].round(DECIMALS)
    scarce |= too_few_matches(float(of_people.sum()))
    return Weighed(compared=compared, probability=probability, model=model, scarce=scarce)


def merge_links(weighed: Sequence[Weighed], *, accept: float, inside: CandidatePairs) -> CandidatePairs:
    """Give the pairs of all providers whose probability is equal to the acceptance or greater, best first.

    Equal ones come in the order of `CandidatePairs`.

    Args:
        weighed: each two providers once at most.
        accept: in (0, 1].
        inside: pairs inside providers that repeat people, by the score of tables; they are given with the others.
    """
    parts = [_accepted(one, accept) for one in weighed]
    own = inside.left_dataset == inside.right_dataset
    parts += [_inside(inside, own & (inside.left_dataset == place), place) for place in sorted(inside.repeating)]
    return merge_found(parts, repeating=inside.repeating)


def pairs_of_people(compared: Compared, people: Sequence[People]) -> tuple[Candidates, NDArray[np.intp]]:
    """Give the candidates that a field says anything of, by the people that their rows are, and which these are."""
    left, right = people[compared.left], people[compared.right]
    speak = np.flatnonzero((compared.read.levels != MISSING).any(axis=0))
    pairs = Candidates(
        fields=compared.read.fields,
        levels=compared.read.levels[:, speak],
        left_row=left.of_row[compared.left_row[speak]],
        right_row=right.of_row[compared.right_row[speak]],
        rows=(left.count, right.count),
    )
    return pairs, speak


def best_of_people(candidates: Candidates, model: Model) -> tuple[Candidates, NDArray[np.intp]]:
    """Give the best pair of each two people, and for each candidate which of these stands for it."""
    of_people = candidates.left_row.astype(np.uint64) << np.uint64(32) | candidates.right_row
    distinct, of_pair = np.unique(of_people, return_inverse=True)
    if distinct.size == len(candidates):
        return candidates, np.arange(len(candidates))
    order = np.lexsort((-log_evidence(candidates.levels, model), of_pair))
    best = order[np.diff(of_pair[order], prepend=-1) != 0]
    kept = Candidates(
        fields=candidates.fields,
        levels=candidates.levels[:, best],
        left_row=candidates.left_row[best],
        right_row=candidates.right_row[best],
        rows=candidates.rows,
    )
    return kept, of_pair


def _accepted(weighed: Weighed, accept: float) -> Found:
    kept, compared = weighed.probability >= accept, weighed.compared
    return Found(
        left_dataset=compared.left,
        right_dataset=compared.right,
        similarity=weighed.probability[kept],
        left_row=compared.left_row[kept],
        right_row=compared.right_row[kept],
    )


def _inside(pairs: CandidatePairs, kept: NDArray[np.bool_], place: int) -> Found:
    return Found(
        left_dataset=place,
        right_dataset=place,
        similarity=pairs.similarity[kept],
        left_row=pairs.left_row[kept],
        right_row=pairs.right_row[kept],
    )
