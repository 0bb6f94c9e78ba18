"""The commands around keys, at real nodes of a real coordinator: fingerprints, another agreement key, sealing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from live import Live, live_coordinator

from isthmus.contract.clock import SystemClock
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.manifest import manifest_from_bytes
from isthmus.contract.parties import PartyKind, Role
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.enrolment import add_party
from isthmus.coordinator.actions.rounds import add_project, propose_round
from isthmus.coordinator.domain.roles import Actor
from isthmus.node.cli import main
from isthmus.node.client import connect
from isthmus.node.node import only_one_run, open_node
from isthmus.node.policy import read_manifest
from isthmus.node.qr import qr_lines
from isthmus.node.signing import sign_manifest
from isthmus.node.take_part import take_step
from isthmus.party.token import token_text

OPERATOR = Actor(party=PartyId("operator"), role=Role.OPERATOR)
NAMES = ("riverside", "college")
SETTINGS = (
    '[datasets.people]\nfile = "people.csv"\nid_column = "Nr"\n[datasets.people.columns]\n'
    'first_name = "Vorname"\nlast_name = "Nachname"\ndob = "Geburtstag"\n'
)
PROJECT = (
    'format = "isthmus/project/5"\nagreement = "agreed"\n'
    'id = "keys"\ntitle = "Keys"\npurpose = "Testing"\nlead = "riverside"\n'
    'reveal = "linked"\n'
) + "".join(
    f'[[providers]]\nparty = "{party}"\ndataset = "people"\nfields = ["first_name", "last_name", "dob"]\n'
    for party in NAMES
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A coordinator and the nodes of two providers who enrolled by the command line."""

    live: Live

    def folder(self, party: str) -> Path:
        """A node's folder."""
        return self.live.parties / party

    def enrol(self, party: str, *options: str) -> Result:
        """Enrol a node with a fresh token."""
        token = token_text(self.live.token(party))
        return CliRunner().invoke(main, ["enrol", "-", "--dir", str(self.folder(party)), *options], input=token)

    def run(self, party: str, *arguments: str, given: str | None = None) -> Result:
        """Run a command at a node."""
        return CliRunner().invoke(main, [*arguments, "--dir", str(self.folder(party))], input=given)

    def digits(self, party: str) -> str:
        """Ask a node for its own fingerprint."""
        return str(json.loads(self.run(party, "fingerprint", "--json").stdout)["digits"])

    def propose(self) -> RoundId:
        """Propose a round."""
        key = self.live.operator().coordinator_key
        context = self.live.installation.context
        return propose_round(context, OPERATOR, project_id=ProjectId("keys"), coordinator_key=key).round_id


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with live_coordinator(tmp_path) as live:
        made = World(live=live)
        context = live.installation.context
        for party in NAMES:
            add_party(
                context, None, party=PartyId(party), name=party.title(), kind=PartyKind.DISTRICT, role=Role.PROVIDER
            )
            made.folder(party).mkdir(parents=True)
            (made.folder(party) / "node.toml").write_text(SETTINGS)
            (made.folder(party) / "people.csv").write_text("Nr,Vorname,Nachname,Geburtstag\n1,Q,Z,2001-02-03\n")
            assert made.enrol(party).exit_code == 0
        live.agree_in("agreed", *(made.folder(party) for party in NAMES))
        add_project(context, OPERATOR, text=PROJECT)
        yield made


def test_fingerprint_that_a_node_shows_of_itself_is_what_others_are_shown_and_can_be_verified(world: World) -> None:
    round_id, digits = world.propose(), world.digits("college")
    assert len(digits.split()) == 12 and all(len(group) == 5 for group in digits.split())
    shown = json.loads(world.run("riverside", "fingerprint", "--round", round_id, "--json").stdout)
    assert {one["party"]: one["state"] for one in shown} == {"riverside": "this party", "college": "not verified"}
    assert {one["party"]: one["digits"] for one in shown}["college"] == digits

    short = world.run("riverside", "fingerprint", "verify", "college", "--round", round_id, "--digits", digits[:-1])
    other = f"{digits[:-1]}{(int(digits[-1]) + 1) % 10}"
    wrong = world.run("riverside", "fingerprint", "verify", "college", "--round", round_id, "--digits", other)
    typed = world.run("riverside", "fingerprint", "verify", "college", "--round", round_id, given=f"{digits}\n")
    stranger = world.run("riverside", "fingerprint", "verify", "nobody", "--round", round_id, "--digits", digits)

    assert (wrong.exit_code, typed.exit_code, stranger.exit_code) == (4, 0, 4)
    assert "has no provider nobody; the others in it: college" in stranger.output
    assert "[fingerprint-differs]" in wrong.output
    assert "these are 59 digits" in short.output
    assert short.exit_code == 2
    assert "college: verified" in world.run("riverside", "fingerprint", "--round", round_id).stdout
    assert world.run("riverside", "round", "show", round_id).stdout.count("not verified here") == 0
    assert "not verified here: riverside" in world.run("college", "round", "show", round_id).stdout


