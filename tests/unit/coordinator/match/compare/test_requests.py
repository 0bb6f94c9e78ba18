"""Request lists: even, best candidates first, in an order that says nothing."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.contract.field_answers import SECOND_PAD
from isthmus.contract.secret import Secret
from isthmus.coordinator.match.compare.requests import (
    SLOTS_OF_A_RANDOM_PAIR,
    Requests,
    build_requests,
    count_requests,
    count_sample,
)

Pair = tuple[int, int]
SEED = Secret(b"thirty-two bytes that are random")


def _built(pairs: list[Pair], *, rows: Pair, slots: int, seed: Secret = SEED) -> Requests:
    columns = np.array(pairs, np.uint32).reshape(-1, 2)
    return build_requests(columns[:, 0], columns[:, 1], rows=rows, slots=slots, seed=seed)


def _pairs(requests: Requests, *, candidate: bool) -> list[Pair]:
    kept = requests.candidate == candidate
    return list(zip(requests.left_row[kept].tolist(), requests.right_row[kept].tolist(), strict=True))


@st.composite
def _asked(draw: st.DrawFn) -> tuple[list[Pair], Pair, int]:
    """Draw candidates, numbers of rows, and slots."""
    rows = draw(st.tuples(st.integers(1, 12), st.integers(1, 12)))
    pair = st.tuples(st.integers(0, rows[0] - 1), st.integers(0, rows[1] - 1))
    return draw(st.lists(pair, unique=True, max_size=30)), rows, draw(st.integers(2, 20))


def _plainly_taken(pairs: list[Pair], room: tuple[dict[int, int], dict[int, int]]) -> set[Pair]:
    taken = set()
    for left, right in pairs:
        if room[0][left] > 0 and room[1][right] > 0:
            room[0][left] -= 1
            room[1][right] -= 1
            taken.add((left, right))
    return taken


@settings(max_examples=30, deadline=None)
@given(_asked())
def test_every_row_stands_in_as_many_pairs_as_every_other_give_or_take_one(asked: tuple[list[Pair], Pair, int]) -> None:
    pairs, rows, slots = asked

    requests = _built(pairs, rows=rows, slots=slots)

    assert len(requests) == count_requests(rows, slots=slots) == slots * max(rows)
    for column, count in zip((requests.left_row, requests.right_row), rows, strict=True):
        stands = np.bincount(column, minlength=count)
        assert stands.size == count
        assert set(stands.tolist()) <= {len(requests) // count, -(-len(requests) // count)}


@settings(max_examples=30, deadline=None)
@given(_asked())
def test_best_candidates_are_taken_first_as_a_plain_program_takes_them(asked: tuple[list[Pair], Pair, int]) -> None:
    pairs, rows, slots = asked

    requests = _built(pairs, rows=rows, slots=slots)

    # Which rows stand in one pair more is drawn; the rest follows from that.
    stands = [np.bincount(column).tolist() for column in (requests.left_row, requests.right_row)]
    left, right = ({row: n - max(n // SLOTS_OF_A_RANDOM_PAIR, 1) for row, n in enumerate(side)} for side in stands)
    found = _pairs(requests, candidate=True)
    assert len(found) == len(set(found))
    assert set(found) == _plainly_taken(pairs, (left, right))


@settings(max_examples=30, deadline=None)
@given(_asked())
def test_every_row_stands_in_a_random_pair(asked: tuple[list[Pair], Pair, int]) -> None:
    pairs, rows, slots = asked

    drawn = _pairs(_built(pairs, rows=rows, slots=slots), candidate=False)

    assert {left for left, _ in drawn} == set(range(rows[0]))
    assert {right for _, right in drawn} == set(range(rows[1]))


def test_the_same_seed_gives_the_same_list_and_another_seed_another() -> None:
    pairs = [(row, row) for row in range(20)]

    one, same = (_built(pairs, rows=(20, 30), slots=4) for _ in range(2))
    other = _built(pairs, rows=(20, 30), slots=4, seed=Secret(bytes(32)))

    for name in ("left_row", "right_row", "candidate"):
        assert getattr(one, name).tolist() == getattr(same, name).tolist()
        assert getattr(one, name).tolist() != getattr(other, name).tolist()


def test_what_a_node_sees_does_not_depend_on_candidates() -> None:
    def seen(pairs: list[Pair]) -> Counter[tuple[int, ...]]:
        lists = (_built(pairs, rows=(2, 2), slots=2, seed=Secret(bytes([*range(31), n]))) for n in range(250))
        asked = [(one.left_row, one.left_place >= SECOND_PAD) for one in lists]
        pads.append(np.mean([second for _, second in asked]))
        return Counter(tuple(rows.tolist()) for rows, _ in asked)

    pads: list[np.floating] = []
    with_some, without = seen([(0, 0), (1, 1)]), seen([])

    # Of two rows that stand twice each there are six orders.
    assert len(with_some) == len(without) == 6
    assert min(*with_some.values(), *without.values()) > 20
    assert max(*with_some.values(), *without.values()) < 70
    # A thousand places, each of either pad.
    assert all(0.42 < share < 0.58 for share in pads)


@settings(deadline=None)  # the first call compiles
@given(_asked())
def test_candidates_and_a_sample_are_compared_and_nothing_else(asked: tuple[list[Pair], Pair, int]) -> None:
    pairs, rows, slots = asked

    requests = _built(pairs, rows=rows, slots=slots)

    free = int(np.count_nonzero(~requests.candidate))
    compared = int(np.count_nonzero(requests.compared & ~requests.candidate))
    assert requests.compared[requests.candidate].all()
    assert compared == min(free, count_sample(rows))


@pytest.mark.parametrize(("rows", "sample"), [((1, 20), 100), ((3000, 2000), 750), ((10, 1_000_000), 5_000)])
def test_sample_is_a_quarter_of_the_larger_file_within_bounds(rows: Pair, sample: int) -> None:
    assert count_sample(rows) == sample


def test_free_places_of_two_nodes_hold_rows_that_have_nothing_to_do_with_each_other() -> None:
    # Were rows matched in their order, equal numbers would meet: 8,000 places of 1,000 rows, 8 of them by chance.
    requests = _built([], rows=(1000, 1000), slots=8)

    assert np.count_nonzero(requests.left_row == requests.right_row) < 30


def test_which_rows_stand_once_more_is_drawn() -> None:
    # 5 rows in 2 pairs each are 10 pairs: two of the other 4 rows stand in 3 of them.
    more = Counter(
        row
        for n in range(200)
        for row, count in enumerate(
            np.bincount(_built([], rows=(4, 5), slots=2, seed=Secret(bytes([*range(31), n]))).left_row).tolist()
        )
        if count == 3
    )

    assert sum(more.values()) == 400
    assert max(more.values()) - min(more.values()) < 60


def test_very_uneven_files_share_the_pairs_evenly() -> None:
    pairs = [(row % 10, row) for row in range(100_000)]

    requests = _built(pairs, rows=(10, 100_000), slots=4)

    assert set(np.bincount(requests.left_row).tolist()) == {40_000}
    assert set(np.bincount(requests.right_row).tolist()) == {4}
    assert int(requests.candidate.sum()) == 100_000


def test_random_pairs_are_spread_over_all_rows() -> None:
    drawn = _pairs(_built([], rows=(30, 30), slots=30), candidate=False)

    # 900 pairs of 900 that there are: a fair draw leaves some e^-1 of them out.
    assert 480 < len(set(drawn)) < 660


@pytest.mark.parametrize("rows", [(0, 0), (0, 3), (3, 0)])
def test_a_provider_without_rows_is_asked_nothing(rows: Pair) -> None:
    assert len(_built([], rows=rows, slots=8)) == 0


def test_one_row_each_is_asked_for_its_pair_in_every_slot() -> None:
    requests = _built([(0, 0)], rows=(1, 1), slots=2)

    assert requests.left_row.tolist() == requests.right_row.tolist() == [0, 0]
    assert sorted(requests.candidate.tolist()) == [False, True]


def test_too_few_slots_and_rows_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="slot"):
        _built([], rows=(3, 3), slots=1)
    for pair in ((3, 0), (0, 3)):
        with pytest.raises(ValueError, match="no provider holds"):
            _built([pair], rows=(3, 3), slots=2)


def test_lists_of_a_wrong_type_or_length_are_refused() -> None:
    rows, flags = np.zeros(2, np.uint32), np.zeros(2, np.bool_)
    with pytest.raises(ValueError, match="uint32"):
        Requests(left_place=rows.astype(np.int64), right_place=rows, candidate=flags)
    with pytest.raises(ValueError, match="one length"):
        Requests(left_place=rows[:1], right_place=rows, candidate=flags)
