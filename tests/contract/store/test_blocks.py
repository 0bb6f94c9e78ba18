"""Blocks of every store: wholly or not at all, one writer after another, each change with its event in the chain."""

import threading
from collections.abc import Callable
from itertools import pairwise

import msgspec
import pytest
from contract.store.conftest import Open
from contract.store.things import (
    OTHER_ROUND,
    PROJECT,
    ROUND,
    SCOPE,
    A,
    B,
    actions,
    agreement,
    certificate,
    decision,
    digest,
    event,
    fill,
    key_document,
    party,
    preflight,
    project,
    release,
    result,
    round_,
    signature,
    submission,
    token,
)

from isthmus.contract.agreement_terms import AgreementState
from isthmus.contract.canonical import sha256
from isthmus.contract.errors import NotFound, StateChanged
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.domain.agreements import WithdrawalRow
from isthmus.coordinator.store.protocol import Store, Transaction

Change = Callable[[Transaction], object]

CHANGES: dict[str, Change] = {
    "parties.add": lambda tx: tx.parties.add(party(PartyId("third")), audit=event("x")),
    "parties.add_token": lambda tx: tx.parties.add_token(token(2), audit=event("x")),
    "parties.use_token": lambda tx: tx.parties.use_token(digest(1), now=event().at, audit=event("x")),
    "parties.set_identity_key": lambda tx: tx.parties.set_identity_key(A, digest(1), audit=event("x")),
    "parties.set_agreement_key": lambda tx: tx.parties.set_agreement_key(A, digest(1), audit=event("x")),
    "keys.set_membership": lambda tx: tx.keys.set_membership(PROJECT, b"members", audit=event("x")),
    "keys.add_wraps": lambda tx: tx.keys.add_wraps(key_document(), audit=event("x")),
    "keys.add_confirmation": lambda tx: tx.keys.add_confirmation(key_document(), audit=event("x")),
    "parties.add_certificate": lambda tx: tx.parties.add_certificate(certificate(2), audit=event("x")),
    "parties.revoke_certificates": lambda tx: tx.parties.revoke_certificates(A, audit=event("x")),
    "rounds.add_project": lambda tx: tx.rounds.add_project(project(7, ProjectId("other")), audit=event("x")),
    "rounds.add": lambda tx: tx.rounds.add(round_(RoundId("third-round")), audit=event("x")),
    "rounds.advance": lambda tx: tx.rounds.advance(
        ROUND, expect=RoundState.DRAFT, to=RoundState.PROPOSED, audit=event("x")
    ),
    "rounds.sign": lambda tx: tx.rounds.sign(signature(), audit=event("x")),
    "rounds.set_preflight": lambda tx: tx.rounds.set_preflight(preflight(B), audit=event("x")),
    "rounds.drop_preflight": lambda tx: tx.rounds.drop_preflight(ROUND, A, audit=event("x")),
    "submissions.open": lambda tx: tx.submissions.open(submission(B), audit=event("x")),
    "submissions.complete": lambda tx: tx.submissions.complete(ROUND, A, receipt=b"r", audit=event("x")),
    "submissions.discard": lambda tx: tx.submissions.discard(ROUND, A, audit=event("x")),
    "results.add": lambda tx: tx.results.add(result(), audit=event("x")),
    "results.set_entities": lambda tx: tx.results.set_entities(ROUND, digest(1), audit=event("x")),
    "results.pseudonym_key": lambda tx: tx.results.pseudonym_key(PROJECT, A, fresh=digest(1), audit=event("x")),
    "results.add_release": lambda tx: tx.results.add_release(release(), audit=event("x")),
    "agreements.add": lambda tx: tx.agreements.add(agreement(9), audit=event("x")),
    "agreements.decide": lambda tx: tx.agreements.decide(decision(), audit=event("x")),
    "agreements.advance": lambda tx: tx.agreements.advance(
        digest(31), expect=AgreementState.PROPOSED, to=AgreementState.DECLINED, audit=event("x")
    ),
    "agreements.withdraw": lambda tx: tx.agreements.withdraw(
        WithdrawalRow(digest=digest(31), party=A, document=b"left", signature=bytes(64)), audit=event("x")
    ),
    "record": lambda tx: tx.record(event("x")),
}


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    with store.begin() as tx:
        tx.parties.add_token(token(1), audit=event())
        tx.parties.add_certificate(certificate(1), audit=event())
        tx.agreements.add(agreement(), audit=event())
        tx.rounds.set_preflight(preflight(A), audit=event())
        tx.submissions.open(submission(A), audit=event())
    return store


def _chain(store: Store, scope: str = SCOPE) -> list[bytes]:
    with store.read() as tx:
        return list(tx.events(scope))


