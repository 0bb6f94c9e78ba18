"""A real coordinator in this process: both servers on loopback with mutual TLS, and real SQLite."""

import asyncio
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from isthmus_local.agreement_file import agreement_file
from isthmus_local.processes import free_ports

from isthmus.contract.agreement import agreement_from_bytes
from isthmus.contract.canonical import Label, sign
from isthmus.contract.clock import SystemClock
from isthmus.contract.ids import AgreementId, PartyId
from isthmus.contract.parties import PartyKind, Role
from isthmus.coordinator.actions.agreements import propose_agreement
from isthmus.coordinator.actions.enrolment import add_party, mint_token
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.rpc.server import enrolment_server, serve, service_server
from isthmus.coordinator.setup import OPERATOR, Installation, make_installation, open_installation
from isthmus.node.agreement_client import connect_agreements
from isthmus.node.agreements import sign_agreement
from isthmus.node.node import Node, open_node
from isthmus.party.enrol import Keys, enrol
from isthmus.party.identity import Identity, load_identity
from isthmus.party.token import EnrolmentToken


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """A running coordinator and the folder in which parties keep their identities."""

    installation: Installation
    parties: Path

    def token(self, party: str) -> EnrolmentToken:
        """Give a fresh enrolment token for a registered party."""
        context, keys = self.installation.context, self.installation.keys
        doors = self.installation.doors
        return mint_token(context, None, party=PartyId(party), authority=keys.authority, doors=doors)[0]

    def enrolled(self, party: str, role: Role = Role.PROVIDER) -> Identity:
        """Register a party, enrol it over the wire, and give its identity."""
        kind = PartyKind.ANALYST if role is Role.ANALYST else PartyKind.DISTRICT
        add_party(self.installation.context, None, party=PartyId(party), name=party.title(), kind=kind, role=role)
        enrol(self.parties / party, self.token(party), keys=Keys(with_agreement_key=role is Role.PROVIDER))
        return load_identity(self.parties / party, now=SystemClock().now())

    def agree(
        self, agreement: str, *nodes: Node, others: Iterable[Identity] = (), auditors: Iterable[str] = ()
    ) -> None:
        """Bring an agreement in force between nodes, as people there would, and between others without a node."""
        parties = [one.identity.party for one in nodes] + [one.party for one in others]
        yesterday = SystemClock().now().date() - timedelta(days=1)
        text = agreement_file(agreement, providers=parties, auditors=auditors, effective=yesterday)
        operator = Actor(party=OPERATOR, role=Role.OPERATOR)
        digest = propose_agreement(self.installation.context, operator, text=text).digest
        with self.installation.context.store.read() as tx:
            (row,) = tx.agreements.history(AgreementId(agreement)).versions
        for one in others:
            with connect_agreements(one) as client:
                client.sign(digest, sign(one.signing_key, Label.AGREEMENT, row.document))
        for node in nodes:
            with connect_agreements(node.identity) as client:
                node.vault.agreements.save_shown(agreement_from_bytes(row.document), at="2026-01-15T12:00:00Z")
                sign_agreement(node, client, AgreementId(agreement))

    def agree_in(self, agreement: str, *folders: Path) -> None:
        """Bring an agreement in force between the nodes of these folders."""
        with ExitStack() as stack:
            nodes = [stack.enter_context(open_node(folder, clock=SystemClock())) for folder in folders]
            self.agree(agreement, *nodes)

    def operator(self) -> Identity:
        """Give the operator's identity."""
        return load_identity(self.installation.folder / "operator", now=SystemClock().now())


@contextmanager
def live_coordinator(folder: Path) -> Iterator[Live]:
    """Run a new coordinator in a thread of this process while the block runs."""
    service_port, enrolment_port = free_ports(2)
    make_installation(
        folder / "coordinator",
        address="127.0.0.1",
        host="127.0.0.1",
        service_port=service_port,
        enrolment_port=enrolment_port,
        clock=SystemClock(),
    )
    with serving_here(folder / "coordinator") as installation:
        yield Live(installation=installation, parties=folder / "parties")


@contextmanager
def serving_here(folder: Path) -> Iterator[Installation]:
    """Run a coordinator that is there in a thread of this process while the block runs; nothing is matched."""
    installation = open_installation(folder)
    ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=_serve, args=(installation, loop, ready, stop))
    thread.start()
    ready.wait(10)
    try:
        yield installation
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


def _serve(
    installation: Installation, loop: asyncio.AbstractEventLoop, ready: threading.Event, stop: asyncio.Event
) -> None:
    asyncio.set_event_loop(loop)
    loop.run_until_complete(_run(installation, ready, stop))


async def _run(installation: Installation, ready: threading.Event, stop: asyncio.Event) -> None:
    listen = installation.config.listen
    service, _ = service_server(
        installation.context,
        installation.keys,
        doors=installation.doors,
        address=f"127.0.0.1:{listen.service_port}",
    )
    enrolment, _ = enrolment_server(
        installation.context, installation.keys, address=f"127.0.0.1:{listen.enrolment_port}"
    )
    ready.set()
    await serve([service, enrolment], stop)