def test_another_agreement_key_is_another_fingerprint_and_epoch_and_needs_verifying_anew(world: World) -> None:
    before, digits = world.propose(), world.digits("college")
    verify = ("fingerprint", "verify", "college", "--round")
    assert world.run("riverside", *verify, before, "--digits", digits).exit_code == 0
    assert world.enrol("college").exit_code == 0
    assert world.digits("college") == digits, "enrolling again keeps the keys"

    assert world.enrol("college", "--new-agreement-key").exit_code == 0

    after, new = world.propose(), world.digits("college")
    assert new != digits
    assert epoch(world, after) == epoch(world, before) + 1 == 2
    assert "college: OTHER KEYS THAN VERIFIED" in world.run("riverside", "fingerprint", "--round", after).stdout
    assert "[verified-other-keys]" in world.run("riverside", *verify, after, "--digits", new).output
    assert world.run("riverside", *verify, after, "--digits", new, "--replace").exit_code == 0


def epoch(world: World, round_id: RoundId) -> int:
    with world.live.installation.context.store.read() as tx:
        return manifest_from_bytes(tx.rounds.get(round_id).manifest).epoch


def test_sealed_node_agrees_on_a_key_and_opens_with_its_credential_alone(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    college = world.folder("college")
    nothing = world.run("college", "seal")
    assert nothing.exit_code == 3 and 'keys.sealed_by is "none"' in nothing.output
    (college / "node.toml").write_text(SETTINGS + '[keys]\nsealed_by = "credential"\n')
    assert "CREDENTIALS_DIRECTORY is not set" in world.run("college", "seal").output
    (tmp_path / "isthmus-node-key").write_bytes(bytes(range(32)))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert "isthmus-node seal" in world.run("college", "doctor").output, "plain files are not taken for sealed ones"

    left_behind = [college / "identity" / "tls.key.new", college / "keys" / "relayed-1.part.new"]
    (college / "keys").mkdir(exist_ok=True)
    for path in (*left_behind, college / "keys" / "notes.new"):
        path.write_bytes(b"half a key")
    first = world.run("college", "seal").output
    assert "sealed 3 private key files" in first
    assert "removed 2 unfinished file(s)" in first
    assert not any(path.exists() for path in left_behind)
    assert (college / "keys" / "notes.new").exists(), "only what the node made is removed"
    (college / "keys" / "notes.new").unlink()
    with only_one_run(college):
        assert "[already-running]" in world.run("college", "seal").output
    assert "nothing to do" in world.run("college", "seal").output

    assert "sealed by a credential; they open" in world.run("college", "doctor").output
    (college / "identity" / "tls.key").chmod(0o640)
    assert f"chmod 600 {college / 'identity' / 'tls.key'}" in world.run("college", "doctor").output
    (college / "identity" / "tls.key").chmod(0o600)
    round_id = agree(world)
    assert all(path.read_bytes().startswith(b'{"format":"isthmus/sealed/1"') for path in secret_files(college))
    assert [path.suffix for path in secret_files(college) if round_id in path.name] == [".key"]
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    assert world.run("college", "round", "list").exit_code == 3


def agree(world: World) -> RoundId:
    """Let both nodes verify each other, sign, agree on a key, and pass the preflight."""
    round_id = world.propose()
    for party, other in (NAMES, NAMES[::-1]):
        options = ("--round", round_id, "--digits", world.digits(other))
        assert world.run(party, "fingerprint", "verify", other, *options).exit_code == 0
    for step in range(5):
        for party in NAMES:
            with open_node(world.folder(party), clock=SystemClock()) as node, connect(node.identity) as client:
                view, data, _ = client.get_round(round_id)
                if step == 0:
                    sign_manifest(node, client, read_manifest(data, round_id), data)
                elif view.state in {RoundState.LOCKED, RoundState.PREFLIGHT}:
                    take_step(node, client, round_id, report=lambda *_: None)
    with world.live.installation.context.store.read() as tx:
        assert tx.rounds.get(round_id).state is RoundState.COLLECTING
    return round_id


def secret_files(folder: Path) -> list[Path]:
    return [*folder.glob("identity/*.key"), *folder.glob("keys/*")]


def test_qr_code_has_a_quiet_zone_and_finder_patterns_and_another_text_is_another_code() -> None:
    lines = qr_lines("isthmus-fingerprint-1:riverside:" + "12345" * 12)

    assert len({len(line) for line in lines}) == 1
    assert set(lines[0]) == set(lines[1]) == {"█"}
    assert lines[2][4:11] == " ▄▄▄▄▄ ", "the upper edge of the first finder pattern"
    assert qr_lines("isthmus-fingerprint-1:riverside:" + "12346" * 12) != lines
