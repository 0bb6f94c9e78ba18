"""Bad files, keys and projects at a real node: a typed error, no personal value in it, nothing at the coordinator."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from live import Live, live_coordinator

from isthmus.contract.clock import SystemClock
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.parties import Role
from isthmus.contract.project import project_from_toml
from isthmus.contract.round_state import RoundState
from isthmus.contract.secret import Secret
from isthmus.coordinator.actions.rounds import add_project, propose_round
from isthmus.coordinator.domain.roles import Actor
from isthmus.node.cli import main
from isthmus.node.client import connect
from isthmus.node.errors import NeedsConsent
from isthmus.node.keys.folder import KeyFolder
from isthmus.node.node import open_node
from isthmus.node.take_part import take_step
from isthmus.party.identity import PLAIN

PROJECT = ProjectId("bad-input")
OPERATOR = Actor(party=PartyId("operator"), role=Role.OPERATOR)
GOOD = "Nr,Vorname,Nachname,Geburtstag\n1,Quorimble,Zylaxton,2001-02-03\n2,Vexordine,Brunumphry,2002-03-04\n"
SECRETS = ("quorimble", "zylaxton", "vexordine", "brunumphry", "2001-02-03", "20010203")


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A running coordinator with a lead, whose node is in order, and a second provider, whose files we spoil."""

    live: Live
    lead: Path
    other: Path

    @property
    def file(self) -> Path:
        """The second provider's file."""
        return self.other / "people.csv"

    def new_round(self) -> RoundId:
        """Propose a round and let the lead do its part up to collecting."""
        context = self.live.installation.context
        key = self.live.operator().coordinator_key
        view = propose_round(context, OPERATOR, project_id=PROJECT, coordinator_key=key)
        step_until(self.lead, view.round_id, RoundState.PROPOSED)
        return view.round_id

    def agreed_round(self) -> RoundId:
        """Propose a round and let both sign it and agree on its key."""
        round_id = self.new_round()
        step_until(self.other, round_id, RoundState.PROPOSED)
        for folder in (self.lead, self.other, self.lead):
            step_until(folder, round_id, RoundState.LOCKED)
        return round_id

    def run_other(self, round_id: RoundId) -> Result:
        """Let the second provider take part, with the lead beside it, until it fails."""
        step_until(self.lead, round_id, RoundState.PREFLIGHT)
        return CliRunner().invoke(main, ["run", "--dir", str(self.other), "--round", round_id])

    def nothing_is_stored(self, round_id: RoundId) -> bool:
        """Say whether the coordinator holds no submission and no blob."""
        context = self.live.installation.context
        with context.store.read() as tx:
            submissions = tx.submissions.of_round(round_id)
        return not submissions and not list((self.live.installation.data / "blobs").iterdir())


def step_until(folder: Path, round_id: RoundId, wanted: RoundState) -> None:
    """Take one step of a node if the round is in that state."""
    with open_node(folder, clock=SystemClock()) as node, connect(node.identity) as client:
        if client.get_round(round_id)[0].state is wanted:
            take_step(node, client, round_id, report=lambda *_: None)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("bad-input")
    with live_coordinator(folder) as live:
        for party in ("lead-district", "other-district"):
            live.enrolled(party)
            (live.parties / party / "identity").mkdir()
            for path in (live.parties / party).glob("*.*"):
                path.rename(live.parties / party / "identity" / path.name)
            (live.parties / party / "node.toml").write_text(settings())
            (live.parties / party / "people.csv").write_text(GOOD)
        live.agree_in("agreed", live.parties / "lead-district", live.parties / "other-district")
        add_project(live.installation.context, OPERATOR, text=project())
        made = World(live=live, lead=live.parties / "lead-district", other=live.parties / "other-district")
        yield made


@pytest.fixture(autouse=True)
def in_order(world: World) -> None:
    """Begin each test with a good file."""
    world.file.write_text(GOOD)


def settings() -> str:
    terms = project_from_toml(project()).digest().hex()
    return (
        f'[policy]\nsign_automatically = ["{terms}"]\n'
        '[datasets.people]\nfile = "people.csv"\nid_column = "Nr"\n[datasets.people.columns]\n'
        'first_name = "Vorname"\nlast_name = "Nachname"\ndob = "Geburtstag"\n'
    )


def project(identifier: str = PROJECT, fields: str = '"first_name", "last_name", "dob"') -> str:
    providers = "".join(
        f'[[providers]]\nparty = "{party}"\ndataset = "people"\nfields = [{fields}]\n'
        for party in ("lead-district", "other-district")
    )
    head = 'format = "isthmus/project/5"\nagreement = "agreed"\n'
    head += f'id = "{identifier}"\ntitle = "Bad input"\npurpose = "Testing"\n'
    terms = 'lead = "lead-district"\nreveal = "linked"\nprofile = "interop-1"\nrequire_verified = false\n'
    return f"{head}{terms}{providers}"


BAD_FILES = {
    "missing column": (GOOD.replace("Geburtstag", "Geboren"), "column-missing"),
    "wrong delimiter declared by a header of one column": ("Nr;Vorname;Nachname\n", "column-missing"),
    "ragged row": (GOOD + "3,Quorimble\n", "ragged-rows"),
    "duplicate id": (GOOD + "2,Quorimble,Zylaxton,2001-02-03\n", "duplicate-ids"),
    "blank id": (GOOD + " ,Quorimble,Zylaxton,2001-02-03\n", "blank-ids"),
    "empty file": ("", "source-empty"),
    "header alone": ("Nr,Vorname,Nachname,Geburtstag\n", "source-empty"),
}


