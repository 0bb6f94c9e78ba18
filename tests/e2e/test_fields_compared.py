"""A round that compares fields, over real calls: three nodes answer about their pairs, and are linked by it."""

import csv
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from harness import small_engine
from live import Live, live_coordinator
from unit.node.answering_parts import let_opt_out

from isthmus.contract.clock import SystemClock
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.parties import PartyKind, Role
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.enrolment import add_party
from isthmus.coordinator.actions.matching import claim_round, match_round
from isthmus.coordinator.actions.rounds import add_project, propose_round
from isthmus.coordinator.domain.roles import Actor
from isthmus.node.client import Client, connect
from isthmus.node.node import Node, open_node
from isthmus.node.policy import read_manifest
from isthmus.node.signing import sign_manifest
from isthmus.node.strike_out import strike_out
from isthmus.node.take_part import take_step
from isthmus.party.enrol import Keys, enrol

pytestmark = pytest.mark.slow

OPERATOR = Actor(party=PartyId("operator"), role=Role.OPERATOR)
BROUGHT = {
    "riverside": ("first_name", "last_name", "dob", "sex", "zip"),
    "college": ("first_name", "last_name", "dob", "zip"),
    "registry": ("first_name", "last_name", "dob", "sex"),
}
"""All bring three fields; ZIP and sex are each of two of them alone."""

PEOPLE, SHARED = 90, 60


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A coordinator and the open nodes of three providers."""

    live: Live
    nodes: dict[str, Node]
    clients: dict[str, Client]
    round_id: RoundId

    def step(self, *parties: str) -> None:
        """Let nodes do what the round needs of them."""
        for party in parties or self.nodes:
            take_step(self.nodes[party], self.clients[party], self.round_id, report=lambda *_: None)

    def state(self) -> RoundState:
        """Where the round stands."""
        return self.clients["riverside"].get_round(self.round_id)[0].state

    def match(self) -> None:
        """Let the coordinator's worker take the round."""
        context = self.live.installation.context
        assert claim_round(context) == self.round_id
        match_round(context, self.round_id, engine=small_engine(), should_stop=lambda: False)


def _people() -> list[dict[str, str]]:
    chance = random.Random(5)
    return [
        {
            "first_name": "".join(chance.choices("abcdefghiklmnoprstuvwy", k=6)),
            "last_name": "".join(chance.choices("abcdefghiklmnoprstuvwy", k=8)),
            "dob": f"{chance.randint(1950, 2005)}-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
            "sex": chance.choice("FM"),
            "zip": f"{chance.randint(10_000, 99_999)}",
        }
        for _ in range(3 * PEOPLE)
    ]


def _filed(party: str) -> list[dict[str, str]]:
    """Give a provider's people: the first of them are everybody's, some with a damaged value; others are its own."""
    place, people = list(BROUGHT).index(party), _people()
    chosen = [dict(one) for one in people[:SHARED] + people[SHARED + 30 * place : SHARED + 30 * place + 30]]
    for number, person in enumerate(chosen):
        if number % 10 == place:
            person["first_name"] = person["first_name"][:-1] + "x"
    return [{"Nr": f"{number}", **person} for number, person in enumerate(chosen)]


def _write_node(folder: Path, party: str) -> None:
    folder.mkdir(parents=True)
    fields = BROUGHT[party]
    columns = "\n".join(f'{name} = "{name}"' for name in fields)
    (folder / "node.toml").write_text(
        f'[datasets.people]\nfile = "people.csv"\nid_column = "Nr"\n[datasets.people.columns]\n{columns}\n'
    )
    with (folder / "people.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["Nr", *fields], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(_filed(party))


def _project() -> str:
    head = (
        'format = "isthmus/project/5"\nagreement = "agreed"\n'
        'id = "fields"\ntitle = "Fields"\npurpose = "Testing"\nlead = "riverside"\n'
        'reveal = "linked"\nprofile = "hardened-2"\nrequire_verified = false\n'
    )
    providers = "".join(
        f'[[providers]]\nparty = "{party}"\ndataset = "people"\nfields = {list(fields)}\n'.replace("'", '"')
        for party, fields in BROUGHT.items()
    )
    return f"{head}{providers}[comparison]\nslots = 8\n"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A round whose rows are in and whose candidates are found: it waits for answers."""
    with live_coordinator(tmp_path) as live, ExitStack() as stack:
        context, nodes, clients = live.installation.context, {}, {}
        for party in BROUGHT:
            add_party(
                context, None, party=PartyId(party), name=party.title(), kind=PartyKind.DISTRICT, role=Role.PROVIDER
            )
            folder = live.parties / party
            _write_node(folder, party)
            enrol(folder / "identity", live.token(party), keys=Keys(with_agreement_key=True))
            nodes[party] = stack.enter_context(open_node(folder, clock=SystemClock()))
            clients[party] = stack.enter_context(connect(nodes[party].identity))
        live.agree("agreed", *nodes.values())
        add_project(context, OPERATOR, text=_project())
        key = live.operator().coordinator_key
        round_id = propose_round(context, OPERATOR, project_id=ProjectId("fields"), coordinator_key=key).round_id
        made = World(live=live, nodes=nodes, clients=clients, round_id=round_id)
        for party, node in nodes.items():
            data = clients[party].get_round(round_id)[1]
            sign_manifest(node, clients[party], read_manifest(data, round_id), data)
        for _ in range(10):
            if made.state() is RoundState.SEALED:
                break
            made.step()
        made.match()
        assert made.state() is RoundState.COMPARING
        yield made


def _ids(world: World, party: str) -> dict[str, str]:
    with (world.nodes[party].ids / f"{world.round_id}.csv").open() as file:
        return {row["rec_id"]: row["pseudonym"] for row in csv.DictReader(file)}


def test_people_of_all_are_linked_by_their_fields(world: World) -> None:
    world.step("college")
    world.step("college")
    assert world.state() is RoundState.COMPARING
    world.step("riverside", "registry")
    world.match()
    world.step()

    assert world.state() is RoundState.RELEASED
    for party, node in world.nodes.items():
        linked = set(map(int, _ids(world, party)))
        assert len(linked & set(range(SHARED))) >= 0.95 * SHARED
        assert len(linked - set(range(SHARED))) <= 2
        left = node.what_leaves(world.round_id)
        assert left is not None
        assert set(left["encoded"]) == {"first_name", "last_name", "dob"}
        assert set(left["compared"]) == set(BROUGHT[party])
        assert not list(node.outbox.iterdir())


def test_person_who_opts_out_before_the_answers_is_not_linked(world: World) -> None:
    let_opt_out(world.nodes["riverside"], "3")
    node, client = world.nodes["riverside"], world.clients["riverside"]
    world.step("riverside")
    struck = strike_out(node, client, client.get_round(world.round_id)[0])
    world.step("college", "registry")
    world.match()
    world.step()

    assert (struck.rows, struck.too_late) == (1, False)
    assert "3" not in _ids(world, "riverside")
    assert len(_ids(world, "college")) >= 0.95 * SHARED
