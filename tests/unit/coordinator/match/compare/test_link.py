"""Links over several providers: whom they join, in which order, and what repeated people and too little data change."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.contract.differences import MISSING
from isthmus.contract.levels import LEVELS
from isthmus.coordinator.match.compare.link import Compared, Weighed, merge_links, weigh
from isthmus.coordinator.match.compare.model import Candidates, fit
from isthmus.coordinator.match.compare.people import People, find_people, group_linked
from isthmus.coordinator.match.compare.reading import Read
from isthmus.coordinator.match.compare.scarce import Scarce, too_little_to_learn
from isthmus.coordinator.match.engine import CandidatePairs, Found, merge_found

FIELDS = ("first_name", "last_name", "dob", "zip")
UNLIKE = [len(LEVELS[field].names) - 1 for field in FIELDS]
EQUAL = [2, 2, 0, 0]
NOTHING = merge_found([])


def _read(levels: NDArray[np.int8], *, random_pairs: int = 1000) -> Read:
    counts = tuple(np.zeros(len(LEVELS[field].names), np.int64) for field in FIELDS)
    for of_field in counts:
        of_field[-1] = random_pairs
    return Read(fields=FIELDS, levels=levels, random_counts=counts, random_pairs=random_pairs)


def _compared(pairs: list[tuple[int, int, list[int]]], *, places: tuple[int, int] = (0, 1)) -> Compared:
    """Give candidates of (left row, right row, levels)."""
    return Compared(
        left=places[0],
        right=places[1],
        left_row=np.array([left for left, _, _ in pairs], np.uint32),
        right_row=np.array([right for _, right, _ in pairs], np.uint32),
        read=_read(np.array([levels for _, _, levels in pairs], np.int8).reshape(-1, len(FIELDS)).T),
        near=(),
    )


def _everyone(*sizes: int) -> list[People]:
    return [People(of_row=np.arange(size, dtype=np.uint32), count=size) for size in sizes]


def _repeats(rows: int, *, same: tuple[int, int]) -> CandidatePairs:
    """Give the one pair inside provider 1, of so many rows."""
    assert max(same) < rows
    one = Found(
        left_dataset=1,
        right_dataset=1,
        similarity=np.array([0.7]),
        left_row=np.array([same[0]], np.uint32),
        right_row=np.array([same[1]], np.uint32),
    )
    return merge_found([one], repeating=frozenset({1}))


def _links(weighed: list[Weighed], *, accept: float = 0.1) -> list[tuple[int, int, int, int]]:
    pairs = merge_links(weighed, accept=accept, inside=NOTHING)
    columns = (pairs.left_dataset, pairs.left_row, pairs.right_dataset, pairs.right_row)
    return list(zip(*(column.tolist() for column in columns), strict=True))


SIXTY = [(row, row, EQUAL) for row in range(60)]


def test_probabilities_are_those_of_the_model() -> None:
    compared = _compared([*SIXTY, (3, 70, UNLIKE), (5, 71, [2, 2, MISSING, 3])])

    weighed = weigh(compared, people=_everyone(100, 100))

    candidates = Candidates(
        fields=FIELDS,
        levels=compared.read.levels,
        left_row=compared.left_row,
        right_row=compared.right_row,
        rows=(100, 100),
    )
    model, probability = fit(candidates, random=compared.read.random_shares(), near=())
    assert weighed.probability.tolist() == pytest.approx(probability.tolist(), abs=1e-11)
    assert weighed.model.shared == model.shared
    assert not weighed.scarce


def test_a_candidate_that_nothing_is_known_of_is_no_link_and_changes_nothing() -> None:
    silent = (0, 0, [MISSING] * len(FIELDS))

    # One row on each side: without evidence they would be as likely the same person as not.
    alone = weigh(_compared([silent]), people=_everyone(1, 1))
    among = weigh(_compared([*SIXTY, silent]), people=_everyone(100, 100))

    assert alone.probability.tolist() == [0]
    assert among.probability[-1] == 0
    assert among.probability[:-1].tolist() == weigh(_compared(SIXTY), people=_everyone(100, 100)).probability.tolist()


def test_links_come_best_first_and_equal_ones_by_provider_and_row() -> None:
    doubtful = (80, 80, [2, 2, 3, 2])
    weighed = [
        weigh(_compared([*reversed(SIXTY), doubtful], places=places), people=_everyone(100, 100, 100))
        for places in ((1, 2), (0, 1))
    ]

    links = _links(weighed)

    assert links[:120] == [(left, row, left + 1, row) for left in (0, 1) for row in range(60)]
    assert set(links[120:]) <= {(0, 80, 1, 80), (1, 80, 2, 80)}


def test_a_probability_equal_to_the_acceptance_is_accepted_and_a_lower_one_is_not() -> None:
    weighed = weigh(_compared(SIXTY), people=_everyone(100, 100))
    edge = replace(weighed, probability=np.arange(60) / 100)

    assert len(_links([edge], accept=0.1)) == 50
    assert len(_links([edge], accept=float(np.nextafter(0.1, 1)))) == 49


def _apart_and_together(pairs: list[tuple[int, int, list[int]]]) -> tuple[Weighed, Weighed]:
    """Weigh candidates where rows 0 and 1 of provider 1 are two people, and where they are one."""
    compared, sizes = _compared(pairs), [100, 100]
    joined = find_people(_repeats(100, same=(0, 1)), sizes=sizes)
    return weigh(compared, people=_everyone(*sizes)), weigh(compared, people=joined)


def test_rows_of_one_person_do_not_compete_with_each_other() -> None:
    apart, together = _apart_and_together([(0, 0, EQUAL), *SIXTY[2:], (99, 0, UNLIKE), (0, 1, EQUAL)])

    assert apart.probability[[0, -1]].tolist() == pytest.approx([0.5, 0.5], abs=0.01)
    # Row 99 of provider 0 is a poor rival of row 0 for the one person that rows 0 and 1 are.
    assert together.probability[[0, -1]].tolist() == pytest.approx([1, 1], abs=0.01)


def test_the_pair_that_speaks_most_stands_for_two_people_whatever_its_place() -> None:
    others = [(row, row, EQUAL) for row in range(2, 60)]
    best_last = [(0, 0, UNLIKE), (0, 1, EQUAL), *others]
    best_first = [(0, 0, EQUAL), (0, 1, UNLIKE), *others]
    only_the_best = [(0, 1, EQUAL), *others]

    found = [_apart_and_together(pairs)[1].probability.tolist() for pairs in (best_last, best_first, only_the_best)]

    assert found[0][:2] == found[1][:2] == [found[2][0]] * 2
    assert found[0][2:] == found[1][2:] == found[2][1:]


def test_repeated_people_are_found_as_if_each_had_one_row() -> None:
    # Provider 1 has each person of provider 0 twice, in rows 2 n and 2 n + 1, then with a damaged name.
    twice = [(row, 2 * row + again, [10 if again else 2, *EQUAL[1:]]) for row in range(60) for again in (0, 1)]
    own = Found(
        left_dataset=1,
        right_dataset=1,
        similarity=np.full(100, 0.7),
        left_row=np.arange(0, 200, 2, dtype=np.uint32),
        right_row=np.arange(1, 200, 2, dtype=np.uint32),
    )
    inside = merge_found([own], repeating=frozenset({1}))
    people = find_people(inside, sizes=[100, 200])

    weighed = weigh(_compared(twice), people=people)
    groups = group_linked(merge_links([weighed], accept=0.5, inside=inside), sizes=[100, 200])

    once = weigh(_compared(SIXTY), people=_everyone(100, 100))
    assert weighed.probability[::2].tolist() == weighed.probability[1::2].tolist() == once.probability.tolist()
    assert weighed.model.shared == once.model.shared
    members = zip(groups.entity.tolist(), groups.dataset.tolist(), groups.row.tolist(), strict=True)
    expected = [(n, dataset, row) for n in range(60) for dataset, row in ((0, n), (1, 2 * n), (1, 2 * n + 1))]
    expected += [(n, 1, row) for n in range(60, 100) for row in (2 * n, 2 * n + 1)]
    assert list(members) == expected


def test_too_little_data_is_said_and_the_model_stays_as_it_begins() -> None:
    few = weigh(_compared(SIXTY[:4]), people=_everyone(5, 20_000))
    unsure = weigh(
        replace(_compared(SIXTY), read=_read(_compared(SIXTY).read.levels, random_pairs=40)), people=_everyone(100, 100)
    )

    assert few.scarce == {Scarce.ROWS, Scarce.MATCHES}
    assert unsure.scarce == {Scarce.RANDOM_PAIRS}
    assert [kind.share for kind in few.model.match] == [0.8, 0.15, 0.05]
    assert few.probability.min() > 0.9


@pytest.mark.parametrize(("matches", "scarce"), [(19, {Scarce.MATCHES}), (21, set())])
def test_few_matches_are_said_and_the_model_is_estimated_all_the_same(matches: int, scarce: set[Scarce]) -> None:
    weighed = weigh(_compared(SIXTY[:matches]), people=_everyone(100, 100))

    assert weighed.scarce == scarce
    assert weighed.model.shared == pytest.approx(matches, abs=0.1)


@pytest.mark.parametrize(
    ("rows", "pairs", "scarce"), [(20, 100, set()), (19, 100, {Scarce.ROWS}), (20, 99, {Scarce.RANDOM_PAIRS})]
)
def test_limits_of_what_can_be_learnt_from_are_inclusive(rows: int, pairs: int, scarce: set[Scarce]) -> None:
    assert too_little_to_learn(rows=(5000, rows), random_pairs=pairs) == scarce


def test_no_candidates_are_no_links() -> None:
    weighed = weigh(_compared([]), people=_everyone(100, 100))

    assert _links([weighed]) == []
    assert weighed.scarce == {Scarce.MATCHES}


def test_pairs_inside_providers_come_with_the_links_and_pairs_between_them_do_not() -> None:
    other = Found(
        left_dataset=0,
        right_dataset=1,
        similarity=np.array([0.9]),
        left_row=np.array([7], np.uint32),
        right_row=np.array([8], np.uint32),
    )
    own = replace(other, left_dataset=1)
    weighed = weigh(_compared(SIXTY), people=_everyone(100, 100))

    pairs = merge_links([weighed], accept=0.1, inside=merge_found([other, own], repeating=frozenset({1})))

    assert pairs.repeating == {1}
    assert int((pairs.left_dataset == pairs.right_dataset).sum()) == 1
    assert (0, 7, 1, 8) not in set(
        zip(
            *(c.tolist() for c in (pairs.left_dataset, pairs.left_row, pairs.right_dataset, pairs.right_row)),
            strict=True,
        )
    )


def test_places_and_lengths_that_do_not_fit_are_refused() -> None:
    compared = _compared(SIXTY)

    with pytest.raises(ValueError, match="before the right"):
        replace(compared, left=1)
    with pytest.raises(ValueError, match="every candidate"):
        replace(compared, left_row=compared.left_row[1:])
