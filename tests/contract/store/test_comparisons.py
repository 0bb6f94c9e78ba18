"""What is asked of providers about pairs, in every store."""

import pytest
from contract.store.things import OTHER_ROUND, ROUND, A, B, actions, comparison, digest, event, fill, party

from isthmus.contract.errors import AlreadyExists
from isthmus.contract.ids import PartyId
from isthmus.coordinator.store.protocol import Store


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    with store.begin() as tx:
        tx.comparisons.add(comparison(), audit=event("ask"))
    return store


def test_comparisons_are_found_by_round_alone_and_come_by_left_and_right(filled: Store) -> None:
    third = PartyId("wages")
    with filled.begin() as tx:
        tx.parties.add(party(third), audit=event())
        for left, right in ((A, third), (B, third)):
            tx.comparisons.add(comparison(left, right), audit=event())

    with filled.read() as tx:
        assert tx.comparisons.of_round(ROUND) == [comparison(B, third), comparison(A, B), comparison(A, third)]
        assert tx.comparisons.of_round(OTHER_ROUND) == []


def test_two_providers_are_asked_once_a_round(filled: Store) -> None:
    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.comparisons.add(comparison(), audit=event("ask"))
    with filled.begin() as tx:
        tx.comparisons.add(comparison(round_id=OTHER_ROUND), audit=event("ask"))

    assert actions(filled).count("ask") == 2


def test_comparison_says_each_side_what_is_asked_of_it() -> None:
    one = comparison()

    assert one.sides() == ((A, B), (B, A))
    assert (one.document_of(A), one.document_of(B)) == (b"to the left", b"to the right")
    assert (one.rows_of(A), one.rows_of(B)) == (digest(21), digest(22))


def test_own_pairs_are_kept_once_a_round(filled: Store) -> None:
    with filled.begin() as tx:
        tx.comparisons.set_own_pairs(ROUND, digest(31), audit=event("own"))

    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.comparisons.set_own_pairs(ROUND, digest(32), audit=event("own"))

    with filled.read() as tx:
        assert (tx.comparisons.own_pairs(ROUND), tx.comparisons.own_pairs(OTHER_ROUND)) == (digest(31), None)
    assert actions(filled).count("own") == 1


@pytest.mark.parametrize("byte", [21, 22, 23, 31])
def test_blobs_of_what_is_asked_are_used(filled: Store, byte: int) -> None:
    with filled.begin() as tx:
        tx.comparisons.set_own_pairs(ROUND, digest(31), audit=event())

    with filled.read() as tx:
        assert tx.blob_is_used(digest(byte))
        assert not tx.blob_is_used(digest(24))
