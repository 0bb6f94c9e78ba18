"""Struck-out rows in every store."""

import pytest
from contract.store.things import OTHER_ROUND, ROUND, A, B, actions, event, fill

from isthmus.coordinator.store.protocol import Store

ONE, TWO, THREE = (bytes([byte]) * 16 for byte in (1, 2, 3))


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    return store


def test_tombstones_are_found_by_round_and_party_alone(filled: Store) -> None:
    with filled.begin() as tx:
        tx.tombstones.add(ROUND, A, [ONE, TWO], audit=event("strike"))

    with filled.read() as tx:
        assert tx.tombstones.of(ROUND, A) == {ONE, TWO}
        assert tx.tombstones.of(ROUND, B) == frozenset()
        assert tx.tombstones.of(OTHER_ROUND, A) == frozenset()


def test_tombstones_add_up_and_each_change_is_recorded(filled: Store) -> None:
    for handles in ([TWO], [ONE, TWO], [THREE, THREE]):
        with filled.begin() as tx:
            tx.tombstones.add(ROUND, A, handles, audit=event("strike"))

    with filled.read() as tx:
        assert tx.tombstones.of(ROUND, A) == {ONE, TWO, THREE}
    assert actions(filled).count("strike") == 3


@pytest.mark.parametrize("again", [[ONE, TWO], [TWO], []])
def test_tombstones_that_are_there_change_nothing_and_leave_no_record(filled: Store, again: list[bytes]) -> None:
    with filled.begin() as tx:
        tx.tombstones.add(ROUND, A, [ONE, TWO], audit=event("strike"))

    with filled.begin() as tx:
        tx.tombstones.add(ROUND, A, again, audit=event("strike"))

    assert actions(filled).count("strike") == 1


def test_same_handle_of_two_parties_is_two_tombstones(filled: Store) -> None:
    with filled.begin() as tx:
        tx.tombstones.add(ROUND, A, [ONE], audit=event("strike"))
        tx.tombstones.add(ROUND, B, [ONE], audit=event("strike"))

    with filled.read() as tx:
        assert tx.tombstones.of(ROUND, B) == {ONE}
    assert actions(filled).count("strike") == 2


def test_tombstones_of_a_block_that_fails_are_undone(filled: Store) -> None:
    with pytest.raises(ZeroDivisionError), filled.begin() as tx:
        tx.tombstones.add(ROUND, A, [ONE], audit=event("strike"))
        raise ZeroDivisionError

    with filled.read() as tx:
        assert tx.tombstones.of(ROUND, A) == frozenset()
    assert "strike" not in actions(filled)
