"""The worker: which round it claims, what it says on the way, and what a fault leaves behind."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from harness import OPERATOR, Coordinator, random_rows, small_engine
from structlog.testing import capture_logs
from unit.coordinator.actions.matching_parts import FailingEngine, sealed

from isthmus.contract.canonical import sha256
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import rounds
from isthmus.coordinator.actions.context import Compared
from isthmus.coordinator.actions.housekeeping import sweep_runs
from isthmus.coordinator.actions.matching import claim_round, fail_round
from isthmus.coordinator.match import ENGINES, engine_facts
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Progress
from isthmus.coordinator.match.memory import MIB, Memory
from isthmus.coordinator.match.runs import RECORD
from isthmus.coordinator.worker import match_claimed, run_worker
from isthmus.party.log import ALLOWED_FIELDS


def test_nothing_is_claimed_while_no_round_is_sealed(hub: Coordinator) -> None:
    hub.collecting(hub.parties("riverside", "college"))

    assert claim_round(hub.context) is None


def test_claimed_round_is_matching_and_an_interrupted_one_is_claimed_first(hub: Coordinator) -> None:
    one = sealed(hub)
    other = hub.propose(one.providers)
    hub.sign(other, *one.providers)
    hub.agree(other, *one.providers)
    hub.confirm(other, *one.providers)
    assert claim_round(hub.context) == one.id
    for seed, provider in enumerate(one.providers):
        hub.submit(provider, other, random_rows(3, seed=seed))

    assert claim_round(hub.context) == one.id
    assert hub.state(one.id) is RoundState.MATCHING
    assert hub.state(other) is RoundState.SEALED


def test_rounds_are_claimed_in_the_order_in_which_they_were_sealed(hub: Coordinator) -> None:
    one = sealed(hub)
    other = hub.propose(one.providers)
    hub.sign(other, *one.providers)
    hub.agree(other, *one.providers)
    hub.confirm(other, *one.providers)
    for seed, provider in enumerate(one.providers):
        hub.submit(provider, other, random_rows(3, seed=seed))

    assert [hub.match(), hub.match(), hub.match()] == [one.id, other, None]


@pytest.mark.parametrize(("state", "kept"), [("failed", True), ("cancelled", False)])
def test_runs_of_a_round_that_may_be_matched_again_stay_when_the_coordinator_starts(
    hub: Coordinator, state: str, kept: bool
) -> None:
    one = sealed(hub)
    claim_round(hub.context)
    hub.context.runs.of(one.id).keep("run", np.empty(0, RECORD))
    if state == "failed":
        fail_round(hub.context, one.id, error=RuntimeError())
    else:
        rounds.cancel_round(hub.context, OPERATOR, round_id=one.id)

    sweep_runs(hub.context)

    assert (one.id in hub.context.runs.rounds()) == kept


def test_progress_is_shown_while_matching_and_gone_afterwards(hub: Coordinator) -> None:
    one = sealed(hub)
    seen: list[tuple[int, int]] = []

    def look() -> bool:
        compared = hub.context.progress.of(one.id)
        seen.append((compared.done, compared.total))
        return False

    hub.match(should_stop=look)

    assert seen == [(0, 0), (0, 120)]
    assert hub.context.progress.of(one.id) == Compared()


def test_fault_takes_the_round_to_failed_and_its_text_is_kept_nowhere(hub: Coordinator) -> None:
    one = sealed(hub)
    claim_round(hub.context)

    match_claimed(hub.context, one.id, engine=FailingEngine(), stop=threading.Event())

    assert hub.state(one.id) is RoundState.FAILED
    fault, advance = hub.events()[-2:]
    assert (fault["action"], fault["outcome"]) == ("round.fault", "RuntimeError")
    assert advance["outcome"] == "matching to failed"
    assert "4711" not in str(hub.events())


def test_failed_round_is_matched_again_when_the_operator_says_so(hub: Coordinator) -> None:
    one = sealed(hub)
    claim_round(hub.context)
    match_claimed(hub.context, one.id, engine=FailingEngine(), stop=threading.Event())
    assert claim_round(hub.context) is None

    assert rounds.retry_round(hub.context, OPERATOR, round_id=one.id).state is RoundState.MATCHING
    assert hub.match() == one.id

    assert hub.state(one.id) is RoundState.RELEASED


def test_refusal_by_the_engine_is_recorded_by_its_code(hub: Coordinator) -> None:
    one = sealed(hub)
    claim_round(hub.context)
    engine = ENGINES["anonlink"](workers=1, max_pairs=1)

    with capture_logs() as logged:
        match_claimed(hub.context, one.id, engine=engine, stop=threading.Event())

    assert hub.events()[-2]["outcome"] == "too-many-candidates"
    refusal = next(event for event in logged if event["event"] == "matching refused")
    assert (refusal["code"], refusal["found"], refusal["fits"]) == ("too-many-candidates", "7", "no threshold")
    assert set(refusal) - {"log_level"} <= ALLOWED_FIELDS


def test_a_round_that_needs_more_memory_than_allowed_fails_with_what_is_needed_and_the_next_is_matched(
    hub: Coordinator,
) -> None:
    one, stop = sealed(hub), threading.Event()
    memory = Memory(allowed_bytes=64 * MIB, search_bytes=MIB, workers=1, worker_bytes=0)

    class _Unasked:
        """An engine that is not to be asked."""

        max_pairs = 1000

        def candidate_pairs(self, datasets: Sequence[Dataset], **how: Any) -> CandidatePairs:
            raise AssertionError("compared all the same")

    with capture_logs() as logged:
        claim_round(hub.context)
        match_claimed(hub.context, one.id, engine=_Unasked(), stop=stop, memory=memory)

    assert hub.state(one.id) is RoundState.FAILED
    assert next(event for event in hub.events() if event["action"] == "round.fault")["outcome"] == "not-enough-memory"
    refusal = next(event for event in logged if event["event"] == "matching refused")
    assert (refusal["code"], refusal["rows"], refusal["limit_mib"]) == ("not-enough-memory", "22", "64")
    assert set(refusal) - {"log_level"} <= ALLOWED_FIELDS

    enough = replace(memory, allowed_bytes=int(refusal["needed_mib"]) * MIB)
    rounds.retry_round(hub.context, OPERATOR, round_id=one.id)
    claim_round(hub.context)
    match_claimed(hub.context, one.id, engine=small_engine(), stop=stop, memory=enough)
    assert hub.state(one.id) is RoundState.RELEASED


def test_the_log_says_how_far_a_round_is_when_it_begins_now_and_then_and_at_its_end(hub: Coordinator) -> None:
    one = sealed(hub)
    claim_round(hub.context)

    class _Slow:
        """An engine that tells its progress every twenty seconds."""

        max_pairs = 1

        def candidate_pairs(
            self, datasets: Sequence[Dataset], *, threshold: float, progress: Progress, **how: Any
        ) -> CandidatePairs:
            for done in range(0, 1000, 100):
                progress(done, 1000)
                hub.clock.set(hub.clock.now() + timedelta(seconds=20))
            progress(1000, 1000)
            return small_engine().candidate_pairs(datasets, threshold=threshold, progress=lambda *_: None, **how)

    with capture_logs() as logged:
        match_claimed(hub.context, one.id, engine=_Slow(), stop=threading.Event())

    told = [event for event in logged if event["event"] == "comparing"]
    assert [event["pairs"] for event in told] == [0, 300, 600, 900, 1000]
    assert [event["pairs_a_second"] for event in told] == [0, 5, 5, 5, 5]
    assert set(told[0]) - {"log_level"} <= ALLOWED_FIELDS


def test_round_cancelled_while_it_is_matched_stays_cancelled_without_result(hub: Coordinator) -> None:
    one = sealed(hub)
    claim_round(hub.context)

    class _Cancelling:
        max_pairs = 1

        def candidate_pairs(
            self, datasets: Sequence[Dataset], *, threshold: float, progress: Progress, **how: Any
        ) -> CandidatePairs:
            rounds.cancel_round(hub.context, OPERATOR, round_id=one.id)
            return small_engine().candidate_pairs(datasets, threshold=threshold, progress=progress, **how)

    match_claimed(hub.context, one.id, engine=_Cancelling(), stop=threading.Event())

    assert hub.state(one.id) is RoundState.CANCELLED
    assert hub.context.progress.of(one.id) == Compared()
    with hub.context.store.read() as tx:
        assert tx.results.find(one.id, one.providers[0].id) is None
        assert tx.results.releases() == []


def test_fault_of_a_round_that_is_not_matching_changes_nothing(hub: Coordinator) -> None:
    round_id = hub.collecting(hub.parties("riverside", "college"))
    before = hub.events()

    fail_round(hub.context, round_id, error=RuntimeError())

    assert hub.state(round_id) is RoundState.COLLECTING
    assert hub.events() == before


def test_blob_altered_on_disk_fails_the_round_rather_than_being_matched(hub: Coordinator) -> None:
    one = sealed(hub)
    claim_round(hub.context)
    hub.context.blobs.delete(sha256(one.left.chunks()[0]))

    match_claimed(hub.context, one.id, engine=small_engine(), stop=threading.Event())

    assert hub.state(one.id) is RoundState.FAILED
    assert hub.events()[-2]["outcome"] == "chunk-damaged"


def test_worker_matches_what_is_sealed_until_it_is_told_to_stop(hub: Coordinator) -> None:
    one = sealed(hub)
    stop = threading.Event()

    class _Stopping:
        max_pairs = 1

        def candidate_pairs(
            self, datasets: Sequence[Dataset], *, threshold: float, progress: Progress, **how: Any
        ) -> CandidatePairs:
            pairs = small_engine().candidate_pairs(datasets, threshold=threshold, progress=progress, **how)
            stop.set()
            return pairs

    run_worker(hub.context, engine=_Stopping(), stop=stop)

    assert hub.state(one.id) is RoundState.RELEASED


def test_log_says_by_what_a_round_is_compared_in_allowed_fields(hub: Coordinator) -> None:
    one = sealed(hub)
    claim_round(hub.context)
    facts = engine_facts("kernels")

    with capture_logs() as said:
        match_claimed(hub.context, one.id, engine=small_engine(), stop=threading.Event(), facts=facts)

    begun = [line for line in said if line["event"] == "matching"]
    assert [{name: line[name] for name in facts} for line in begun] == [facts]
    assert set(facts) == {"engine", "kernel", "unit", "features"} <= ALLOWED_FIELDS


def test_worker_without_work_waits_until_it_is_told_to_stop(hub: Coordinator) -> None:
    stop = threading.Event()
    timer = threading.Timer(0.05, stop.set)
    timer.start()

    run_worker(hub.context, engine=FailingEngine(), stop=stop)

    assert stop.is_set()
    timer.join()


def test_worker_that_is_told_to_stop_leaves_the_round_for_its_next_start(hub: Coordinator) -> None:
    one = sealed(hub)
    claim_round(hub.context)
    stop = threading.Event()
    stop.set()

    match_claimed(hub.context, one.id, engine=small_engine(), stop=stop)

    assert hub.state(one.id) is RoundState.MATCHING
