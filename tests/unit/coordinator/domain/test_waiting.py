"""For whom a round waits: an answer for every state."""

import pytest

from isthmus.contract.convert import MAX_SENTENCE
from isthmus.contract.ids import PartyId
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.domain.waiting import waiting_for, waiting_for_key

A, B, C = PartyId("riverside"), PartyId("college"), PartyId("workforce")
PROVIDERS_ACT = {RoundState.PROPOSED, RoundState.PREFLIGHT, RoundState.COLLECTING, RoundState.COMPARING}
COORDINATOR_ACTS = {
    RoundState.DRAFT, RoundState.SEALED, RoundState.MATCHING, RoundState.REVIEW, RoundState.FAILED
}  # fmt: skip


@pytest.mark.parametrize("state", sorted(PROVIDERS_ACT))
def test_providers_who_have_not_acted_are_waited_for_in_the_projects_order(state: RoundState) -> None:
    waiting = waiting_for(state, providers=[C, A, B], done={A})

    assert [one.party for one in waiting] == [C, B]
    assert len({one.needs for one in waiting}) == 1
    assert "isthmus-node" in waiting[0].needs


@pytest.mark.parametrize("state", sorted(PROVIDERS_ACT))
def test_nobody_is_waited_for_once_all_have_acted(state: RoundState) -> None:
    assert waiting_for(state, providers=[A, B], done=[A, B]) == ()


@pytest.mark.parametrize("state", sorted(COORDINATOR_ACTS))
def test_coordinator_is_waited_for_whatever_providers_have_done(state: RoundState) -> None:
    (one,) = waiting_for(state, providers=[A, B], done=[A])

    assert one.party == "coordinator"


@pytest.mark.parametrize("state", sorted(set(RoundState) - PROVIDERS_ACT - COORDINATOR_ACTS - {RoundState.LOCKED}))
def test_round_that_is_over_or_released_waits_for_nobody(state: RoundState) -> None:
    assert waiting_for(state, providers=[A, B], done=[]) == ()


def test_locked_round_waits_for_parts_first_and_then_for_proofs() -> None:
    parts = waiting_for_key(providers=[C, A, B], contributed={A}, confirmed=set(), require_verified=False)
    proofs = waiting_for_key(providers=[C, A, B], contributed={A, B, C}, confirmed={C}, require_verified=True)

    assert [one.party for one in parts] == [C, B]
    assert {one.needs for one in parts} == {"send its part of the round's key: isthmus-node run"}
    assert [one.party for one in proofs] == [A, B]
    assert {one.needs for one in proofs} == {"confirm the round's key: isthmus-node run"}
    assert waiting_for_key(providers=[A, B], contributed={A, B}, confirmed={A, B}, require_verified=True) == ()


def test_locked_round_whose_members_have_to_be_verified_says_that_fingerprints_come_before_parts() -> None:
    parts = waiting_for_key(providers=[A, B], contributed={A}, confirmed=set(), require_verified=True)

    (one,) = parts
    assert one.party == B
    assert one.needs.index("isthmus-node fingerprint") < one.needs.index("isthmus-node run")
    assert one.needs.isprintable() and len(one.needs) <= MAX_SENTENCE


@pytest.mark.parametrize("state", list(RoundState))
def test_what_is_needed_is_one_printable_sentence_that_fits_the_wire(state: RoundState) -> None:
    for one in waiting_for(state, providers=[A], done=[]):
        assert one.needs.isprintable()
        assert 0 < len(one.needs) <= MAX_SENTENCE
