"""Pseudonym maps, keys and released tables in every store."""

from datetime import timedelta

import pytest
from contract.store.conftest import Open
from contract.store.things import (
    NOW,
    OTHER_ROUND,
    PROJECT,
    ROUND,
    A,
    B,
    actions,
    digest,
    event,
    fill,
    release,
    result,
)

from isthmus.contract.errors import AlreadyExists, NotFound
from isthmus.contract.ids import TableId
from isthmus.coordinator.store.protocol import Store


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    return store


def test_result_is_found_by_round_and_party_alone(filled: Store) -> None:
    with filled.begin() as tx:
        tx.results.add(result(A), audit=event("result"))

    with filled.read() as tx:
        assert tx.results.find(ROUND, A) == result(A)
        assert tx.results.find(ROUND, B) is None
        assert tx.results.find(OTHER_ROUND, A) is None
    assert actions(filled)[-1] == "result"


def test_party_has_one_result_a_round(filled: Store) -> None:
    with filled.begin() as tx:
        tx.results.add(result(A), audit=event())

    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.results.add(result(A), audit=event())


def test_round_has_one_quality_report_or_none(filled: Store) -> None:
    with filled.begin() as tx:
        assert tx.results.quality(ROUND) is None
        tx.results.set_quality(ROUND, b"{}", audit=event("quality"))

    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.results.set_quality(ROUND, b"[]", audit=event("quality"))

    with filled.read() as tx:
        assert (tx.results.quality(ROUND), tx.results.quality(OTHER_ROUND)) == (b"{}", None)
    assert actions(filled).count("quality") == 1


def test_round_has_one_set_of_entities(filled: Store) -> None:
    with filled.begin() as tx:
        assert tx.results.entities(ROUND) is None
        tx.results.set_entities(ROUND, digest(4), audit=event("entities"))

    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.results.set_entities(ROUND, digest(5), audit=event("entities"))

    with filled.read() as tx:
        assert tx.results.entities(ROUND) == digest(4)
        assert tx.results.entities(OTHER_ROUND) is None
    assert actions(filled).count("entities") == 1


def test_first_pseudonym_key_of_a_recipient_stands(open_again: Open) -> None:
    store = open_again()
    fill(store)
    with store.begin() as tx:
        assert tx.results.pseudonym_key(PROJECT, A, fresh=digest(1), audit=event("key.make")) == digest(1)
        assert tx.results.pseudonym_key(PROJECT, B, fresh=digest(2), audit=event("key.make")) == digest(2)

    with open_again().begin() as tx:
        assert tx.results.pseudonym_key(PROJECT, A, fresh=digest(3), audit=event("key.make")) == digest(1)

    assert actions(store).count("key.make") == 2


def test_release_comes_back_and_its_id_is_taken_once(filled: Store) -> None:
    with filled.begin() as tx:
        tx.results.add_release(release(), audit=event("release"))

    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.results.add_release(release(), audit=event("release"))

    with filled.read() as tx:
        assert tx.results.release(release().id) == release()
        with pytest.raises(NotFound):
            tx.results.release(TableId("nothing"))
    assert actions(filled).count("release") == 1


def test_releases_come_newest_first(filled: Store) -> None:
    with filled.begin() as tx:
        for name, minutes in (("one", 1), ("three", 3), ("two", 2)):
            tx.results.add_release(release(name, at=NOW + timedelta(minutes=minutes)), audit=event())

    with filled.read() as tx:
        assert [one.id for one in tx.results.releases()] == ["three", "two", "one"]
