"""Submissions and chunks in every store."""

from dataclasses import replace

import pytest
from contract.store.things import (
    OTHER_ROUND,
    ROUND,
    A,
    B,
    actions,
    chunk,
    digest,
    event,
    fill,
    submission,
)

from isthmus.contract.errors import AlreadyExists, StateChanged, SubmissionConflict
from isthmus.contract.ids import PartyId, RoundId
from isthmus.coordinator.store.protocol import Store


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    with store.begin() as tx:
        tx.submissions.open(submission(A), audit=event("open"))
    return store


def test_submission_is_found_by_round_and_party_alone(filled: Store) -> None:
    with filled.read() as tx:
        assert tx.submissions.find(ROUND, A) == submission(A)
        assert tx.submissions.find(ROUND, B) is None
        assert tx.submissions.find(OTHER_ROUND, A) is None


def test_signature_of_a_submission_is_kept(filled: Store) -> None:
    signed = replace(submission(B), signature=bytes(range(64)))
    with filled.begin() as tx:
        tx.submissions.open(signed, audit=event("open"))

    with filled.read() as tx:
        assert tx.submissions.find(ROUND, B) == signed


def test_party_has_one_submission_a_round(filled: Store) -> None:
    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.submissions.open(replace(submission(A), document=b"other"), audit=event("open"))

    with filled.read() as tx:
        assert tx.submissions.find(ROUND, A) == submission(A)
    assert actions(filled).count("open") == 1


def test_submissions_of_a_round_come_by_party(filled: Store) -> None:
    with filled.begin() as tx:
        tx.submissions.open(submission(B), audit=event())
        tx.submissions.open(submission(A, OTHER_ROUND), audit=event())

    with filled.read() as tx:
        assert tx.submissions.of_round(ROUND) == [submission(B), submission(A)]


def test_chunks_come_by_index_and_the_same_again_changes_nothing(filled: Store) -> None:
    with filled.begin() as tx:
        for one in (chunk(2, 12), chunk(0, 10), chunk(10, 11), chunk(2, 12)):
            tx.submissions.add_chunk(one)

    with filled.read() as tx:
        assert tx.submissions.chunks(ROUND, A) == [chunk(0, 10), chunk(2, 12), chunk(10, 11)]
        assert tx.submissions.chunks(ROUND, B) == []
        assert [tx.submissions.chunk_digest(ROUND, A, index) for index in (0, 1, 2)] == [digest(10), None, digest(12)]
        assert tx.submissions.chunk_digest(ROUND, B, 0) is None
        assert tx.submissions.chunk_digest(OTHER_ROUND, A, 0) is None


def test_other_content_for_a_chunk_is_refused(filled: Store) -> None:
    with filled.begin() as tx:
        tx.submissions.add_chunk(chunk(0, 10))

    with pytest.raises(SubmissionConflict), filled.begin() as tx:
        tx.submissions.add_chunk(chunk(0, 11))

    with filled.read() as tx:
        assert tx.submissions.chunks(ROUND, A) == [chunk(0, 10)]


def test_submission_is_closed_once_with_its_receipt(filled: Store) -> None:
    with filled.begin() as tx:
        tx.submissions.complete(ROUND, A, receipt=b"receipt", audit=event("complete"))

    with pytest.raises(StateChanged), filled.begin() as tx:
        tx.submissions.complete(ROUND, A, receipt=b"other", audit=event("complete"))

    with filled.read() as tx:
        assert tx.submissions.find(ROUND, A) == replace(submission(A), receipt=b"receipt")
    assert actions(filled).count("complete") == 1


def test_discarding_forgets_an_open_submission_and_gives_its_chunks(filled: Store) -> None:
    with filled.begin() as tx:
        tx.submissions.open(submission(B), audit=event())
        tx.submissions.add_chunk(chunk(0, 10, A))
        tx.submissions.add_chunk(chunk(1, 11, A))
        tx.submissions.add_chunk(chunk(0, 20, B))

    with filled.begin() as tx:
        dropped = tx.submissions.discard(ROUND, A, audit=event("discard"))

    assert dropped == [chunk(0, 10), chunk(1, 11)]
    with filled.read() as tx:
        assert tx.submissions.find(ROUND, A) is None
        assert tx.submissions.chunks(ROUND, A) == []
        assert tx.submissions.chunks(ROUND, B) == [chunk(0, 20, B)]
    assert actions(filled)[-1] == "discard"


@pytest.mark.parametrize(("name", "round_id"), [(B, ROUND), (A, OTHER_ROUND)])
def test_discarding_does_not_give_a_chunk_whose_content_another_one_has(
    filled: Store, name: PartyId, round_id: RoundId
) -> None:
    with filled.begin() as tx:
        tx.submissions.open(submission(name, round_id), audit=event())
        tx.submissions.add_chunk(chunk(0, 10))
        tx.submissions.add_chunk(chunk(1, 11))
        tx.submissions.add_chunk(chunk(5, 10, name, round_id))

    with filled.begin() as tx:
        assert tx.submissions.discard(ROUND, A, audit=event()) == [chunk(1, 11)]


def test_closed_submission_is_not_discarded(filled: Store) -> None:
    with filled.begin() as tx:
        tx.submissions.add_chunk(chunk(0, 10))
        tx.submissions.complete(ROUND, A, receipt=b"receipt", audit=event())

    with pytest.raises(StateChanged), filled.begin() as tx:
        tx.submissions.discard(ROUND, A, audit=event())

    with filled.read() as tx:
        assert tx.submissions.chunks(ROUND, A) == [chunk(0, 10)]


def test_submission_that_is_not_there_is_neither_closed_nor_discarded(filled: Store) -> None:
    with pytest.raises(StateChanged), filled.begin() as tx:
        tx.submissions.complete(ROUND, B, receipt=b"", audit=event())
    with pytest.raises(StateChanged), filled.begin() as tx:
        tx.submissions.discard(ROUND, B, audit=event())


def test_party_can_submit_again_after_its_submission_was_discarded(filled: Store) -> None:
    with filled.begin() as tx:
        tx.submissions.add_chunk(chunk(0, 10))
        tx.submissions.discard(ROUND, A, audit=event())
        tx.submissions.open(submission(A), audit=event())
        tx.submissions.add_chunk(chunk(0, 11))

    with filled.read() as tx:
        assert tx.submissions.chunks(ROUND, A) == [chunk(0, 11)]
