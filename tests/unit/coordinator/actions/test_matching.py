"""Matching: one result or none, the same bytes however often it was interrupted, and who is shown what."""

from collections.abc import Callable

import pytest
from harness import KEY_CHECK, Coordinator, Enrolled, small_engine
from project_files import PROJECT
from unit.coordinator.actions.matching_parts import PEOPLE_OF_BOTH, Round, sealed

from isthmus.contract.errors import AlreadyExists
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.context import Compared
from isthmus.coordinator.actions.matching import MatchingInterrupted, match_round
from isthmus.coordinator.domain.entities import unpack_entities
from isthmus.coordinator.domain.pseudonyms import PseudonymRow, unpack_pseudonyms


def _map(hub: Coordinator, one: Round, provider: Enrolled) -> list[PseudonymRow]:
    with hub.context.store.read() as tx:
        result = tx.results.find(one.id, provider.id)
    assert result is not None
    return list(unpack_pseudonyms(hub.context.blobs.get(result.digest)))


def _result_bytes(hub: Coordinator, one: Round) -> list[bytes]:
    with hub.context.store.read() as tx:
        digests = [tx.results.entities(one.id)]
        digests += [result.digest for provider in one.providers if (result := tx.results.find(one.id, provider.id))]
        tables = [release.document for release in tx.results.releases()]
    assert all(digests)
    return [*(hub.context.blobs.get(digest) for digest in digests if digest), *tables]


def test_rows_of_the_same_people_link_and_no_others(hub: Coordinator) -> None:
    one = sealed(hub)

    hub.match()

    assert hub.state(one.id) is RoundState.RELEASED
    for provider, rows in zip(one.providers, (one.left, one.right), strict=True):
        expected = {handle.tobytes() for handle in rows.handles[:PEOPLE_OF_BOTH]}
        assert {row.handle for row in _map(hub, one, provider)} == expected


def test_entities_join_the_rows_of_one_person(hub: Coordinator) -> None:
    one = sealed(hub)
    hub.match()
    with hub.context.store.read() as tx:
        digest = tx.results.entities(one.id)
    assert digest is not None

    linked = list(unpack_entities(hub.context.blobs.get(digest)))

    by_handle = {row.handle: row.entity for row in linked}
    assert len(linked) == 2 * PEOPLE_OF_BOTH
    assert len(set(by_handle.values())) == PEOPLE_OF_BOTH
    for index in range(PEOPLE_OF_BOTH):
        left, right = one.left.handles[index].tobytes(), one.right.handles[index].tobytes()
        assert by_handle[left] == by_handle[right]


def test_mode_linked_shows_linked_rows_without_slots(hub: Coordinator) -> None:
    one = sealed(hub, reveal="linked")
    hub.match()

    shown = _map(hub, one, one.providers[0])

    assert len(shown) == PEOPLE_OF_BOTH
    assert {row.slot for row in shown} == {None}


def test_mode_spine_shows_every_row_with_a_slot_of_its_own_among_a_whole_thousand(hub: Coordinator) -> None:
    one = sealed(hub, reveal="spine")
    hub.match()

    for provider, rows in zip(one.providers, (one.left, one.right), strict=True):
        shown = _map(hub, one, provider)
        slots = [row.slot for row in shown]
        assert len(shown) == len(rows)
        assert len({row.pseudonym for row in shown}) == len(set(slots)) == len(rows)
        assert all(slot is not None and 0 <= slot < 1000 for slot in slots)
        with hub.context.store.read() as tx:
            result = tx.results.find(one.id, provider.id)
        assert result is not None
        assert result.slot_count == 1000


def test_mode_spine_gives_both_rows_of_a_person_one_slot(hub: Coordinator) -> None:
    one = sealed(hub, reveal="spine")
    hub.match()

    left, right = ({row.handle: row.slot for row in _map(hub, one, provider)} for provider in one.providers)

    same = [left[one.left.handles[index].tobytes()] == right[one.right.handles[index].tobytes()] for index in range(10)]
    assert same == [True] * PEOPLE_OF_BOTH + [False] * 3


def test_two_providers_pseudonyms_have_nothing_in_common(hub: Coordinator) -> None:
    one = sealed(hub, reveal="spine")
    hub.match()

    left, right = ({row.pseudonym for row in _map(hub, one, provider)} for provider in one.providers)

    assert not left & right


def test_providers_keep_their_pseudonym_keys_in_a_later_round(hub: Coordinator) -> None:
    one = sealed(hub)
    hub.match()
    later = hub.propose(one.providers)
    hub.sign(later, *one.providers)
    hub.agree(later, *one.providers)
    hub.confirm(later, *one.providers, key_check=KEY_CHECK)
    for provider, rows in zip(one.providers, (one.left, one.right), strict=True):
        hub.submit(provider, later, rows)
    hub.match()

    again = Round(id=later, providers=one.providers, left=one.left, right=one.right)

    assert _map(hub, again, one.providers[0]) == _map(hub, one, one.providers[0])
    assert [event["action"] for event in hub.events()].count("pseudonym-key.make") == 2


def test_interrupted_round_is_matched_again_to_the_same_bytes(make_hub: Callable[[str], Coordinator]) -> None:
    straight, interrupted = make_hub("straight"), make_hub("interrupted")
    one, other = sealed(straight, reveal="spine"), sealed(interrupted, reveal="spine")
    straight.match()

    with pytest.raises(MatchingInterrupted):
        interrupted.match(should_stop=lambda: True)
    assert interrupted.state(other.id) is RoundState.MATCHING
    interrupted.match()

    assert one.id == other.id
    assert _result_bytes(straight, one) == _result_bytes(interrupted, other)


def test_a_round_goes_on_with_what_was_found_before_and_counts_it(make_hub: Callable[[str], Coordinator]) -> None:
    straight, interrupted = make_hub("straight"), make_hub("interrupted")
    one, other = sealed(straight), sealed(interrupted)
    straight.match()
    context = interrupted.context

    stop = iter([False, True])
    with pytest.raises(MatchingInterrupted):
        interrupted.match(should_stop=lambda: next(stop))
    kept = context.runs.rounds()
    seen: list[Compared] = []
    match_round(context, other.id, engine=small_engine(), should_stop=lambda: False, told=seen.append)

    assert kept == [other.id]
    assert (seen[0].done, seen[-1].done, seen[-1].before) == (0, 120, 120)
    assert context.runs.rounds() == []
    assert _result_bytes(straight, one) == _result_bytes(interrupted, other)


def test_round_has_one_result_however_often_it_is_matched(hub: Coordinator) -> None:
    one = sealed(hub)
    hub.match()
    before = _result_bytes(hub, one), hub.events()

    with pytest.raises(AlreadyExists):
        match_round(hub.context, one.id, engine=small_engine(), should_stop=lambda: False)

    assert (_result_bytes(hub, one), hub.events()) == before


def test_audit_of_matching_names_each_result_and_no_row(hub: Coordinator) -> None:
    one = sealed(hub)
    hub.match()

    actions = [event["action"] for event in hub.events()]

    assert actions.count("result.store") == 2
    assert actions.count("entities.store") == actions.count("table.release") == 1
    assert one.left.handles[0].tobytes().hex() not in str(hub.events())
    assert hub.events()[-1]["outcome"] == "review to released"
    assert all(event["scope"] == PROJECT for event in hub.events())
