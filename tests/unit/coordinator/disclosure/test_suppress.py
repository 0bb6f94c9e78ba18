"""Which cells are hidden."""

from collections import defaultdict
from itertools import combinations, product

import pytest

from isthmus.contract.ids import PartyId
from isthmus.coordinator.disclosure.errors import TableNotReleasable
from isthmus.coordinator.disclosure.suppress import Reason, exposed_cells, suppress
from isthmus.coordinator.disclosure.table import Cell, Key, Relation, Table, overlap_table


def _sum_table(total: int, *parts: int, structural: tuple[int, ...] = ()) -> Table:
    """A total and its parts, named 0, 1, 2 ..."""
    cells = [Cell(key=(str(i),), count=count, structural=i in structural) for i, count in enumerate(parts)]
    relation = Relation(total=("total",), parts=tuple(cell.key for cell in cells))
    return Table(
        title="A sum",
        dimensions=("part",),
        cells=(Cell(key=("total",), count=total), *cells),
        systems=((relation,),),
    )


def _overlap(number: int, patterns: dict[frozenset[int], int]) -> Table:
    sizes = [sum(count for pattern, count in patterns.items() if i in pattern) for i in range(number)]
    return overlap_table([PartyId(f"college-{i}") for i in range(number)], patterns, sizes)


def _hidden(table: Table, min_cell_count: int = 10) -> dict[str, Reason]:
    return {key[-1]: reason for key, reason in suppress(table, min_cell_count=min_cell_count).items()}


def test_large_counts_are_shown() -> None:
    assert _hidden(_sum_table(60, 10, 20, 30)) == {}


def test_a_small_count_takes_the_smallest_other_with_it() -> None:
    assert _hidden(_sum_table(154, 9, 20, 25, 100)) == {"0": Reason.PRIMARY, "1": Reason.COMPLEMENTARY}


def test_zero_is_hidden_like_a_small_count() -> None:
    assert _hidden(_sum_table(50, 0, 20, 30)) == {"0": Reason.PRIMARY, "1": Reason.COMPLEMENTARY}


def test_a_structural_zero_is_shown_and_protects_nothing() -> None:
    assert _hidden(_sum_table(50, 0, 20, 30, structural=(0,))) == {}
    assert _hidden(_sum_table(55, 0, 5, 50, structural=(0,))) == {"1": Reason.PRIMARY, "2": Reason.COMPLEMENTARY}


def test_two_small_counts_whose_sum_is_small_need_a_third() -> None:
    assert _hidden(_sum_table(58, 4, 4, 50)).keys() == {"0", "1", "2"}


def test_two_small_counts_whose_sum_is_large_enough_protect_each_other() -> None:
    assert _hidden(_sum_table(68, 9, 9, 50)) == {"0": Reason.PRIMARY, "1": Reason.PRIMARY}


def test_the_least_count_that_is_shown_is_the_rule() -> None:
    assert _hidden(_sum_table(60, 10, 20, 30), min_cell_count=11).keys() == {"0", "1"}


def test_a_complementary_cell_that_became_needless_is_shown_again() -> None:
    # First "b" is hidden for "a"; then "c" must be hidden for "a" and "b" have too small a sum; "b" alone would not do.
    cells = {"a": 1, "b": 12, "c": 40, "x": 13, "y": 53}
    table = Table(
        title="Two sums",
        dimensions=("part",),
        cells=tuple(Cell(key=(name,), count=count) for name, count in cells.items()),
        systems=(
            (Relation(total=("x",), parts=(("a",), ("b",))),),
            (Relation(total=("y",), parts=(("x",), ("c",))),),
        ),
    )
    hidden = suppress(table, min_cell_count=10)
    for key in [key for key, reason in hidden.items() if reason is Reason.COMPLEMENTARY]:
        fewer = hidden.keys() - {key}
        assert any(any(exposed_cells(table, system, fewer, min_cell_count=10)) for system in table.systems)


def test_a_count_that_its_shape_fixes_is_not_released() -> None:
    # x = y + z and y = x + z leave z no value but zero.
    keys: list[Key] = [("x",), ("y",), ("z",)]
    table = Table(
        title="A circle",
        dimensions=("part",),
        cells=tuple(Cell(key=key, count=count) for key, count in zip(keys, (50, 50, 0), strict=True)),
        systems=(
            (Relation(total=keys[0], parts=(keys[1], keys[2])), Relation(total=keys[1], parts=(keys[0], keys[2]))),
        ),
    )
    with pytest.raises(TableNotReleasable, match="A circle"):
        suppress(table, min_cell_count=10)


def test_a_small_overlap_of_two_hides_both_rests_and_shows_the_sizes() -> None:
    table = _overlap(2, {frozenset({0}): 900, frozenset({1}): 700, frozenset({0, 1}): 4})
    hidden = suppress(table, min_cell_count=10)
    assert {key[0] for key in hidden} == {"in the data of exactly"}
    assert len(hidden) == 3


def test_a_small_pair_among_six_providers_is_hidden_alone_where_nothing_bounds_it() -> None:
    patterns = {frozenset({i}): 100 for i in range(6)} | {frozenset(pair): 40 for pair in combinations(range(6), 2)}
    assert _hidden(_overlap(6, patterns | {frozenset({0, 1}): 4})) == {"college-0 + college-1": Reason.PRIMARY}


def test_a_pair_among_six_that_others_bound_takes_one_of_them_with_it() -> None:
    # All 12 of 0 and 12 of 1 are among the 20 of 2: from 4 to 12 are in both, which is too narrow.
    in_both, in_one, in_none = (
        {frozenset({0, 1, 2}): 5},
        {frozenset({0, 2}): 7, frozenset({1, 2}): 7},
        {frozenset({2}): 1},
    )
    patterns = in_both | in_one | in_none | {frozenset({i}): 100 for i in (1, 3, 4, 5)}
    hidden = _hidden(_overlap(6, patterns))
    assert hidden["college-0 + college-1"] is Reason.PRIMARY
    assert [key for key, reason in hidden.items() if reason is Reason.COMPLEMENTARY] != []


@pytest.mark.slow
@pytest.mark.parametrize(("min_cell_count", "top"), [(2, 8), (3, 10)])
def test_an_attacker_who_knows_the_program_pins_no_hidden_cell_of_two_providers(min_cell_count: int, top: int) -> None:
    # Every world up to a size goes through the program; worlds that look alike once released must differ everywhere.
    sets = [frozenset(members) for size in (1, 2) for members in combinations(range(2), size)]
    alike: dict[tuple[int | None, ...], list[tuple[int, ...]]] = defaultdict(list)
    for counts in product(range(top), repeat=3):
        table = _overlap(2, dict(zip(sets, counts, strict=True)))
        hidden = suppress(table, min_cell_count=min_cell_count)
        shown = tuple(None if cell.key in hidden else cell.count for cell in table.cells)
        alike[shown].append(tuple(cell.count for cell in table.cells))
    # A world at the edge has neighbours that were not made.
    whole = {shown: worlds for shown, worlds in alike.items() if all(max(world[:2]) < top for world in worlds)}
    assert sum(None in shown for shown in whole) > 10
    for shown, worlds in whole.items():
        for place, count in enumerate(shown):
            assert count is not None or len({world[place] for world in worlds}) > 1
