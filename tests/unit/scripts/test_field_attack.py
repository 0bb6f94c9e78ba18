"""The parts of our own attack on field comparison, and that it works: it must not rot into one that finds nobody."""

from dataclasses import replace

import numpy as np
import pytest
from isthmus_field_attack.book import Evidence, Sight, codes, in_order, write_book
from isthmus_field_attack.kernels import Beliefs, score_again
from isthmus_field_attack.profile import bins_of, counted, profiles
from isthmus_field_attack.recognise import CLAIM, Names, attackers_list, attackers_view, make_graph, recognise
from isthmus_field_attack.scene import Files, Held, Knowledge, Terms, hold_round, make_files
from isthmus_field_attack.search import search

from isthmus.contract.comparison import comparison_1
from isthmus.coordinator.match.compare.requests import Requests

FIELDS = ("first_name", "last_name", "dob", "sex", "zip", "phone")
LEFT = {"first_name": ["ana", "bo"], "dob": ["20010203", "19800102"]}
RIGHT = {"first_name": ["ana", "cy"], "dob": ["20010204", "19711231"]}
OWN = {"first_name": ["ana", "bob", "cy"], "dob": ["20010203", "", "19711231"]}


def _files() -> Files:
    return Files(columns=(LEFT, RIGHT), person=(np.array([0, 1]), np.array([0, 2])), own_list=OWN)


def _held(**seen: list[int]) -> Held:
    """Give a round in which left row 0 links with right row 0, and both were compared with both."""
    comparison = comparison_1(("first_name", "dob"))
    pairs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.uint32)
    return Held(
        comparison=comparison,
        requests=Requests(left_place=pairs[:, 0].copy(), right_place=pairs[:, 1].copy(), candidate=np.arange(4) == 0),
        seen=np.array([seen.get(part.name, [-1] * 4) for part in comparison.parts], np.int16).T,
        presence=(np.array([7, 7], np.uint32), np.array([7, 3], np.uint32)),
        linked=np.array([0]),
    )


def _part(held: Held, name: str) -> int:
    return [part.name for part in held.comparison.parts].index(name)


def _silent(_text: str) -> None:
    pass


def _share_right(files: Files, names: Names, known: tuple[np.ndarray, np.ndarray]) -> tuple[float, float]:
    """Give the share of unknown rows that are named rightly, and that of the claims that are right."""
    unknown = np.concatenate(known) < 0
    right = np.concatenate(names.person) == np.concatenate(files.person)
    claimed = unknown & (np.concatenate(names.probability) >= CLAIM)
    return float(right[unknown].mean()), float(right[claimed].mean()) if claimed.any() else 1.0


def test_view_counts_digits_and_shows_bands_of_equal_names_only() -> None:
    held = _held(**{"dob.day": [2, 4, 0, -1], "first_name": [0, 80, 0, -1], "first_name.band": [3, 5, 200, 1]})

    view = attackers_view(held, Sight.DISTANCES)

    assert view[:, _part(held, "dob.day")].tolist() == [1, 2, 0, -1]
    assert view[:, _part(held, "first_name.band")].tolist() == [3, -1, -1, -1]


@pytest.mark.parametrize(("sight", "told"), [(Sight.LEVELS, [0, 1, 1, 2, 3, 4]), (Sight.EQUAL, [0, 1, 1, 1, 1, 1])])
def test_coarser_sight_tells_grades_or_equality_alone(sight: Sight, told: list[int]) -> None:
    part = comparison_1(("first_name",)).parts[0]

    assert codes(part, sight)[[0, 1, 22, 40, 56, 57]].tolist() == told


def test_rows_that_link_are_one_unit_and_every_other_pair_stands_at_both_of_its_ends() -> None:
    held = _held()

    graph = make_graph(held, attackers_view(held, Sight.DISTANCES), order=in_order(held.comparison))

    assert graph.rows.tolist() == [[0, 0], [1, -1], [-1, 1]]
    assert graph.link.tolist() == [0, -1, -1]
    ends = {(unit, int(graph.pair[at])) for unit in range(3) for at in range(graph.first[unit], graph.first[unit + 1])}
    assert ends == {(0, 1), (2, 1), (1, 2), (0, 2), (1, 3), (2, 3)}


def test_exact_list_has_each_file_as_it_is_and_says_who_is_in_it() -> None:
    people = attackers_list(_files(), Knowledge.EXACT)

    assert people.columns[0]["first_name"] == ["ana", "bo", "cy"]
    assert people.columns[1]["dob"] == ["20010204", "19800102", "19711231"]
    assert [inside.tolist() for inside in people.inside] == [[True, True, False], [True, False, True]]


def test_own_list_is_the_same_for_both_files_and_knows_nothing_of_who_is_where() -> None:
    people = attackers_list(_files(), Knowledge.OWN)

    assert people.columns == (OWN, OWN)
    assert all(inside.all() for inside in people.inside)


