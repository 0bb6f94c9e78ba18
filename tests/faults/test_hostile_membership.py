"""A coordinator that lies about who the members are and which keys they have: nodes refuse and encode nothing."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from faults.relay import PARTIES, World, new_world, node_folder, tamper_event

from isthmus.contract.canonical import Label, canonical_bytes, sha256, sign
from isthmus.contract.clock import SystemClock
from isthmus.contract.ids import PartyId
from isthmus.contract.manifest import RoundManifest
from isthmus.contract.membership import membership_from_bytes
from isthmus.contract.parties import Role
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import rounds
from isthmus.coordinator.domain.roles import Actor
from isthmus.node.agree import own_keys
from isthmus.node.errors import MembersUnverified, RefusedByPolicy
from isthmus.node.node import open_node
from isthmus.v1 import provider_pb2 as pb


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with new_world(tmp_path_factory.mktemp("relay")) as made:
        yield made


@pytest.fixture(autouse=True)
def listed_keys_are_restored(world: World) -> Iterator[None]:
    yield
    world.restore_keys()


def test_a_ghost_member_whom_nobody_verified_gets_no_part_of_the_key(world: World) -> None:
    round_id = world.propose("haunted")
    world.sign(round_id)
    with open_node(ghost_folder(world), clock=SystemClock()) as ghost:
        context = world.live.installation.context
        data = world.manifest(round_id).to_bytes()
        signature = sign(ghost.identity.signing_key, Label.ROUND_MANIFEST, data)
        actor = Actor(party=PartyId("ghost"), role=Role.PROVIDER)
        rounds.sign_round(context, actor, round_id=round_id, manifest_hash=sha256(data), signature=signature)
    assert world.state(round_id) is RoundState.LOCKED
    for party in PARTIES:
        with pytest.raises(MembersUnverified, match="fingerprints of ghost") as refused:
            world.step(party, round_id)
        assert f"isthmus-node fingerprint verify PARTY --round {round_id}" in str(refused.value)
    assert world.sent(round_id) == {}
    assert world.nothing_was_encoded(round_id)


def ghost_folder(world: World) -> Path:
    made = world.live.parties / "node-ghost"
    return made if made.exists() else node_folder(world.live, "ghost")


def test_a_ghost_member_that_is_shown_to_one_node_alone_is_refused(world: World) -> None:
    round_id = world.locked()
    haunted = world.manifest(world.propose("haunted"))
    shown = msgspec.structs.replace(haunted, round_id=round_id).to_bytes()

    def change(response: pb.GetRoundResponse) -> pb.GetRoundResponse:
        response.manifest, response.round.manifest_hash = shown, sha256(shown)
        return response

    with pytest.raises(RefusedByPolicy, match="not the one that this node signed"):
        world.step("riverside", round_id, GetRound=change)
    assert world.sent(round_id) == {}
    assert world.nothing_was_encoded(round_id)


def test_a_swapped_agreement_key_of_a_verified_member_is_refused_loudly(world: World) -> None:
    world.set_agreement_key("college", X25519PrivateKey.generate().public_key().public_bytes_raw())
    round_id = world.propose()
    with pytest.raises(RefusedByPolicy, match="other keys for college than those that were verified") as refused:
        world.sign(round_id, "riverside")
    assert "fingerprint verify --replace" in str(refused.value)
    with pytest.raises(RefusedByPolicy, match="other keys for this party than this node's"):
        world.sign(round_id, "college")
    assert world.state(round_id) is RoundState.PROPOSED
    assert world.nothing_was_encoded(round_id)


def test_keys_that_change_within_an_epoch_are_refused_even_where_nobody_has_to_be_verified(world: World) -> None:
    first = world.propose("trusting")
    node = world.nodes["riverside"]
    for path in node.folder.glob("verified.json"):
        path.rename(path.with_suffix(".kept"))
    try:
        world.sign(first, "riverside")
        world.set_agreement_key("college", X25519PrivateKey.generate().public_key().public_bytes_raw())
        lie_about_the_epoch(world, world.manifest(first))
        round_id = world.propose("trusting")
        assert world.manifest(round_id).epoch == world.manifest(first).epoch
        with pytest.raises(RefusedByPolicy, match="keys of college changed within key epoch 1"):
            world.sign(round_id, "riverside")
    finally:
        (node.folder / "verified.kept").rename(node.folder / "verified.json")


def lie_about_the_epoch(world: World, manifest: RoundManifest) -> None:
    """Let the coordinator's memory have the keys of now in the epoch of before."""
    with world.live.installation.context.store.begin() as tx:
        kept = membership_from_bytes(tx.keys.membership(manifest.project.id) or b"")
        listed = [
            {
                "party": one.party,
                "identity_key": one.identity_key.hex(),
                "agreement_key": (tx.parties.get(one.party).agreement_key or b"").hex(),
            }
            for one in sorted(kept.keys(), key=lambda one: one.party)
        ]
        document = canonical_bytes({"format": kept.format, "epoch": kept.epoch, "members": listed})
        tx.keys.set_membership(manifest.project.id, document, audit=tamper_event())


def test_a_coordinator_that_goes_back_to_an_earlier_epoch_is_refused(world: World) -> None:
    earlier = world.propose()
    own = own_keys(world.nodes["college"]).member().agreement_key
    world.set_agreement_key("college", X25519PrivateKey.generate().public_key().public_bytes_raw())
    world.propose()
    world.set_agreement_key("college", own)
    later = world.propose()
    assert world.manifest(later).epoch == world.manifest(earlier).epoch + 2
    world.sign(later, "riverside")
    with pytest.raises(RefusedByPolicy, match="is over: this node saw epoch"):
        world.sign(earlier, "riverside")
