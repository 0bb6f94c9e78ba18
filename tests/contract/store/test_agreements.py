"""Agreements in every store."""

import pytest
from contract.store.things import A, B, actions, agreement, decision, digest, event, fill

from isthmus.contract.agreement_terms import AgreementState
from isthmus.contract.errors import AlreadyExists, NotFound, StateChanged
from isthmus.contract.ids import AgreementId
from isthmus.coordinator.domain.agreements import WithdrawalRow
from isthmus.coordinator.store.protocol import Store

NAME = AgreementId("school-work")
LEFT = WithdrawalRow(digest=digest(31), party=A, document=b"left", signature=bytes(64))


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    with store.begin() as tx:
        tx.agreements.add(agreement(), audit=event("propose"))
    return store


def test_versions_come_back_in_the_order_in_which_they_came(filled: Store) -> None:
    second, other = agreement(5, version=2), agreement(33, "another")
    with filled.begin() as tx:
        tx.agreements.add(other, audit=event())
        tx.agreements.add(second, audit=event())

    with filled.read() as tx:
        assert tx.agreements.history(NAME).versions == (agreement(), second)
        assert tx.agreements.ids() == ["another", NAME]
        assert tx.agreements.agreement_of(digest(33)) == "another"


def test_agreement_that_is_not_there_is_not_found(filled: Store) -> None:
    with filled.read() as tx:
        with pytest.raises(NotFound):
            tx.agreements.history(AgreementId("nothing"))
        with pytest.raises(NotFound):
            tx.agreements.agreement_of(digest(99))


def test_same_version_twice_is_refused(filled: Store) -> None:
    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.agreements.add(agreement(), audit=event("again"))

    assert "again" not in actions(filled)


def test_decisions_come_back_by_party_and_each_party_has_one(filled: Store) -> None:
    with filled.begin() as tx:
        tx.agreements.decide(decision(B, declined="No."), audit=event("decide"))
        tx.agreements.decide(decision(A), audit=event("decide"))

    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.agreements.decide(decision(A, declined="Yet no."), audit=event("decide"))

    with filled.read() as tx:
        assert tx.agreements.history(NAME).decisions == (decision(B, declined="No."), decision(A))
    assert actions(filled).count("decide") == 2


def test_state_changes_only_from_where_it_was_expected(filled: Store) -> None:
    with filled.begin() as tx:
        tx.agreements.advance(
            digest(31), expect=AgreementState.PROPOSED, to=AgreementState.IN_FORCE, audit=event("begin")
        )

    with pytest.raises(StateChanged), filled.begin() as tx:
        tx.agreements.advance(
            digest(31), expect=AgreementState.PROPOSED, to=AgreementState.DECLINED, audit=event("end")
        )

    with filled.read() as tx:
        assert tx.agreements.history(NAME).versions[0].state is AgreementState.IN_FORCE
    assert "end" not in actions(filled)


def test_withdrawal_is_kept_once(filled: Store) -> None:
    with filled.begin() as tx:
        tx.agreements.withdraw(LEFT, audit=event("leave"))

    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.agreements.withdraw(LEFT, audit=event("leave"))

    with filled.read() as tx:
        assert tx.agreements.history(NAME).withdrawals == (LEFT,)
