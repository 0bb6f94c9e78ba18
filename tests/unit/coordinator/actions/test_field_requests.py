"""What providers are asked about their rows: once a round, evenly, signed, and stored with the step or not at all."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from field_nodes import FieldNode, encodings, field_round, strike
from harness import Coordinator, public_bytes, small_engine

from isthmus.contract.canonical import Label, sha256, verify
from isthmus.contract.encodings import submission_from_bytes
from isthmus.contract.errors import NotAMember, NotFound, RoundStateMismatch
from isthmus.contract.field_answers import budget_problem, request_from_bytes, row_numbers, unpack_row_numbers
from isthmus.contract.ids import PartyId
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import rounds
from isthmus.coordinator.actions.matching import MatchingInterrupted, claim_round, match_round
from isthmus.coordinator.domain.records import ComparisonRow

LEFT, RIGHT = [*range(12), -15], [*range(7), 15, 20]


def asked_of(hub: Coordinator, node: FieldNode) -> list[ComparisonRow]:
    """Give all that is asked in the node's round."""
    with hub.context.store.read() as tx:
        return list(tx.comparisons.of_round(node.round_id))


def candidates_of(hub: Coordinator, asked: ComparisonRow) -> set[tuple[int, int]]:
    """Give the rows of the pairs that are asked as candidates."""
    bits = np.frombuffer(hub.context.blobs.get(asked.candidates), np.uint8)
    chosen = np.unpackbits(bits, count=asked.pairs).astype(bool)
    left, right = (
        row_numbers(unpack_row_numbers(hub.context.blobs.get(rows))) for rows in (asked.left_rows, asked.right_rows)
    )
    return set(zip(left[chosen].tolist(), right[chosen].tolist(), strict=True))


def test_first_time_of_matching_asks_both_providers_about_their_candidates(hub: Coordinator) -> None:
    left, right = field_round(hub, LEFT, RIGHT)

    assert hub.match() == left.round_id

    assert hub.state(left.round_id) is RoundState.COMPARING
    (asked,) = asked_of(hub, left)
    assert (asked.left, asked.right, asked.pairs) == (left.id, right.id, 8 * len(LEFT))
    assert candidates_of(hub, asked) == {*((row, row) for row in range(7)), (12, 7)}
    assert [one["action"] for one in hub.events()][-2:] == ["comparison.request", "round.advance"]


def test_request_is_signed_names_its_pair_and_holds_no_row_more_often_than_another(hub: Coordinator) -> None:
    left, right = field_round(hub, LEFT, RIGHT)
    hub.match()

    for node, other in ((left, right), (right, left)):
        fetched = node.fetch(other.id)
        pieces = list(fetched.rows)
        verify(public_bytes(hub.signing_key), Label.COMPARISON_REQUEST, fetched.request, fetched.signature)
        request = request_from_bytes(fetched.request)
        assert (request.round_id, request.party, request.other) == (node.round_id, node.id, other.id)
        assert request.manifest_hash == hub.row(node.round_id).manifest_hash.hex()
        assert request.rows == sha256(b"".join(pieces)).hex()
        sizes = {"own_rows": len(node.sent), "other_rows": len(other.sent)}
        rows = unpack_row_numbers(b"".join(pieces))
        assert len(rows) == request.pairs
        assert budget_problem(rows, **sizes, slots=8) is None


def test_request_comes_with_the_other_providers_signed_submission(hub: Coordinator) -> None:
    left, right = field_round(hub, LEFT, RIGHT)
    hub.match()

    fetched = left.fetch(right.id)

    verify(public_bytes(right.party.signing_key), Label.SUBMISSION, fetched.other_submission, fetched.other_signature)
    assert submission_from_bytes(fetched.other_submission).rows == len(RIGHT)
    assert request_from_bytes(fetched.request).other_submission == sha256(fetched.other_submission).hex()
    assert request_from_bytes(right.fetch(left.id).request).submission == sha256(fetched.other_submission).hex()


def test_same_list_is_given_each_time_and_every_fetch_is_recorded(hub: Coordinator) -> None:
    left, right = field_round(hub, LEFT, RIGHT)
    hub.match()
    hub.match()

    first, second = (left.fetch(right.id) for _ in range(2))

    assert (first.request, first.signature, [*first.rows]) == (second.request, second.signature, [*second.rows])
    assert [one["action"] for one in hub.events()].count("comparison.fetch") == 2


