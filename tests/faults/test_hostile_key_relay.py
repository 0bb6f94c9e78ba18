"""A coordinator that disturbs the key agreement which it relays: nodes refuse by a typed error and encode nothing.

Real nodes, a real server over mutual TLS, and between them a relay that changes what a node is shown. Three providers
who compared each other's fingerprints, and `ghost`, whose keys the coordinator made itself.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from live import Live, live_coordinator

from isthmus.contract.canonical import Label, canonical_bytes, sha256, sign
from isthmus.contract.clock import SystemClock, to_text
from isthmus.contract.errors import Unreachable
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.membership import membership_from_bytes
from isthmus.contract.parties import Role
from isthmus.contract.project import RoundManifest, manifest_from_bytes
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import rounds
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.roles import Actor
from isthmus.node.agree import own_keys
from isthmus.node.client import Client
from isthmus.node.errors import KeyMissing, MembersUnverified, RefusedByPolicy
from isthmus.node.keys.errors import (
    ConfirmationRefused,
    ConfirmationsMissing,
    ContributionRefused,
    ContributionsMissing,
    WeakSecret,
)
from isthmus.node.keys.fingerprint import fingerprint_text
from isthmus.node.node import Node, open_node
from isthmus.node.policy import read_manifest
from isthmus.node.signing import sign_manifest
from isthmus.node.take_part import Step, take_step
from isthmus.node.verified import save_verified
from isthmus.party.dial import open_channel
from isthmus.v1 import common_pb2
from isthmus.v1 import provider_pb2 as pb
from isthmus.v1.provider_pb2_grpc import ProviderServiceStub

OPERATOR = Actor(party=PartyId("operator"), role=Role.OPERATOR)
PARTIES = ("riverside", "college", "workforce")
SETTINGS = (
    '[datasets.people]\nfile = "people.csv"\nid_column = "Nr"\n[datasets.people.columns]\n'
    'first_name = "Vorname"\nlast_name = "Nachname"\ndob = "Geburtstag"\n'
)
Tamper = Callable[[Any], Any]


class Relay:
    """The real calls, some of whose answers are changed on the way back; for a stream, the list of its messages."""

    def __init__(self, real: ProviderServiceStub, changes: dict[str, Tamper]) -> None:
        self._real, self._changes = real, changes

    def __getattr__(self, call: str) -> Callable[..., Any]:
        real, change = getattr(self._real, call), self._changes.get(call)
        if change is None:
            return cast("Callable[..., Any]", real)
        if call.startswith("Fetch"):
            return lambda request, **options: iter(change(list(real(request, **options))))
        return lambda request, **options: change(real(request, **options))


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A coordinator and the nodes of three providers who verified each other."""

    live: Live
    nodes: dict[str, Node]

    def propose(self, project: str = "relayed") -> RoundId:
        """Propose a round."""
        key = self.live.operator().coordinator_key
        context = self.live.installation.context
        return rounds.propose_round(context, OPERATOR, project_id=ProjectId(project), coordinator_key=key).round_id

    def sign(self, round_id: RoundId, *parties: str) -> None:
        """Agree to the round at the nodes, as a person there would."""
        for party in parties or PARTIES:
            with self.client(party) as client:
                data = client.get_round(round_id)[1]
                sign_manifest(self.nodes[party], client, read_manifest(data, round_id), data)

    def locked(self) -> RoundId:
        """Propose a round and let everybody sign it."""
        round_id = self.propose()
        self.sign(round_id)
        return round_id

    def step(self, party: str, round_id: RoundId, *, node: Node | None = None, **changes: Tamper) -> Step:
        """Take one step of a node through a relay that changes the answers of some calls."""
        with self.client(party, **changes) as client:
            return take_step(node or self.nodes[party], client, round_id, report=lambda *_: None)

    @contextmanager
    def client(self, party: str, **changes: Tamper) -> Iterator[Client]:
        """Give a connection of a node through the relay."""
        with open_channel(self.nodes[party].identity) as channel:
            yield Client(cast("Any", Relay(ProviderServiceStub(channel), changes)), "relay")

    def manifest(self, round_id: RoundId) -> RoundManifest:
        """Give the round's manifest as the coordinator holds it."""
        with self.live.installation.context.store.read() as tx:
            return manifest_from_bytes(tx.rounds.get(round_id).manifest)

    def sent(self, round_id: RoundId) -> dict[str, bytes]:
        """Give the parts of the key that are at the coordinator."""
        with self.live.installation.context.store.read() as tx:
            return {one.party: one.document for one in tx.keys.wraps(round_id)}

    def state(self, round_id: RoundId) -> RoundState:
        """Give where the round stands."""
        with self.live.installation.context.store.read() as tx:
            return tx.rounds.get(round_id).state

    def set_agreement_key(self, party: str, key: bytes) -> None:
        """Put a key into the coordinator's list of parties, as who controls it can."""
        with self.live.installation.context.store.begin() as tx:
            tx.parties.set_agreement_key(PartyId(party), key, audit=_event())

    def nothing_was_encoded(self, round_id: RoundId) -> bool:
        """Say whether no node holds a master or a submission, and the coordinator no row."""
        with self.live.installation.context.store.read() as tx:
            stored = list(tx.submissions.of_round(round_id))
        return not stored and not any(
            node.keys.has_master(round_id) or node.vault.prepared(round_id) or list(node.outbox.glob(f"{round_id}*"))
            for node in self.nodes.values()
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("relay")
    with live_coordinator(folder) as live, ExitStack() as stack:
        for party in (*PARTIES, "ghost"):
            live.enrolled(party)
        nodes = {
            party: stack.enter_context(open_node(node_folder(live, party), clock=SystemClock())) for party in PARTIES
        }
        made = World(live=live, nodes=nodes)
        for name, providers, more in (
            ("relayed", PARTIES, ""),
            ("haunted", (*PARTIES, "ghost"), ""),
            ("trusting", PARTIES, "require_verified = false\n"),
        ):
            text = project(name, providers=providers, more=more)
            rounds.add_project(live.installation.context, OPERATOR, text=text)
        for node in nodes.values():
            for other in nodes.values():
                verify(node, other)
        yield made


@pytest.fixture(autouse=True)
def listed_keys_are_restored(world: World) -> Iterator[None]:
    yield
    for party, node in world.nodes.items():
        world.set_agreement_key(party, own_keys(node).member().agreement_key)


def node_folder(live: Live, party: str) -> Path:
    """Make a node's folder around an identity."""
    folder = live.parties / f"node-{party}"
    folder.mkdir()
    (live.parties / party).rename(folder / "identity")
    (folder / "node.toml").write_text(SETTINGS)
    (folder / "people.csv").write_text("Nr,Vorname,Nachname,Geburtstag\n1,Quorimble,Zylaxton,2001-02-03\n")
    return folder


def verify(node: Node, other: Node) -> None:
    """Compare another node's own fingerprint with the keys that are listed for it."""
    if other is not node:
        told = fingerprint_text(own_keys(other).member())
        save_verified(node.folder, own_keys(other).member(), digits=told, now=to_text(SystemClock().now()))


def project(name: str, *, providers: Iterable[str], more: str) -> str:
    listed = "".join(
        f'[[providers]]\nparty = "{party}"\ndataset = "people"\nfields = ["first_name", "last_name", "dob"]\n'
        for party in providers
    )
    head = f'format = "isthmus/project/1"\nid = "{name}"\ntitle = "Relayed"\npurpose = "Testing"\n'
    return f'{head}lead = "riverside"\nreveal = "linked"\nprofile = "interop-1"\n{more}{listed}'


def _event() -> AuditEvent:
    return AuditEvent(
        scope="coordinator", at=SystemClock().now(), actor="coordinator", action="test.tamper", object="x", outcome="x"
    )


def said_to_be(state: common_pb2.RoundState.ValueType) -> Tamper:
    """Let the coordinator say that a round is in another state."""

    def change(response: pb.GetRoundResponse) -> pb.GetRoundResponse:
        response.round.state = state
        return response

    return change


def without(party: str, field: str, key: str) -> Tamper:
    """Leave one party's document out of a stream."""
    return lambda messages: [one for one in messages if json.loads(getattr(one, field))[key] != party]


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
        tx.keys.set_membership(manifest.project.id, document, audit=_event())


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
