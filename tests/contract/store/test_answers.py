"""Answers and their chunks in every store."""

from dataclasses import replace

import pytest
from contract.store.things import OTHER_ROUND, ROUND, A, B, actions, answer_chunk, answers, digest, event, fill

from isthmus.contract.errors import AlreadyExists, StateChanged, SubmissionConflict
from isthmus.coordinator.store.protocol import Store


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    with store.begin() as tx:
        tx.answers.open(answers(), audit=event("open"))
    return store


def test_answers_are_found_by_round_and_both_parties_alone(filled: Store) -> None:
    with filled.read() as tx:
        assert tx.answers.find(ROUND, A, B) == answers()
        assert tx.answers.find(ROUND, B, A) is None
        assert tx.answers.find(OTHER_ROUND, A, B) is None


def test_answers_of_a_round_come_by_party_and_other(filled: Store) -> None:
    with filled.begin() as tx:
        tx.answers.open(answers(B, A), audit=event())
        tx.answers.open(answers(round_id=OTHER_ROUND), audit=event())

    with filled.read() as tx:
        assert tx.answers.of_round(ROUND) == [answers(B, A), answers(A, B)]


def test_party_declares_answers_about_another_once_a_round(filled: Store) -> None:
    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.answers.open(replace(answers(), document=b"other"), audit=event("open"))

    with filled.read() as tx:
        assert tx.answers.find(ROUND, A, B) == answers()
    assert actions(filled).count("open") == 1


def test_chunks_of_answers_come_by_index_and_the_same_again_changes_nothing(filled: Store) -> None:
    with filled.begin() as tx:
        for one in (answer_chunk(2, 12), answer_chunk(0, 10), answer_chunk(10, 11), answer_chunk(2, 12)):
            tx.answers.add_chunk(one)

    with filled.read() as tx:
        assert tx.answers.chunks(ROUND, A, B) == [answer_chunk(0, 10), answer_chunk(2, 12), answer_chunk(10, 11)]
        assert tx.answers.chunk_count(ROUND, A, B) == 3
        assert (tx.answers.chunks(ROUND, B, A), tx.answers.chunk_count(ROUND, B, A)) == ([], 0)
        assert tx.blob_is_used(digest(12))


def test_other_content_for_a_chunk_of_answers_is_refused(filled: Store) -> None:
    with filled.begin() as tx:
        tx.answers.add_chunk(answer_chunk(0, 10))
        tx.answers.add_chunk(answer_chunk(0, 11, B, A))

    with pytest.raises(SubmissionConflict), filled.begin() as tx:
        tx.answers.add_chunk(answer_chunk(0, 11))

    with filled.read() as tx:
        assert tx.answers.chunks(ROUND, A, B) == [answer_chunk(0, 10)]


def test_answers_are_closed_once(filled: Store) -> None:
    with filled.begin() as tx:
        tx.answers.complete(ROUND, A, B, audit=event("complete"))

    for party, other in ((A, B), (B, A)):
        with pytest.raises(StateChanged), filled.begin() as tx:
            tx.answers.complete(ROUND, party, other, audit=event("complete"))

    with filled.read() as tx:
        assert tx.answers.find(ROUND, A, B) == replace(answers(), complete=True)
    assert actions(filled).count("complete") == 1


def test_discarding_forgets_open_answers_and_gives_their_chunks(filled: Store) -> None:
    with filled.begin() as tx:
        tx.answers.open(answers(B, A), audit=event())
        tx.answers.add_chunk(answer_chunk(0, 10))
        tx.answers.add_chunk(answer_chunk(0, 20, B, A))

    with filled.begin() as tx:
        assert tx.answers.discard(ROUND, A, B, audit=event("discard")) == [answer_chunk(0, 10)]

    with filled.read() as tx:
        assert tx.answers.find(ROUND, A, B) is None
        assert tx.answers.chunks(ROUND, A, B) == []
        assert tx.answers.chunks(ROUND, B, A) == [answer_chunk(0, 20, B, A)]
        assert not tx.blob_is_used(digest(10))
    assert actions(filled)[-1] == "discard"


def test_closed_answers_are_not_discarded(filled: Store) -> None:
    with filled.begin() as tx:
        tx.answers.add_chunk(answer_chunk(0, 10))
        tx.answers.complete(ROUND, A, B, audit=event())

    with pytest.raises(StateChanged), filled.begin() as tx:
        tx.answers.discard(ROUND, A, B, audit=event())

    with filled.read() as tx:
        assert tx.answers.chunk_count(ROUND, A, B) == 1
