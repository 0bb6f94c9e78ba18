"""The log in every store: chains, pages of them, and who acknowledged what."""

import pytest
from contract.store.things import SCOPE, A, B, actions, event, fill

from isthmus.contract.audit_log import EMPTY, check_chain
from isthmus.coordinator.store.protocol import Store


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    for name in ("one", "two", "three"):
        with store.begin() as tx:
            tx.record(event(f"test.{name}", scope="other-scope"))
    return store


def test_pages_of_events_make_up_the_whole_chain(filled: Store) -> None:
    with filled.read() as tx:
        whole = tx.log.events("other-scope")
        pages = [*tx.log.events("other-scope", most=2), *tx.log.events("other-scope", after=2, most=2)]

    assert len(whole) == 3
    assert pages == list(whole)


def test_head_and_hashes_are_those_of_the_chain(filled: Store) -> None:
    with filled.read() as tx:
        links = list(check_chain(tx.log.events("other-scope"), scope="other-scope"))

        assert tx.log.head("other-scope") == links[-1].head
        assert [tx.log.hash_at("other-scope", number) for number in (1, 2, 3)] == [link.head.hash for link in links]
        assert tx.log.hash_at("other-scope", 4) is None


def test_scope_without_events_is_empty(filled: Store) -> None:
    with filled.read() as tx:
        assert tx.log.head("nothing") == EMPTY
        assert list(tx.log.events("nothing")) == []
        assert "nothing" not in tx.log.scopes()
        assert {SCOPE, "other-scope"} <= set(tx.log.scopes())


def test_last_acknowledgement_counts_for_its_party_and_scope_alone_and_each_is_recorded(filled: Store) -> None:
    for sequence in (1, 3):
        with filled.begin() as tx:
            tx.log.acknowledge(SCOPE, A, sequence, audit=event("log.acknowledge"))

    with filled.read() as tx:
        assert tx.log.acknowledged(SCOPE, A) == 3
        assert tx.log.acknowledged(SCOPE, B) == tx.log.acknowledged("other-scope", A) == 0
    assert actions(filled).count("log.acknowledge") == 2
