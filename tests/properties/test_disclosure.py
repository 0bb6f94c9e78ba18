"""Disclosure control against an attacker who shares no code with it and sees only the released table.

He knows what every cell means, so he writes each as a sum over exact sets of providers, and solves for the hidden ones:
once by exact linear algebra, once by trying all tables of whole numbers.
"""

from fractions import Fraction
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.contract.ids import PartyId
from isthmus.coordinator.disclosure.release import DisclosureRules, ReleasedRow, ReleasedTable, release, reopen
from isthmus.coordinator.disclosure.suppress import suppress
from isthmus.coordinator.disclosure.table import Table, overlap_table

COUNTS = st.one_of(st.integers(0, 12), st.sampled_from([0, 9, 10, 11, 25, 300]), st.integers(0, 10**7))
Row = list[Fraction]


@st.composite
def tables(draw: st.DrawFn, providers: st.SearchStrategy[int], counts: st.SearchStrategy[int]) -> Table:
    """The overlap table of random people."""
    number = draw(providers)
    patterns = {members: draw(counts) for members in exact_sets(number)}
    sizes = [sum(count for members, count in patterns.items() if i in members) for i in range(number)]
    return overlap_table([PartyId(f"college-{i}") for i in range(number)], patterns, sizes)


def exact_sets(number: int) -> list[frozenset[int]]:
    """Every set of providers that a person may be with."""
    return [frozenset(some) for size in range(1, number + 1) for some in combinations(range(number), size)]


def meaning(row: ReleasedRow, sets: list[frozenset[int]]) -> Row:
    """The cell as a sum over exact sets, read from its name alone."""
    measure, names = row.key
    members = {int(name.rpartition("-")[2]) for name in names.split(" + ")}
    exactly = measure == "in the data of exactly"
    return [Fraction(some == members if exactly else some >= members) for some in sets]


def known_space(rows: list[Row]) -> list[tuple[int, Row]]:
    """The reduced rows of what is known, each with the place of its leading one (Gauss and Jordan)."""
    reduced: list[tuple[int, Row]] = []
    for row in rows:
        rest = remainder(row, reduced)
        lead = next((i for i, entry in enumerate(rest) if entry), None)
        if lead is not None:
            reduced.append((lead, [entry / rest[lead] for entry in rest]))
    return reduced


def remainder(row: Row, reduced: list[tuple[int, Row]]) -> Row:
    """What is left of a row after everything known is subtracted; all zero when it follows from that."""
    for lead, known in reduced:
        if row[lead]:
            row = [entry - row[lead] * other for entry, other in zip(row, known, strict=True)]
    return row


def attack_by_subtraction(released: ReleasedTable, number: int) -> list[ReleasedRow]:
    """The hidden cells whose counts follow from the shown ones."""
    sets = exact_sets(number)
    known = known_space([meaning(row, sets) for row in released.rows if row.count is not None])
    return [row for row in released.rows if row.count is None and not any(remainder(meaning(row, sets), known))]


def attack_by_trying(released: ReleasedTable, number: int, most: int) -> list[set[int]]:
    """The values that each hidden cell takes over all tables of up to `most` people a set that fit what is shown."""
    sets = exact_sets(number)
    rows = [([int(x) for x in meaning(row, sets)], row.count) for row in released.rows]
    worlds: list[list[int]] = [[]]
    for place in range(len(sets)):
        worlds = [
            [*world, count]
            for world in worlds
            for count in range(most + 1)
            if all(fits([*world, count], row, shown, place + 1 == len(sets)) for row, shown in rows)
        ]
    return [
        {sum(a * b for a, b in zip(row, world, strict=True)) for world in worlds}
        for row, shown in rows
        if shown is None
    ]


def fits(world: list[int], row: list[int], shown: int | None, whole: bool) -> bool:
    """Whether a beginning of a table may still come to the shown count; the last entries of a row may be zero."""
    if shown is None:
        return True
    total = sum(a * b for a, b in zip(row, world, strict=False))
    return total == shown if whole or not any(row[len(world) :]) else total <= shown


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(table=tables(st.integers(2, 4), COUNTS))
def test_no_hidden_count_follows_by_subtraction(table: Table) -> None:
    number = sum(cell.key[0] == "all rows of" for cell in table.cells)
    assert attack_by_subtraction(release(table, rules=DisclosureRules()), number) == []


@pytest.mark.slow
@settings(max_examples=3, deadline=None)
@given(table=tables(st.just(5), COUNTS))
def test_no_hidden_count_of_five_providers_follows_by_subtraction(table: Table) -> None:
    assert attack_by_subtraction(release(table, rules=DisclosureRules()), 5) == []


@settings(max_examples=40, deadline=None)
@given(table=tables(st.just(2), st.integers(0, 7)))
def test_every_hidden_count_of_two_providers_may_be_far_from_itself(table: Table) -> None:
    released = release(table, rules=DisclosureRules(min_cell_count=3))
    for values in attack_by_trying(released, 2, most=16):
        assert max(values) >= 3
        assert max(values) - min(values) >= 3


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(table=tables(st.just(3), st.integers(0, 3)))
def test_every_hidden_count_of_three_providers_may_be_far_from_itself(table: Table) -> None:
    released = release(table, rules=DisclosureRules(min_cell_count=2))
    hidden = [row for row in released.rows if row.count is None]
    if len(hidden) > 9:
        return  # With so little shown the attacker has millions of tables to choose from.
    for values in attack_by_trying(released, 3, most=5):
        assert max(values) >= 2
        assert max(values) - min(values) >= 2


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(table=tables(st.integers(2, 4), COUNTS), least=st.sampled_from([2, 5, 10, 15]))
def test_what_is_shown_is_true_large_enough_and_the_same_each_time(table: Table, least: int) -> None:
    released = release(table, rules=DisclosureRules(min_cell_count=least))
    truth = table.counts()
    for row in released.rows:
        assert row.count is None or row.count == truth[row.key] >= least
        assert (row.reason == "suppressed") is (row.count is None)
    assert [row.key for row in released.rows] == [cell.key for cell in table.cells]
    again = release(table, rules=DisclosureRules(min_cell_count=least))
    assert again.to_bytes() == released.to_bytes()
    assert reopen(released.to_bytes()) == released
    if all(count >= least for count in truth.values()):
        assert suppress(table, min_cell_count=least) == {}
