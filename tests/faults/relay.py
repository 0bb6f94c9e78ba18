"""Three nodes, their coordinator, and between them a relay that changes what a node is shown.

Real nodes and a real server over mutual TLS. Three providers who compared each other's fingerprints, and `ghost`, whose
keys the coordinator made itself.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from live import Live, live_coordinator

from isthmus.contract.clock import SystemClock, to_text
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.manifest import RoundManifest, manifest_from_bytes
from isthmus.contract.parties import Role
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import rounds
from isthmus.coordinator.domain.audit import AuditEvent
from isthmus.coordinator.domain.roles import Actor
from isthmus.node.agree import own_keys
from isthmus.node.client import Client
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
            tx.parties.set_agreement_key(PartyId(party), key, audit=tamper_event())

    def restore_keys(self) -> None:
        """List every node's own agreement key again."""
        for party, node in self.nodes.items():
            self.set_agreement_key(party, own_keys(node).member().agreement_key)

    def nothing_was_encoded(self, round_id: RoundId) -> bool:
        """Say whether no node holds a master or a submission, and the coordinator no row."""
        with self.live.installation.context.store.read() as tx:
            stored = list(tx.submissions.of_round(round_id))
        return not stored and not any(
            node.keys.has_master(round_id) or node.vault.prepared(round_id) or list(node.outbox.glob(f"{round_id}*"))
            for node in self.nodes.values()
        )


@contextmanager
def new_world(folder: Path) -> Iterator[World]:
    """Run a coordinator with three nodes that verified each other, and three projects of theirs."""
    with live_coordinator(folder) as live, ExitStack() as stack:
        ghost = [live.enrolled(party) for party in (*PARTIES, "ghost")][-1]
        nodes = {
            party: stack.enter_context(open_node(node_folder(live, party), clock=SystemClock())) for party in PARTIES
        }
        live.agree("agreed", *nodes.values(), others=[ghost])
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
        yield World(live=live, nodes=nodes)


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
    head = (
        f'format = "isthmus/project/5"\nagreement = "agreed"\nid = "{name}"\ntitle = "Relayed"\npurpose = "Testing"\n'
    )
    return f'{head}lead = "riverside"\nreveal = "linked"\nprofile = "interop-1"\n{more}{listed}'


def tamper_event() -> AuditEvent:
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