def test_rounds_of_other_randomness_ask_for_other_pairs(make_hub: Callable[[str], Coordinator]) -> None:
    asked = []
    for name, drawn in (("one", 0), ("other", 1)):
        hub = make_hub(name)
        left, right = field_round(hub, LEFT, RIGHT)
        hub.context.random_bytes(drawn)
        hub.match()
        asked.append(left.rows(right.id).tolist())

    assert asked[0] != asked[1]


def test_rows_struck_out_before_are_no_candidates_and_others_keep_their_numbers(hub: Coordinator) -> None:
    left, right = field_round(hub, LEFT, RIGHT)
    strike(left, 0, 3)
    strike(right, 1)

    hub.match()

    (asked,) = asked_of(hub, left)
    assert candidates_of(hub, asked) == {(2, 2), (4, 4), (5, 5), (6, 6), (12, 7)}
    for node, other in ((left, right), (right, left)):
        sizes = {"own_rows": len(node.sent), "other_rows": len(other.sent)}
        assert budget_problem(node.rows(other.id), **sizes, slots=8) is None


@pytest.mark.parametrize("profile", ["hardened-single-1", "hardened-1"])
def test_pairs_of_tables_are_asked_about_whatever_their_score(hub: Coordinator, profile: str) -> None:
    left, _ = field_round(hub, LEFT, RIGHT, profile=profile)

    hub.match()

    (asked,) = asked_of(hub, left)
    assert candidates_of(hub, asked) >= {(row, row) for row in range(7)}


def test_matching_that_was_stopped_before_has_asked_nobody_and_goes_on(hub: Coordinator) -> None:
    left, _ = field_round(hub, LEFT, RIGHT)

    with pytest.raises(MatchingInterrupted):
        hub.match(should_stop=lambda: True)
    assert (hub.state(left.round_id), asked_of(hub, left)) == (RoundState.MATCHING, [])
    hub.match()

    assert (hub.state(left.round_id), len(asked_of(hub, left))) == (RoundState.COMPARING, 1)


def test_round_that_was_cancelled_meanwhile_asks_nobody(hub: Coordinator) -> None:
    left, _ = field_round(hub, LEFT, RIGHT)
    assert claim_round(hub.context) == left.round_id

    def cancelled() -> bool:
        if hub.state(left.round_id) is RoundState.MATCHING:
            rounds.cancel_round(hub.context, left.party.actor, round_id=left.round_id)
        return False

    with pytest.raises(Exception, match="cannot become"):
        match_round(hub.context, left.round_id, engine=small_engine(), should_stop=cancelled)

    assert (hub.state(left.round_id), asked_of(hub, left)) == (RoundState.CANCELLED, [])


def test_nobody_else_is_told_and_nobody_about_strangers(hub: Coordinator) -> None:
    left, right = field_round(hub, LEFT, RIGHT)
    foreign = hub.party("county")
    with pytest.raises(RoundStateMismatch):
        left.fetch(right.id)
    hub.match()

    with pytest.raises(NotAMember):
        replace(left, party=foreign).fetch(right.id)
    for other in (left.id, PartyId("county"), PartyId("nobody")):
        with pytest.raises(NotFound):
            left.fetch(other)


def test_every_two_of_three_providers_are_asked(hub: Coordinator) -> None:
    nodes = field_round(hub, range(6), range(3, 9), range(8))

    hub.match()

    asked = asked_of(hub, nodes[0])
    places = {node.id: place for place, node in enumerate(nodes)}
    assert sorted((places[one.left], places[one.right]) for one in asked) == [(0, 1), (0, 2), (1, 2)]
    assert len({one.left_rows for one in asked}) == 3


def test_round_without_comparison_asks_nobody(hub: Coordinator) -> None:
    providers = hub.parties("riverside", "college")
    round_id = hub.collecting(providers)
    for provider in providers:
        hub.submit(provider, round_id, encodings(5, seed=1, hub=hub, round_id=round_id))

    hub.match()

    assert hub.state(round_id) is RoundState.RELEASED
    assert not any(one["action"].startswith("comparison") for one in hub.events())
