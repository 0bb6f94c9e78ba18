"""The round's state machine: the table is whole, and `transition` allows what stands in it and nothing else."""

import re
from itertools import pairwise, product

import pytest

from isthmus.contract.errors import IllegalTransition
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.domain.rounds import FINAL, TRANSITIONS, diagram, transition

S = RoundState
PAIRS = list(product(RoundState, RoundState))


def test_every_state_has_an_entry() -> None:
    assert set(TRANSITIONS) == set(RoundState)


@pytest.mark.parametrize(("state", "to"), PAIRS)
def test_transition_allows_the_table_and_nothing_else(state: RoundState, to: RoundState) -> None:
    if to in TRANSITIONS[state]:
        assert transition(state, to) is to
    else:
        with pytest.raises(IllegalTransition) as refused:
            transition(state, to)
        assert (refused.value.state, refused.value.wanted) == (state.value, to.value)


def test_destroyed_is_the_only_final_state() -> None:
    assert {S.DESTROYED} == FINAL


def test_no_state_leads_to_itself_or_back_to_draft() -> None:
    assert not any(state in following or S.DRAFT in following for state, following in TRANSITIONS.items())


def _reachable(state: RoundState) -> set[RoundState]:
    seen, todo = {state}, [state]
    while todo:
        new = TRANSITIONS[todo.pop()] - seen
        seen |= new
        todo += new
    return seen


@pytest.mark.parametrize("state", list(RoundState))
def test_every_state_is_reached_from_draft_and_can_end(state: RoundState) -> None:
    assert state in _reachable(S.DRAFT)
    assert S.DESTROYED in _reachable(state)


def test_round_goes_from_draft_to_destroyed_in_the_order_of_the_protocol() -> None:
    way = [S.DRAFT, S.PROPOSED, S.LOCKED, S.PREFLIGHT, S.COLLECTING, S.SEALED, S.MATCHING, S.REVIEW, S.RELEASED]
    way += [S.CLOSED, S.DESTROYED]

    for state, to in pairwise(way):
        assert transition(state, to) is to


def test_round_whose_fields_are_compared_is_matched_twice() -> None:
    for state, to in pairwise([S.SEALED, S.MATCHING, S.COMPARING, S.MATCHING, S.REVIEW]):
        assert transition(state, to) is to


def test_round_can_be_cancelled_before_its_release_and_never_after() -> None:
    can = {state for state in RoundState if S.CANCELLED in TRANSITIONS[state]}

    assert can == set(RoundState) - {
        S.RELEASED, S.CLOSED, S.DESTROYED, S.EXPIRED, S.CANCELLED, S.REJECTED
    }  # fmt: skip


def test_nothing_leads_to_collecting_but_a_passed_preflight_or_a_hold() -> None:
    assert {state for state in RoundState if S.COLLECTING in TRANSITIONS[state]} == {S.PREFLIGHT, S.HELD}


def test_released_is_reached_from_review_alone() -> None:
    assert [state for state in RoundState if S.RELEASED in TRANSITIONS[state]] == [S.REVIEW]


def test_diagram_draws_every_step_once() -> None:
    drawn = re.findall(r"^    (\S+) --> (\S+)$", diagram(), flags=re.MULTILINE)
    steps = {(state.value, to.value) for state, following in TRANSITIONS.items() for to in following}

    assert diagram().startswith("stateDiagram-v2\n    [*] --> draft\n")
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == steps | {("[*]", "draft"), ("destroyed", "[*]")}
