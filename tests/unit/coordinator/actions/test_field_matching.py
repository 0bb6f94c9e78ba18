"""Matching by answers: who links, and the same bytes whatever happens between the first answer and the result."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from field_nodes import FieldNode, compared, field_round, result_bytes, strike
from harness import OPERATOR, Coordinator, small_engine
from structlog.testing import capture_logs

from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import matching, rounds
from isthmus.coordinator.actions.housekeeping import sweep_blobs, sweep_runs
from isthmus.coordinator.actions.matching import MatchingInterrupted, claim_round, fail_round, match_round
from isthmus.coordinator.domain.audit import COORDINATOR_SCOPE
from isthmus.coordinator.domain.pseudonyms import unpack_pseudonyms
from isthmus.coordinator.match.compare.scarce import FEWEST_ROWS
from isthmus.coordinator.match.memory import MIB, Memory
from isthmus.coordinator.worker import _answers_log, match_claimed

LEFT, RIGHT = [*range(12), -15, -16], [*range(7), 15, 16, 20]
"""The first seven are the same people; the candidates 15 and 16 are others with the same encoding."""

Make = Callable[[str], Coordinator]


def _answered(hub: Coordinator, *groups: list[int] | range, **changes: Any) -> list[FieldNode]:
    """Give a round whose answers are all in."""
    nodes = field_round(hub, *(groups or (LEFT, RIGHT)), **changes)
    hub.match()
    compared(nodes)
    return nodes


def _match_again(hub: Coordinator, node: FieldNode, **how: Any) -> None:
    match_round(hub.context, node.round_id, engine=small_engine(), **({"should_stop": lambda: False} | how))


@pytest.mark.parametrize("profile", ["interop-1", "hardened-single-1", "hardened-1", "hardened-2"])
def test_same_people_link_and_others_with_the_same_encoding_do_not(hub: Coordinator, profile: str) -> None:
    left, right = _answered(hub, profile=profile)

    assert hub.match() == left.round_id

    assert hub.state(left.round_id) is RoundState.RELEASED
    assert sorted(left.linked()) == sorted(right.linked()) == list(range(7))


def test_log_says_between_whom_there_was_too_little_to_learn_from(hub: Coordinator) -> None:
    left, right = _answered(hub)

    hub.match()

    said = [one["outcome"] for one in hub.events(COORDINATOR_SCOPE) if one["action"] == "comparison.scarce"]
    assert not any(one["action"] == "comparison.scarce" for one in hub.events()), "providers read this log"
    assert len(said) == 1
    assert said[0].startswith(f"{left.id} and {right.id}: not enough ")
    assert "rows" in said[0]


def test_log_of_the_worker_says_how_many_answers_are_in(hub: Coordinator) -> None:
    left, right = field_round(hub, LEFT, RIGHT)
    pairs = 8 * len(LEFT)
    hub.match()
    say = _answers_log(hub.context)

    with capture_logs() as logs:
        say()
        left.answer(right.id)
        say()
        for _ in range(3):
            hub.clock.set(hub.clock.now() + timedelta(minutes=1))
            say()

    assert [(one["event"], one["pairs"], one["pairs_total"]) for one in logs] == [
        ("answers are in", 0, 2 * pairs),
        ("answers are in", pairs, 2 * pairs),
    ]


def test_rows_of_enough_people_link_by_the_model_that_was_learnt(hub: Coordinator) -> None:
    size = FEWEST_ROWS + 10
    left, right = _answered(hub, [*range(size), -size], [*range(10, size), *range(size, size + 11)])

    hub.match()

    assert sorted(left.linked()) == list(range(10, size))
    assert sorted(right.linked()) == list(range(size - 10))


def test_entities_over_three_providers_follow_the_fields_that_each_two_share(hub: Coordinator) -> None:
    fields = {"riverside": ["zip", "phone"], "college": ["zip"], "wages": ["phone", "sex"]}
    nodes = _answered(hub, range(9), range(3, 12), [*range(6), *range(9, 12)], fields=fields)

    with hub.context.store.read() as tx:
        chunks = {len(hub.context.blobs.get(tx.answers.chunks(nodes[0].round_id, one.party, one.other)[0].digest))
                  for one in tx.answers.of_round(nodes[0].round_id)}  # fmt: skip
    hub.match()

    assert len(chunks) == 3, "each two providers compare other fields"
    linked = [sorted(node.linked()) for node in nodes]
    assert linked == [list(range(9)), list(range(9)), list(range(9))]
    with hub.context.store.read() as tx:
        assert sum(len(list(unpack_pseudonyms(hub.context.blobs.get(found.digest))))
                   for node in nodes if (found := tx.results.find(node.round_id, node.id))) == 27  # fmt: skip


def test_rows_of_a_provider_that_repeats_people_get_one_id(hub: Coordinator) -> None:
    left, right = _answered(hub, [*range(8), 2, 5], range(4, 12), repeats=["riverside"])

    hub.match()

    shown = left.linked()
    assert {5, 9} <= set(shown)
    assert shown[5] == shown[9]
    assert sorted(right.linked()) == [0, 1, 2, 3]
    assert set(shown) == {4, 5, 6, 7, 9}, "who repeats in one data set alone links with nobody"


def test_repeated_rows_struck_out_before_and_after_do_not_move_the_others(hub: Coordinator) -> None:
    left, right = field_round(hub, [*range(8), 2, 5], range(4, 12), repeats=["riverside"])
    strike(left, 0, 4)
    hub.match()
    compared([left, right])
    strike(left, 1, 6)
    hub.match()

    assert sorted(left.linked()) == [5, 7, 9]
    assert left.linked()[5] == left.linked()[9]
    assert sorted(right.linked()) == [1, 3]


def test_row_struck_out_at_any_time_is_in_nothing(hub: Coordinator) -> None:
    left, right = field_round(hub, LEFT, RIGHT)
    strike(left, 0)
    hub.match()
    strike(left, 1)
    right.answer(left.id)
    strike(right, 2)
    left.answer(right.id)
    assert hub.state(left.round_id) is RoundState.MATCHING
    strike(left, 3)
    seen: list[int] = []

    def striking() -> bool:
        if not seen:
            strike(left, 4)
        seen.append(1)
        return False

    assert claim_round(hub.context) == left.round_id
    _match_again(hub, left, should_stop=striking)

    assert sorted(left.linked()) == sorted(right.linked()) == [5, 6]


@pytest.mark.parametrize("moment", ["before answers", "after answers"])
def test_struck_out_rows_give_the_same_links_whenever_they_are_struck_out(make_hub: Make, moment: str) -> None:
    results = []
    for name in ("early", moment):
        left, right = nodes = field_round(make_hub(name), LEFT, RIGHT)
        left.hub.match()
        if name == "after answers":
            compared(nodes)
        strike(left, 3, 9)
        if name != "after answers":
            compared(nodes)
        left.hub.match()
        results.append(result_bytes(left.hub, left.round_id))
        assert sorted(right.linked()) == [0, 1, 2, 4, 5, 6]

    assert results[0] == results[1]


def test_provider_that_strikes_out_at_every_run_has_its_answers_matched_a_few_times_at_most(hub: Coordinator) -> None:
    left, _ = _answered(hub)
    begun: list[int] = []

    def told(compared: Any) -> None:
        if compared.done == 0:
            strike(left, len(begun))
            begun.append(1)

    _match_again(hub, left, told=told)

    assert len(begun) == matching.MOST_RUNS
    assert sorted(left.linked()) == [3, 4, 5, 6]


def test_all_rows_of_a_provider_struck_out_leave_a_result_of_nobody(hub: Coordinator) -> None:
    left, right = _answered(hub, range(6), range(6))
    strike(left, *range(6))

    hub.match()

    assert (left.linked(), right.linked()) == ({}, {})


def test_matching_that_was_stopped_anywhere_ends_in_the_same_bytes(make_hub: Make) -> None:
    undisturbed, stopped = (_answered(make_hub(name)) for name in ("undisturbed", "stopped"))
    undisturbed[0].hub.match()

    hub, node = stopped[0].hub, stopped[0]
    for calls in (0, 1):
        asked = iter([False] * calls)
        with pytest.raises(MatchingInterrupted):
            hub.match(should_stop=partial(next, asked, True))
        assert hub.state(node.round_id) is RoundState.MATCHING
        sweep_runs(hub.context)
        assert sweep_blobs(hub.context) == 0
    hub.match()

    assert result_bytes(hub, node.round_id) == result_bytes(undisturbed[0].hub, undisturbed[0].round_id)


def test_round_that_failed_after_its_answers_goes_on_with_what_was_asked_and_answered(make_hub: Make) -> None:
    undisturbed, failed = (_answered(make_hub(name)) for name in ("undisturbed", "failed"))
    undisturbed[0].hub.match()
    hub, node = failed[0].hub, failed[0]
    with hub.context.store.read() as tx:
        asked = tx.comparisons.of_round(node.round_id)

    claim_round(hub.context)
    fail_round(hub.context, node.round_id, error=RuntimeError("a fault"))
    sweep_runs(hub.context)
    rounds.retry_round(hub.context, OPERATOR, round_id=node.round_id)
    hub.match()

    with hub.context.store.read() as tx:
        assert tx.comparisons.of_round(node.round_id) == asked
    assert result_bytes(hub, node.round_id) == result_bytes(undisturbed[0].hub, undisturbed[0].round_id)
    assert [one["action"] for one in hub.events()].count("comparison.request") == 1


def test_answers_that_were_altered_on_the_disk_fail_the_round(hub: Coordinator, tmp_path: Any) -> None:
    left, right = _answered(hub)
    with hub.context.store.read() as tx:
        (chunk,) = tx.answers.chunks(left.round_id, right.id, left.id)
    path = tmp_path / "hub" / "blobs" / chunk.digest.hex()
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    claim_round(hub.context)

    with capture_logs() as logs:
        match_claimed(hub.context, left.round_id, engine=small_engine(), stop=threading.Event())

    assert hub.state(left.round_id) is RoundState.FAILED
    assert [one["event"] for one in logs][-1] == "matching failed"


def test_log_says_that_providers_are_asked_and_then_that_the_round_is_released(hub: Coordinator) -> None:
    nodes = field_round(hub, LEFT, RIGHT)
    said = []
    for answered in (False, True):
        if answered:
            compared(nodes)
        claim_round(hub.context)
        with capture_logs() as logs:
            match_claimed(hub.context, nodes[0].round_id, engine=small_engine(), stop=threading.Event())
        said.append([one["event"] for one in logs if one["event"] != "comparing"])

    assert said == [
        ["matching", "candidates found; providers are asked about them"],
        ["matching", "released"],
    ]


@pytest.mark.parametrize("answered", [False, True])
def test_round_that_may_take_more_memory_than_allowed_is_refused_and_goes_on_with_more(
    hub: Coordinator, *, answered: bool
) -> None:
    nodes = field_round(hub, LEFT, RIGHT)
    if answered:
        hub.match()
        compared(nodes)
    claim_round(hub.context)
    memory = Memory(allowed_bytes=MIB, search_bytes=MIB, workers=1, worker_bytes=MIB)

    match_claimed(hub.context, nodes[0].round_id, engine=small_engine(), stop=threading.Event(), memory=memory)
    assert hub.state(nodes[0].round_id) is RoundState.FAILED
    assert [one["outcome"] for one in hub.events() if one["action"] == "round.fault"] == ["not-enough-memory"]
    rounds.retry_round(hub.context, OPERATOR, round_id=nodes[0].round_id)
    hub.match()

    assert hub.state(nodes[0].round_id) is (RoundState.RELEASED if answered else RoundState.COMPARING)


def test_strict_acceptance_takes_no_more_than_balanced(make_hub: Make) -> None:
    linked = {}
    for accept in ("strict", "balanced"):
        left, _ = _answered(make_hub(accept), comparison={"slots": 8, "accept": accept})
        left.hub.match()
        linked[accept] = set(left.linked())

    assert linked["strict"] <= linked["balanced"] == set(range(7))
