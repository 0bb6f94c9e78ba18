"""What is known of links once they are grouped: the evidence between two providers, and overlap by acceptance.

Where rows of a provider may repeat people, candidates are between people, as in the model. All is of rows that are not
struck out; a model that was found with rows which were struck out meanwhile is kept.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from isthmus.coordinator.match.compare.estimates import Evidence
from isthmus.coordinator.match.compare.link import Weighed, best_of_people, merge_links, pairs_of_people
from isthmus.coordinator.match.compare.people import People, group_linked
from isthmus.coordinator.match.compare.sensitivity import Step, ladder
from isthmus.coordinator.match.engine import CandidatePairs, merge_found
from isthmus.coordinator.match.group import Groups

Flags = NDArray[np.bool_]

_NOBODY = -1


def of_kept_rows(weighed: Weighed, kept: Sequence[Flags]) -> Weighed:
    """Give the candidates of rows that are kept, under the numbers that these have among themselves.

    Args:
        weighed: of all rows.
        kept: for each provider, bool of shape (rows,): which of its rows are kept.
    """
    compared, (left, right) = weighed.compared, (kept[weighed.compared.left], kept[weighed.compared.right])
    both = left[compared.left_row] & right[compared.right_row]
    those = replace(
        compared,
        left_row=_numbers(left)[compared.left_row[both]],
        right_row=_numbers(right)[compared.right_row[both]],
        read=replace(compared.read, levels=compared.read.levels[:, both]),
    )
    return replace(weighed, compared=those, probability=weighed.probability[both])


def evidence_of(weighed: Weighed, *, people: Sequence[People], groups: Groups, acceptance: float) -> Evidence:
    """Give what is known of the links between two providers: those candidates whose rows are in one entity.

    Args:
        weighed: the two providers.
        people: of every provider of the project, in its order.
        groups: the entities of all providers.
        acceptance: the least probability of a link.
    """
    compared = weighed.compared
    pairs, speak = pairs_of_people(compared, people)
    candidates, of_pair = best_of_people(pairs, weighed.model)
    # Rows of one person are in one entity, and all pairs of two people have one probability: any of them tells.
    some = speak[np.unique(of_pair, return_index=True)[1]]
    left = _entities(groups, compared.left, people)[compared.left_row[some]]
    right = _entities(groups, compared.right, people)[compared.right_row[some]]
    return Evidence(
        candidates=candidates,
        model=weighed.model,
        probability=weighed.probability[some],
        accepted=(left != _NOBODY) & (left == right),
        acceptance=acceptance,
        random_pairs=compared.read.random_pairs,
    )


def overlap_steps(
    weighed: Sequence[Weighed], *, inside: CandidatePairs, sizes: Sequence[int], acceptances: Sequence[float]
) -> tuple[Step, ...]:
    """Give the overlap of all providers at each acceptance; pairs inside providers are the same at all of them."""
    between = merge_links(weighed, accept=min(acceptances), inside=merge_found([]))
    return ladder(
        between,
        group=lambda links: group_linked(_with_inside(links, inside), sizes=sizes),
        sizes=sizes,
        acceptances=acceptances,
    )


def _numbers(kept: Flags) -> NDArray[np.uint32]:
    return (np.cumsum(kept) - 1).astype(np.uint32)


def _entities(groups: Groups, place: int, people: Sequence[People]) -> NDArray[np.int64]:
    """Give the entity of each row of a provider, `_NOBODY` where it is none's."""
    of_row = np.full(people[place].of_row.size, _NOBODY, np.int64)
    own = groups.dataset == place
    of_row[groups.row[own]] = groups.entity[own]
    return of_row


def _with_inside(links: CandidatePairs, inside: CandidatePairs) -> CandidatePairs:
    if not len(inside):
        return links
    order = np.argsort(-np.concatenate([links.similarity, inside.similarity]), kind="stable")
    return CandidatePairs(
        similarity=np.concatenate([links.similarity, inside.similarity])[order],
        left_dataset=np.concatenate([links.left_dataset, inside.left_dataset])[order],
        right_dataset=np.concatenate([links.right_dataset, inside.right_dataset])[order],
        left_row=np.concatenate([links.left_row, inside.left_row])[order],
        right_row=np.concatenate([links.right_row, inside.right_row])[order],
        repeating=inside.repeating,
    )
