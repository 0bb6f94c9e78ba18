"""Tables before disclosure control."""

from itertools import combinations

import pytest

from isthmus.contract.ids import PartyId
from isthmus.coordinator.disclosure.table import Cell, Relation, Table, overlap_table

PATTERNS = {frozenset({0}): 500, frozenset({1}): 40, frozenset({0, 1}): 60, frozenset({0, 1, 2}): 7}


def _table(*cells: Cell, relations: tuple[Relation, ...] = (), dimensions: int = 1) -> Table:
    return Table(title="t", dimensions=("group",) * dimensions, cells=cells, systems=(relations,))


def _parties(number: int) -> list[PartyId]:
    return [PartyId(f"college-{i}") for i in range(number)]


def _cell(name: str, count: int, *, structural: bool = False) -> Cell:
    return Cell(key=(name,), count=count, structural=structural)


def test_repr_shows_no_count() -> None:
    table = overlap_table(_parties(2), {frozenset({0}): 73, frozenset({0, 1}): 4242}, [4315, 4242])
    assert not any(digits in repr(table) for digits in ("73", "4242", "4315"))


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (lambda: _table(_cell("a", 1), _cell("a", 1)), "twice"),
        (lambda: _table(_cell("a", 1), dimensions=2), "words"),
        (lambda: _table(_cell("a", -1)), "negative"),
        (lambda: _table(_cell("a", 1, structural=True)), "structural"),
        (lambda: _table(_cell("a", 1), relations=(Relation(total=("a",), parts=(("b",),)),)), "not there"),
        (
            lambda: _table(_cell("a", 3), _cell("b", 2), relations=(Relation(total=("a",), parts=(("b",),)),)),
            "add up",
        ),
    ],
)
def test_table_that_does_not_hold_together_is_refused(table: object, problem: str) -> None:
    assert callable(table)
    with pytest.raises(ValueError, match=problem):
        table()


def test_two_providers_have_rows_and_exact_sets() -> None:
    table = overlap_table(_parties(2), {frozenset({0}): 5, frozenset({0, 1}): 60}, [65, 60])
    assert table.counts() == {
        ("all rows of", "college-0"): 65,
        ("all rows of", "college-1"): 60,
        ("in the data of exactly", "college-0"): 5,
        ("in the data of exactly", "college-1"): 0,
        ("in the data of exactly", "college-0 + college-1"): 60,
    }
    assert len(table.relations) == 2


def test_three_providers_have_both_and_exactly_both() -> None:
    counts = overlap_table(_parties(3), PATTERNS, [567, 107, 7]).counts()
    assert len(counts) == 3 + 3 + 7
    assert counts["in the data of both", "college-0 + college-1"] == 67
    assert counts["in the data of exactly", "college-0 + college-1"] == 60
    assert counts["in the data of both", "college-1 + college-2"] == 7


@pytest.mark.parametrize("number", [2, 3, 4, 5])
def test_every_exact_set_has_a_cell(number: int) -> None:
    table = overlap_table(_parties(number), {}, [0] * number)
    pairs = len(list(combinations(range(number), 2))) if number > 2 else 0
    assert len(table.cells) == number + pairs + 2**number - 1
    assert len(table.relations) == number + pairs
    assert table.latent == ()


def test_more_than_five_providers_have_rows_and_pairs_only() -> None:
    patterns = {frozenset({0, 1}): 20, frozenset({0, 1, 5}): 30, frozenset({5}): 1}
    table = overlap_table(_parties(6), patterns, [50, 50, 0, 0, 0, 31])
    assert {cell.key[0] for cell in table.cells} == {"all rows of", "in the data of both"}
    assert len(table.cells) == 6 + 15
    assert len(table.systems) == 20
    assert all(len(system) == 6 for system in table.systems)


def test_one_provider_is_no_overlap() -> None:
    with pytest.raises(ValueError, match="two providers"):
        overlap_table(_parties(1), {}, [0])


def test_total_of_a_provider_that_repeats_people_is_of_people() -> None:
    table = overlap_table(_parties(2), {frozenset({0}): 5, frozenset({0, 1}): 60}, [65, 60], repeating={1})
    assert [cell.key[0] for cell in table.cells if cell.count in {65, 60}][:2] == ["all rows of", "all people of"]
    assert [relation.total[0] for relation in table.relations] == ["all rows of", "all people of"]


def test_sizes_that_the_patterns_do_not_make_are_refused() -> None:
    with pytest.raises(ValueError, match="add up"):
        overlap_table(_parties(2), {frozenset({0, 1}): 60}, [61, 60])