def test_book_expects_no_difference_of_equal_names_and_the_more_the_less_alike() -> None:
    held, rng = _held(), np.random.default_rng(1)
    view = attackers_view(held, Sight.DISTANCES)
    evidence = Evidence(strangers=view, links=view[:1], exact=True)

    book = write_book(attackers_list(_files(), Knowledge.OWN), held.comparison, evidence, rng=rng)

    first = book.tables[book.start[0] : book.start[0] + book.width[0] ** 2].reshape(book.width[0], -1)
    ana, bob, cy = book.left_text[0]
    assert first[ana, ana] == 0
    assert 50 < first[ana, cy] < 80
    assert first[ana, bob] == first[bob, ana] > 0
    assert book.left_digits[:, 1].tolist() == [2**64 - 1] * 3


@pytest.fixture(scope="module")
def small() -> Files:
    return make_files(150, fields=FIELDS, seed=3)


@pytest.fixture(scope="module")
def small_round(small: Files) -> Held:
    return hold_round(small, Terms(slots=8, random_pairs=10**9), seed=3, report=_silent)


@pytest.mark.slow
def test_attack_names_everybody_where_all_pairs_are_answered(small: Files, small_round: Held) -> None:
    rng = np.random.default_rng(3)
    known = tuple(np.where(of < 10, of, -1) for of in small.person)
    people = attackers_list(small, Knowledge.EXACT)

    names = recognise(
        small_round,
        people,
        knowledge=Knowledge.EXACT,
        known=(known[0], known[1]),
        sight=Sight.DISTANCES,
        rng=rng,
        report=_silent,
    )

    right, of_claims = _share_right(small, names, (known[0], known[1]))
    assert right > 0.9
    assert of_claims > 0.97


@pytest.mark.slow
def test_attack_with_an_own_list_names_hardly_anybody_where_only_candidates_are_answered(small: Files) -> None:
    held, nobody = hold_round(small, Terms(slots=8, random_pairs=0), seed=3, report=_silent), np.full(150, -1)

    names = recognise(
        held,
        attackers_list(small, Knowledge.OWN),
        knowledge=Knowledge.OWN,
        known=(nobody, nobody),
        sight=Sight.DISTANCES,
        rng=np.random.default_rng(3),
        report=_silent,
    )

    assert held.requests.candidate.all()
    assert _share_right(small, names, (nobody, nobody))[0] < 0.1


@pytest.mark.slow
def test_search_gives_people_the_scores_that_they_get_one_by_one(small: Files, small_round: Held) -> None:
    view, people = attackers_view(small_round, Sight.DISTANCES), attackers_list(small, Knowledge.OWN)
    rng = np.random.default_rng(3)
    evidence = Evidence(strangers=view, links=view[small_round.linked], exact=False)
    book = write_book(people, small_round.comparison, evidence, rng=rng)
    graph = make_graph(small_round, view, order=in_order(small_round.comparison))
    # Every eighth unit is thought to be somebody, so that fewer than four of a unit's pairs tell something of it.
    count = len(graph.rows)
    beliefs = Beliefs(np.full((count, 1), -1, np.int32), np.zeros((count, 1), np.float32))
    beliefs.people[::8, 0], beliefs.weight[::8, 0] = np.arange(count)[::8] % 200, 0.75
    heard = np.add.reduceat(beliefs.weight[graph.other, 0] > 0, graph.first[:-1])
    units = np.flatnonzero(heard <= 4)[:40]
    found = Beliefs(np.full((count, 5), -1, np.int32), np.zeros((count, 5), np.float32))
    none = np.zeros((len(units), len(book.in_left)), np.float32)

    search(book, graph, beliefs, units, none, 0.4, -50.0, found)
    searched = found.weight[units].copy()
    score_again(book, graph, beliefs, units, np.zeros((count, 5), np.float32), 0.4, found)

    assert (found.people[units] >= 0).all()
    # The search trusts a link by 99.99 % only, which adds a little to bad scores.
    assert np.allclose(searched, found.weight[units], atol=0.01)


def test_profile_says_that_common_values_are_equal_more_often() -> None:
    names = ["ana"] * 8 + ["bo", "cy"]
    columns = {"first_name": names, "dob": ["20010203"] * 10}
    everybody, held = np.ones(10, np.bool_), _held(first_name=[0, 80, 90, 100])
    people = replace(attackers_list(_files(), Knowledge.OWN), columns=(columns, columns), inside=(everybody, everybody))
    view = attackers_view(held, Sight.DISTANCES)
    order = in_order(held.comparison)
    evidence = Evidence(strangers=view, links=view[:1], exact=True)
    book = write_book(people, held.comparison, evidence, rng=np.random.default_rng(1))

    bins = bins_of(book)
    looks = profiles(book, bins, np.random.default_rng(1))

    equal = bins[order.index(_part(held, "first_name")), 0]
    assert looks[0, equal] > looks[8, equal]
    beliefs = Beliefs(np.full((3, 1), -1, np.int32), np.zeros((3, 1), np.float32))
    assert counted(make_graph(held, view, order=order), beliefs, bins).sum() > 0
