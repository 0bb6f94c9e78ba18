"""A coordinator that disturbs the key agreement which it relays: nodes refuse by a typed error and encode nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from faults.relay import PARTIES, Tamper, World, new_world, said_to_be, without

from isthmus.contract.canonical import canonical_bytes
from isthmus.contract.errors import Unreachable
from isthmus.contract.ids import RoundId
from isthmus.contract.round_state import RoundState
from isthmus.node.errors import KeyMissing, RefusedByPolicy
from isthmus.node.keys.errors import (
    ConfirmationRefused,
    ConfirmationsMissing,
    ContributionRefused,
    ContributionsMissing,
    WeakSecret,
)
from isthmus.v1 import common_pb2
from isthmus.v1 import provider_pb2 as pb


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with new_world(tmp_path_factory.mktemp("relay")) as made:
        yield made


def test_members_agree_though_parts_come_reordered_and_repeated(world: World) -> None:
    round_id = world.locked()
    shuffled: Tamper = lambda messages: [*reversed(messages), *messages]  # noqa: E731 - shortest as a value
    for party in (*PARTIES, *PARTIES):
        world.step(party, round_id, FetchKeyWraps=shuffled)
    assert world.state(round_id) is RoundState.PREFLIGHT
    for party in PARTIES:
        world.step(party, round_id, FetchKeyConfirmations=shuffled)
    masters = {node.round_master(round_id).reveal() for node in world.nodes.values()}
    assert len(masters) == 1 and len(masters.pop()) == 32
    assert world.state(round_id) is RoundState.COLLECTING
    assert [path.suffix for path in (world.nodes["college"].folder / "keys").glob(f"{round_id}.*")] == [".key"]


@pytest.mark.parametrize("steps", [3, 4], ids=["holding the key", "after the preflight"])
def test_a_round_that_went_back_to_locked_gets_no_second_part_of_the_key(world: World, steps: int) -> None:
    round_id = world.locked()
    for _ in range(steps):
        for party in PARTIES:
            if world.state(round_id) is not RoundState.COLLECTING:
                world.step(party, round_id)
    node = world.nodes["riverside"]
    held = node.keys.has_master(round_id)
    if steps == 4:
        node.forget_keys(round_id)  # as once the IDs are here

    def go_back(response: pb.GetRoundResponse) -> pb.GetRoundResponse:
        response.round.state = common_pb2.ROUND_STATE_LOCKED
        response.round.waiting_for.add(party_id="riverside")
        return response

    with pytest.raises(RefusedByPolicy, match="went back in time"):
        world.step("riverside", round_id, GetRound=go_back)
    assert held
    assert list((node.folder / "keys").glob(f"{round_id}.part")) == []


def test_a_replayed_part_of_another_round_is_refused_by_its_senders_name(world: World) -> None:
    before, round_id = world.locked(), world.locked()
    for party in PARTIES:
        world.step(party, before)
        world.step(party, round_id)
    old = world.sent(before)["riverside"]

    def replayed(messages: list[pb.FetchKeyWrapsResponse]) -> list[pb.FetchKeyWrapsResponse]:
        return [*without("riverside", "wraps", "sender")(messages), pb.FetchKeyWrapsResponse(wraps=old)]

    with pytest.raises(ContributionRefused, match="name of riverside is refused: it is for another round") as refused:
        world.step("college", round_id, FetchKeyWraps=replayed)
    assert refused.value.sender == "riverside"
    assert world.nothing_was_encoded(round_id)


def test_an_altered_part_is_refused_by_its_senders_name(world: World) -> None:
    round_id = world.locked()
    for party in PARTIES:
        world.step(party, round_id)

    def altered(messages: list[pb.FetchKeyWrapsResponse]) -> list[pb.FetchKeyWrapsResponse]:
        for one in messages:
            document = json.loads(one.wraps)
            if document["sender"] == "workforce":
                document["commitment"] = "00" * 32
                one.wraps = canonical_bytes(document)
        return messages

    with pytest.raises(ContributionRefused, match="name of workforce is refused: the signature is not"):
        world.step("college", round_id, FetchKeyWraps=altered)
    assert world.nothing_was_encoded(round_id)


def test_a_dropped_part_leaves_no_master_and_is_named_where_the_coordinator_goes_on(world: World) -> None:
    round_id = world.locked()
    dropped = without("riverside", "wraps", "sender")
    for party in (*PARTIES, *PARTIES):
        world.step(party, round_id, FetchKeyWraps=dropped) if party != "riverside" else world.step(party, round_id)
    assert world.state(round_id) is RoundState.LOCKED, "who lacks a part confirms nothing"
    with pytest.raises(ContributionsMissing, match="not here: riverside"):
        world.step(
            "college",
            round_id,
            FetchKeyWraps=dropped,
            GetRound=said_to_be(common_pb2.ROUND_STATE_PREFLIGHT),
        )
    assert world.nothing_was_encoded(round_id)


def test_a_node_that_gave_no_part_does_not_go_on(world: World) -> None:
    round_id = world.locked()
    with pytest.raises(KeyMissing):
        world.step("college", round_id, GetRound=said_to_be(common_pb2.ROUND_STATE_COLLECTING))
    assert world.nothing_was_encoded(round_id)


def agreed(world: World) -> RoundId:
    """Take a round to where all have proved the key and nobody has checked the proofs."""
    round_id = world.locked()
    for party in (*PARTIES, *PARTIES):
        world.step(party, round_id) if world.state(round_id) is RoundState.LOCKED else None
    assert world.state(round_id) is RoundState.PREFLIGHT
    return round_id


@pytest.mark.parametrize(("field", "value"), [("mac", "00" * 32), ("epoch", 7), ("signature", "00" * 64)])
def test_an_altered_confirmation_is_refused_by_its_partys_name(world: World, field: str, value: object) -> None:
    round_id = agreed(world)

    def altered(messages: list[pb.FetchKeyConfirmationsResponse]) -> list[pb.FetchKeyConfirmationsResponse]:
        for one in messages:
            document = json.loads(one.confirmation)
            if document["party"] == "riverside":
                one.confirmation = canonical_bytes(document | {field: value})
        return messages

    with pytest.raises(ConfirmationRefused, match="name of riverside is refused") as refused:
        world.step("college", round_id, FetchKeyConfirmations=altered)
    assert refused.value.party == "riverside"
    assert world.nothing_was_encoded(round_id)


def test_a_dropped_confirmation_is_named_and_nothing_is_encoded(world: World) -> None:
    round_id = agreed(world)
    with pytest.raises(ConfirmationsMissing, match="not here: workforce"):
        world.step("college", round_id, FetchKeyConfirmations=without("workforce", "confirmation", "party"))
    assert world.nothing_was_encoded(round_id)


def test_a_replayed_confirmation_of_another_round_is_refused(world: World) -> None:
    before, round_id = agreed(world), agreed(world)
    with world.client("college") as client:
        old = {json.loads(one)["party"]: one for one in client.fetch_key_confirmations(before)}

    def replayed(messages: list[pb.FetchKeyConfirmationsResponse]) -> list[pb.FetchKeyConfirmationsResponse]:
        kept = without("riverside", "confirmation", "party")(messages)
        return [*kept, pb.FetchKeyConfirmationsResponse(confirmation=old["riverside"])]

    with pytest.raises(ConfirmationRefused, match="riverside is refused: it is for another round"):
        world.step("college", round_id, FetchKeyConfirmations=replayed)
    assert world.nothing_was_encoded(round_id)


def test_a_node_whose_randomness_is_dead_sends_nothing(world: World) -> None:
    round_id = world.locked()
    dead = replace(world.nodes["college"], random_bytes=bytes)
    with pytest.raises(WeakSecret, match="one byte over and over"):
        world.step("college", round_id, node=dead)
    assert world.sent(round_id) == {}
    assert list((dead.folder / "keys").glob(f"{round_id}.*")) == []
    assert world.nothing_was_encoded(round_id)


def test_a_node_that_was_cut_off_while_it_sent_its_part_sends_the_same_again(world: World) -> None:
    round_id = world.locked()

    def cut(_response: object) -> object:
        raise Unreachable(address="relay", problem="cut off")

    with pytest.raises(Unreachable):
        world.step("college", round_id, SendKeyWraps=cut)
    first = world.sent(round_id)["college"]
    for party in ("riverside", "workforce", "college"):
        world.step(party, round_id)
    assert world.sent(round_id)["college"] == first
    with world.client("college") as client:
        confirmed = {json.loads(one)["party"] for one in client.fetch_key_confirmations(round_id)}
    assert confirmed == {"workforce", "college"}, "it went on with the part that it had kept"
