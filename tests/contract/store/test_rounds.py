"""Projects, rounds, signatures and preflights in every store."""

from dataclasses import replace
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
    preflight,
    project,
    round_,
    signature,
)

from isthmus.contract.errors import AlreadyExists, NotFound, StateChanged
from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.store.protocol import Store


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store)
    return store


def test_project_comes_back_and_the_same_again_changes_nothing(filled: Store) -> None:
    before = actions(filled)

    with filled.begin() as tx:
        tx.rounds.add_project(project(), audit=event("project.add"))

    with filled.read() as tx:
        assert tx.rounds.project(PROJECT) == project()
        assert tx.rounds.projects() == [project()]
    assert actions(filled) == before


def test_project_of_the_same_id_with_other_content_is_refused(filled: Store) -> None:
    with pytest.raises(AlreadyExists), filled.begin() as tx:
        tx.rounds.add_project(project(2), audit=event())

    with filled.read() as tx:
        assert tx.rounds.project(PROJECT) == project()


def test_unknown_project_is_not_found(filled: Store) -> None:
    with filled.read() as tx, pytest.raises(NotFound):
        tx.rounds.project(ProjectId("nothing"))


def test_projects_come_by_id(filled: Store) -> None:
    with filled.begin() as tx:
        tx.rounds.add_project(project(5, ProjectId("adult-education")), audit=event())

    with filled.read() as tx:
        assert [one.id for one in tx.rounds.projects()] == ["adult-education", PROJECT]


def test_round_comes_back_after_opening_again(open_again: Open) -> None:
    fill(open_again())

    with open_again().read() as tx:
        assert tx.rounds.get(ROUND) == round_()


def test_unknown_round_is_not_found(filled: Store) -> None:
    with filled.read() as tx, pytest.raises(NotFound):
        tx.rounds.get(RoundId("nothing-1"))


def test_rounds_come_by_latest_change_whatever_the_clock_says(filled: Store) -> None:
    with filled.read() as tx:
        assert [one.id for one in tx.rounds.all()] == [OTHER_ROUND, ROUND]

    with filled.begin() as tx:
        earlier = event(at=NOW - timedelta(days=1))
        tx.rounds.advance(ROUND, expect=RoundState.DRAFT, to=RoundState.PROPOSED, audit=earlier)

    with filled.read() as tx:
        assert [one.id for one in tx.rounds.all()] == [ROUND, OTHER_ROUND]


def test_round_advances_from_the_state_that_is_expected_at_the_time_of_the_event(filled: Store) -> None:
    later = NOW + timedelta(minutes=5)

    with filled.begin() as tx:
        tx.rounds.advance(
            ROUND, expect=RoundState.DRAFT, to=RoundState.PROPOSED, audit=event("round.advance", at=later)
        )

    with filled.read() as tx:
        assert tx.rounds.get(ROUND) == replace(round_(), state=RoundState.PROPOSED, updated_at=later)
        assert tx.rounds.get(OTHER_ROUND) == round_(OTHER_ROUND)
    assert actions(filled)[-1] == "round.advance"


@pytest.mark.parametrize("name", [ROUND, RoundId("nothing-1")])
def test_round_in_another_state_does_not_advance_and_leaves_no_event(filled: Store, name: RoundId) -> None:
    before = actions(filled)

    with pytest.raises(StateChanged), filled.begin() as tx:
        tx.rounds.advance(name, expect=RoundState.PROPOSED, to=RoundState.LOCKED, audit=event("round.advance"))

    with filled.read() as tx:
        assert tx.rounds.get(ROUND).state is RoundState.DRAFT
    assert actions(filled) == before


@pytest.mark.parametrize("state", list(RoundState))
def test_every_state_can_be_stored(filled: Store, state: RoundState) -> None:
    with filled.begin() as tx:
        tx.rounds.advance(ROUND, expect=RoundState.DRAFT, to=state, audit=event())

    with filled.read() as tx:
        assert tx.rounds.get(ROUND).state is state


def test_signatures_come_by_party_and_the_first_of_a_party_stands(filled: Store) -> None:
    with filled.begin() as tx:
        tx.rounds.sign(signature(A), audit=event("sign"))
        tx.rounds.sign(signature(B), audit=event("sign"))
        tx.rounds.sign(signature(A, 2), audit=event("sign"))

    with filled.read() as tx:
        assert tx.rounds.signatures(ROUND) == [signature(B), signature(A)]
        assert tx.rounds.signatures(OTHER_ROUND) == []
    assert actions(filled).count("sign") == 2


def test_preflight_of_a_party_is_replaced_by_its_next_one(filled: Store) -> None:
    with filled.begin() as tx:
        tx.rounds.set_preflight(preflight(A, 1), audit=event("confirm"))
        tx.rounds.set_preflight(preflight(B, 2), audit=event("confirm"))
        tx.rounds.set_preflight(preflight(A, 3), audit=event("confirm"))

    with filled.read() as tx:
        assert tx.rounds.preflights(ROUND) == [preflight(B, 2), preflight(A, 3)]
        assert tx.rounds.preflights(OTHER_ROUND) == []
    assert actions(filled).count("confirm") == 3


def test_dropped_preflight_is_gone_and_no_other(filled: Store) -> None:
    with filled.begin() as tx:
        tx.rounds.set_preflight(preflight(A), audit=event())
        tx.rounds.set_preflight(preflight(B), audit=event())
        tx.rounds.drop_preflight(ROUND, A, audit=event("drop"))

    with filled.read() as tx:
        assert tx.rounds.preflights(ROUND) == [preflight(B)]
    assert actions(filled)[-1] == "drop"


def test_bytes_of_a_round_are_not_read_as_anything_else(filled: Store) -> None:
    odd = bytes(range(256))
    with filled.begin() as tx:
        tx.rounds.add(replace(round_(RoundId("k12-to-work-3")), manifest=odd, manifest_hash=digest(0)), audit=event())

    with filled.read() as tx:
        assert tx.rounds.get(RoundId("k12-to-work-3")).manifest == odd
