"""Memberships, wraps and confirmations in every store."""

import pytest
from contract.store.conftest import Open
from contract.store.things import OTHER_ROUND, PROJECT, ROUND, A, B, actions, event, fill, key_document

from isthmus.contract.errors import SubmissionConflict
from isthmus.contract.ids import ProjectId
from isthmus.coordinator.store.protocol import KeyTable, Store


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    return store


def test_membership_is_replaced_and_comes_back_after_opening_again(open_again: Open) -> None:
    store = open_again()
    fill(store)
    with store.begin() as tx:
        assert tx.keys.membership(PROJECT) is None
        tx.keys.set_membership(PROJECT, b"first", audit=event("epoch"))
        tx.keys.set_membership(PROJECT, b"second", audit=event("epoch"))

    with open_again().read() as tx:
        assert tx.keys.membership(PROJECT) == b"second"
        assert tx.keys.membership(ProjectId("another")) is None


@pytest.mark.parametrize("kind", ["wraps", "confirmation"])
def test_documents_come_by_party_and_stay_in_their_round(filled: Store, kind: str) -> None:
    with filled.begin() as tx:
        _add(tx.keys, kind, A, byte=1)
        _add(tx.keys, kind, B, byte=2)

    with filled.read() as tx:
        found = tx.keys.wraps if kind == "wraps" else tx.keys.confirmations
        other = tx.keys.confirmations if kind == "wraps" else tx.keys.wraps
        assert list(found(ROUND)) == [key_document(B, 2), key_document(A, 1)]
        assert list(found(OTHER_ROUND)) == list(other(ROUND)) == []


@pytest.mark.parametrize("kind", ["wraps", "confirmation"])
def test_same_document_again_is_no_change_and_another_one_is_refused(filled: Store, kind: str) -> None:
    with filled.begin() as tx:
        _add(tx.keys, kind, A, byte=1)
        _add(tx.keys, kind, A, byte=1)

    with pytest.raises(SubmissionConflict), filled.begin() as tx:
        _add(tx.keys, kind, A, byte=2)

    assert actions(filled).count("sent") == 1


def _add(keys: KeyTable, kind: str, party: str, *, byte: int) -> None:
    row = key_document(A if party == A else B, byte)
    add = keys.add_wraps if kind == "wraps" else keys.add_confirmation
    add(row, audit=event("sent"))
