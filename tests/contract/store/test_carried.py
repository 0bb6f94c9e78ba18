"""What longitudinal projects know from round to round, in every store."""

import pytest
from contract.store.conftest import Open
from contract.store.things import OTHER_ROUND, PROJECT, ROUND, A, B, actions, digest, event, fill

from isthmus.contract.errors import AlreadyExists
from isthmus.contract.ids import ProjectId
from isthmus.coordinator.domain.records import KnownRow
from isthmus.coordinator.store.protocol import Store


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    return store


def _known(party: str, byte: int, number: int = 1) -> KnownRow:
    return KnownRow(party=A if party == "a" else B, number=number, digest=digest(byte))


def test_last_known_rows_of_each_provider_stand(open_again: Open) -> None:
    store = open_again()
    fill(store)
    with store.begin() as tx:
        assert tx.carried.known(PROJECT) == []
        tx.carried.carry(PROJECT, ROUND, known=[_known("a", 1), _known("b", 2)], changes={}, audit=event("carry"))
    with store.begin() as tx:
        tx.carried.carry(PROJECT, OTHER_ROUND, known=[_known("a", 3, 2)], changes={}, audit=event("carry"))

    with open_again().read() as tx:
        assert tx.carried.known(PROJECT) == sorted([_known("a", 3, 2), _known("b", 2)], key=lambda one: one.party)
        assert tx.carried.known(ProjectId("another")) == []
    assert actions(store).count("carry") == 2


def test_changes_are_of_one_round_and_party_and_kept_once(filled: Store) -> None:
    with filled.begin() as tx:
        tx.carried.carry(PROJECT, ROUND, known=[], changes={A: digest(5)}, audit=event("carry"))

    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.carried.carry(PROJECT, ROUND, known=[_known("a", 9)], changes={A: digest(6)}, audit=event("carry"))

    with filled.read() as tx:
        assert tx.carried.changes(ROUND, A) == digest(5)
        assert tx.carried.changes(ROUND, B) is None
        assert tx.carried.changes(OTHER_ROUND, A) is None
        assert tx.carried.known(PROJECT) == []
    assert actions(filled).count("carry") == 1


def test_blobs_of_known_rows_and_changes_are_needed_until_others_take_their_place(filled: Store) -> None:
    with filled.begin() as tx:
        tx.carried.carry(PROJECT, ROUND, known=[_known("a", 1)], changes={A: digest(5)}, audit=event())
        assert tx.blob_is_used(digest(1)) and tx.blob_is_used(digest(5))
        tx.carried.carry(PROJECT, OTHER_ROUND, known=[_known("a", 2)], changes={}, audit=event())

        assert not tx.blob_is_used(digest(1))
        assert tx.blob_is_used(digest(2)) and tx.blob_is_used(digest(5))