@pytest.mark.parametrize(("text", "code"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_a_typed_error_and_nothing_leaves(world: World, text: str, code: str) -> None:
    world.file.write_text(text)
    round_id = world.agreed_round()
    result = world.run_other(round_id)
    assert f"[{code}]" in result.output
    assert result.exit_code == 4
    assert not [secret for secret in SECRETS if secret in result.output.lower()]
    assert world.nothing_is_stored(round_id)
    assert not list((world.other / "outbox").glob("*")) if (world.other / "outbox").exists() else True


READABLE = {
    "byte order mark": GOOD.encode("utf-8-sig"),
    "UTF-16": GOOD.encode("utf-16"),
    "semicolons": GOOD.replace(",", ";").encode(),
    "impossible date": GOOD.replace("2001-02-03", "2968-98-07").encode(),
    "wrongly decoded bytes": GOOD.encode().replace(b"Zylaxton", b"Zyl\xff\xe9axton"),
}


@pytest.mark.parametrize("data", READABLE.values(), ids=READABLE.keys())
def test_an_unusual_file_is_read_and_what_was_found_is_told(world: World, data: bytes) -> None:
    world.file.write_bytes(data)
    round_id = world.agreed_round()
    step_until(world.lead, round_id, RoundState.PREFLIGHT)
    step_until(world.other, round_id, RoundState.PREFLIGHT)
    step_until(world.other, round_id, RoundState.COLLECTING)
    with open_node(world.other, clock=SystemClock()) as node:
        report = node.what_leaves(round_id)
    assert report is not None
    assert report["rows"] == 2
    assert any("encoding" in finding for finding in report["source"])
    damaged = report["quality"]["dob"]["damaged"]
    assert damaged == (1 if b"2968" in data else 0)
    discard(world, round_id)


def test_a_wrong_key_is_named_before_any_record_leaves(world: World) -> None:
    round_id = world.agreed_round()
    step_until(world.lead, round_id, RoundState.PREFLIGHT)
    keys = KeyFolder(folder=world.other / "keys", files=PLAIN)
    keys.save_master(round_id, Secret(b"x" * 32))
    result = CliRunner().invoke(main, ["run", "--dir", str(world.other), "--round", round_id])
    assert result.exit_code == 5
    assert "[wrong-linkage-key]" in result.output
    assert "other-district" in result.output
    assert world.nothing_is_stored(round_id)


def test_a_lost_key_is_named_and_nothing_is_encoded(world: World) -> None:
    round_id = world.agreed_round()
    for path in (world.other / "keys").glob(f"{round_id}.*"):
        path.unlink()
    result = CliRunner().invoke(main, ["run", "--dir", str(world.other), "--round", round_id])
    assert result.exit_code == 6
    assert "[key-missing]" in result.output
    assert world.nothing_is_stored(round_id)


def test_a_round_of_a_project_that_the_settings_do_not_cover_waits_for_a_person_or_is_refused(world: World) -> None:
    add_project(world.live.installation.context, OPERATOR, text=project("unknown-project"))
    add_project(world.live.installation.context, OPERATOR, text=project("greedy-project", '"first_name", "ssn"'))
    outputs = {}
    for name in ("unknown-project", "greedy-project"):
        view = propose_round(
            world.live.installation.context,
            OPERATOR,
            project_id=ProjectId(name),
            coordinator_key=world.live.operator().coordinator_key,
        )
        unseen = CliRunner().invoke(main, ["round", "sign", view.round_id, "--dir", str(world.other)])
        assert "[needs-consent]" in unseen.output, "nobody signs what was not shown"
        CliRunner().invoke(main, ["round", "show", view.round_id, "--dir", str(world.other)])
        outputs[name] = CliRunner().invoke(main, ["round", "sign", view.round_id, "--dir", str(world.other)])
    assert outputs["unknown-project"].exit_code == 0, "a person may agree to it"
    assert outputs["greedy-project"].exit_code == 5
    assert "does not map: ssn" in outputs["greedy-project"].output


def test_the_reference_encoder_sends_the_same_encodings(world: World) -> None:
    round_id = world.agreed_round()
    (world.other / "node.toml").write_text('encoder = "clkhash"\n' + settings())
    step_until(world.lead, round_id, RoundState.PREFLIGHT)
    step_until(world.other, round_id, RoundState.PREFLIGHT)
    for folder in (world.other, world.lead):
        step_until(folder, round_id, RoundState.COLLECTING)
    (world.other / "node.toml").write_text(settings())
    context = world.live.installation.context
    with context.store.read() as tx:
        chunks = [tx.submissions.chunks(round_id, PartyId(party))[0] for party in ("lead-district", "other-district")]
    rows = [context.blobs.get(chunk.digest) for chunk in chunks]
    encodings = [sorted(data[start + 16 : start + 144] for start in range(0, len(data), 144)) for data in rows]
    assert encodings[0] == encodings[1]
    discard(world, round_id)


def discard(world: World, round_id: RoundId) -> None:
    """Remove the round's blobs, so that the next test begins with none."""
    for blob in (world.live.installation.data / "blobs").iterdir():
        blob.unlink()


def test_changed_terms_under_the_same_name_are_not_signed_automatically(world: World) -> None:
    changed = project("renamed-project").replace("Testing", "Selling")
    add_project(world.live.installation.context, OPERATOR, text=changed)
    view = propose_round(
        world.live.installation.context,
        OPERATOR,
        project_id=ProjectId("renamed-project"),
        coordinator_key=world.live.operator().coordinator_key,
    )
    with open_node(world.other, clock=SystemClock()) as node, connect(node.identity) as client:
        with pytest.raises(NeedsConsent):
            take_step(node, client, view.round_id, report=lambda *_: None)
        assert node.vault.signed_manifest(view.round_id) is None