def _in_threads(*works: Callable[[], None]) -> list[Exception]:
    """Run all at once; give what they raised."""
    raised: list[Exception] = []
    barrier = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        barrier.wait(10)
        try:
            work()
        except Exception as exc:  # noqa: BLE001 - the caller looks at it
            raised.append(exc)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


@pytest.mark.parametrize("name", CHANGES)
def test_change_writes_its_event_once(filled: Store, name: str) -> None:
    before = actions(filled)

    with filled.begin() as tx:
        CHANGES[name](tx)

    assert actions(filled) == [*before, "x"]


@pytest.mark.parametrize("name", CHANGES)
def test_exception_undoes_change_and_event(filled: Store, name: str) -> None:
    before = _chain(filled)

    with pytest.raises(ZeroDivisionError), filled.begin() as tx:
        CHANGES[name](tx)
        raise ZeroDivisionError

    assert _chain(filled) == before
    with filled.begin() as tx:
        CHANGES[name](tx)
    assert len(_chain(filled)) == len(before) + 1


def test_nothing_of_a_block_is_seen_from_outside_before_it_ends(open_again: Open) -> None:
    writer, reader = open_again(), open_again()

    with writer.begin() as tx:
        tx.parties.add(party(), audit=event())
        with reader.read() as other, pytest.raises(NotFound):
            other.parties.get(A)

    with reader.read() as other:
        assert other.parties.get(A) == party()


def test_read_block_sees_one_state_of_things(open_again: Open) -> None:
    writer, reader = open_again(), open_again()
    fill(writer)

    with reader.read() as view:
        before = view.rounds.get(ROUND)
        with writer.begin() as tx:
            tx.rounds.advance(ROUND, expect=RoundState.DRAFT, to=RoundState.PROPOSED, audit=event())
        assert view.rounds.get(ROUND) == before


def test_events_are_chained_by_hash_from_zero_and_numbered_from_one(filled: Store) -> None:
    chain = _chain(filled)
    read = [msgspec.json.decode(one) for one in chain]

    assert [one["sequence"] for one in read] == list(range(1, len(chain) + 1))
    assert read[0]["previous"] == "00" * 32
    assert all(after["previous"] == sha256(before).hex() for before, after in pairwise_of(chain, read))


def pairwise_of(chain: list[bytes], read: list[dict[str, object]]) -> list[tuple[bytes, dict[str, object]]]:
    """Give each event's bytes with what the next event says."""
    return [(before, after) for (before, _), (_, after) in pairwise(zip(chain, read, strict=True))]


def test_scopes_have_chains_of_their_own(filled: Store) -> None:
    before = _chain(filled)

    with filled.begin() as tx:
        tx.record(event("first", scope="coordinator"))
        tx.record(event("second", scope="coordinator"))

    assert [msgspec.json.decode(one)["sequence"] for one in _chain(filled, "coordinator")] == [1, 2]
    assert _chain(filled) == before
    assert _chain(filled, "nothing") == []


def test_of_two_writers_who_expect_the_same_state_one_changes_it(open_again: Open) -> None:
    first, second = open_again(), open_again()
    fill(first)

    def advance(store: Store) -> Callable[[], None]:
        def work() -> None:
            with store.begin() as tx:
                tx.rounds.advance(ROUND, expect=RoundState.DRAFT, to=RoundState.PROPOSED, audit=event("won"))

        return work

    raised = _in_threads(advance(first), advance(second))

    assert [type(exc) for exc in raised] == [StateChanged]
    assert actions(first).count("won") == 1


def test_many_writers_follow_one_another_and_lose_no_event(open_again: Open) -> None:
    one, other = open_again(), open_again()

    def write(store: Store, name: str) -> Callable[[], None]:
        def work() -> None:
            for index in range(10):
                with store.begin() as tx:
                    tx.record(event(f"{name}.{index}"))

        return work

    raised = _in_threads(write(one, "a"), write(one, "b"), write(other, "c"))

    assert raised == []
    chain = _chain(one)
    read = [msgspec.json.decode(event_) for event_ in chain]
    assert sorted(entry["action"] for entry in read) == sorted(f"{name}.{i}" for name in "abc" for i in range(10))
    assert [entry["sequence"] for entry in read] == list(range(1, 31))
    assert all(after["previous"] == sha256(before).hex() for before, after in pairwise_of(chain, read))


def test_reading_goes_on_while_somebody_writes(open_again: Open) -> None:
    writer, reader = open_again(), open_again()
    fill(writer)

    def read() -> None:
        for _ in range(20):
            with reader.read() as tx:
                assert {one.id for one in tx.rounds.all()} == {ROUND, OTHER_ROUND}

    def write() -> None:
        for _ in range(5):
            with writer.begin() as tx:
                tx.record(event())

    assert _in_threads(read, write) == []


def test_what_was_committed_is_there_after_opening_again(open_again: Open) -> None:
    store = open_again()
    fill(store)
    before = _chain(store)
    store.close()

    assert _chain(open_again()) == before
