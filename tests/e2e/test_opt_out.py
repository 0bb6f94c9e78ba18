"""Somebody opts out, before or after the rows were sent, over real gRPC: that person links to nobody, the others do."""

import csv
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from click.testing import CliRunner
from harness import small_engine
from live import Live, live_coordinator
from project_files import project_text

from isthmus.contract.canonical import sha256
from isthmus.contract.clock import SystemClock
from isthmus.contract.encodings import submission_from_bytes
from isthmus.contract.errors import Unreachable
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.parties import PartyKind, Role
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions.enrolment import add_party
from isthmus.coordinator.actions.matching import claim_round, match_round
from isthmus.coordinator.actions.rounds import add_project, cancel_round, propose_round
from isthmus.coordinator.domain.roles import Actor
from isthmus.node.cli_opt_out import opt_out
from isthmus.node.client import Client, connect
from isthmus.node.daemon import Watch, _step
from isthmus.node.errors import ConsentChanging, RefusedByPolicy, RoundEnded, SettingsChanged
from isthmus.node.kept_log import open_kept_log
from isthmus.node.node import Node, open_node, with_present_settings
from isthmus.node.policy import read_manifest
from isthmus.node.progress import StageProgress
from isthmus.node.signing import sign_manifest
from isthmus.node.strike_out import strike_out_all
from isthmus.node.take_part import _prepare, take_step
from isthmus.node.vault import Mark
from isthmus.party.commands import Commands
from isthmus.party.enrol import Keys, enrol

pytestmark = pytest.mark.slow

OPERATOR = Actor(party=PartyId("operator"), role=Role.OPERATOR)
NAMES = ("Aurelio", "Brunhilde", "Casimir", "Desideria", "Engelbert", "Filomena")
EVERYBODY = {f"000{number}" for number in range(6)}
SETTINGS = """
[datasets.people]
file = "people.csv"
id_column = "Nr"
columns = { first_name = "First", last_name = "Last", dob = "Born" }
[[datasets.people.consent]]
column = "OptOut"
exclude_if = ["Y"]
"""


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Report nothing."""


def _write_people(folder: Path, *, opted_out: str = "") -> None:
    rows = [
        f"000{number},{name},Fictional{name},1990-02-1{number},{'Y' if opted_out == f'000{number}' else ''}"
        for number, name in enumerate(NAMES)
    ]
    (folder / "people.csv").write_text("\n".join(["Nr,First,Last,Born,OptOut", *rows]) + "\n")


def _opt_out(folder: Path, *words: str) -> str:
    main = Commands("isthmus-node", commands={"opt-out": opt_out})
    done = CliRunner().invoke(main, ["opt-out", words[0], "--dir", str(folder), *words[1:]])
    assert done.exit_code == 0, done.output
    return done.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A round of two nodes with the same six people each; the first node's folder is where people opt out."""

    live: Live
    folder: Path
    nodes: tuple[Node, Node]
    clients: tuple[Client, Client]
    round_id: RoundId

    def step(self, *places: int) -> None:
        """Have the nodes at these places take a step."""
        for place in places:
            take_step(self.nodes[place], self.clients[place], self.round_id, report=_silent)

    def match(self) -> None:
        """Match the sealed round."""
        context = self.live.installation.context
        assert claim_round(context) == self.round_id
        match_round(context, self.round_id, engine=small_engine(), should_stop=lambda: False)

    def ids(self, place: int) -> dict[str, str]:
        """Give the record ids and pseudonyms of the node's ID file."""
        step = take_step(self.nodes[place], self.clients[place], self.round_id, report=_silent)
        assert step.id_file is not None
        with step.id_file.open(newline="") as file:
            return {row["rec_id"]: row["pseudonym"] for row in csv.DictReader(file)}

    def outcomes(self) -> list[str]:
        """Give what the log says of rows that were struck out."""
        with self.live.installation.context.store.read() as tx:
            events = [msgspec.json.decode(one) for one in tx.events(self.round_id.rpartition("-")[0])]
        return [event["outcome"] for event in events if event["action"] == "submission.tombstone"]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_coordinator(tmp_path_factory.mktemp("live")) as running:
        yield running


@contextmanager
def _scene(
    live: Live, tmp_path: Path, *, reveal: str, profile: str, name: str, wanted: RoundState = RoundState.COLLECTING
) -> Iterator[Scene]:
    """Set up two parties of their own, and a round that collects, or has come as far as is wanted."""
    context, project = live.installation.context, ProjectId(f"project-{name}")
    folders = [tmp_path / f"{name}-{side}" for side in ("left", "right")]
    for folder in folders:
        folder.mkdir()
        (folder / "node.toml").write_text(SETTINGS)
        _write_people(folder)
        add_party(
            context,
            None,
            party=PartyId(folder.name),
            name=folder.name,
            kind=PartyKind.DISTRICT,
            role=Role.PROVIDER,
        )
        enrol(folder / "identity", live.token(folder.name), keys=Keys(with_agreement_key=True))
    names = [folder.name for folder in folders]
    text = project_text(
        providers=names, id=project, agreement=project, reveal=reveal, profile=profile, require_verified=False
    )
    live.agree_in(project, *folders)
    add_project(context, OPERATOR, text=text)
    coordinator_key = live.installation.keys.signing_key.public_key().public_bytes_raw()
    round_id = propose_round(context, OPERATOR, project_id=project, coordinator_key=coordinator_key).round_id
    with ExitStack() as stack:
        left, right = (stack.enter_context(open_node(folder, clock=SystemClock())) for folder in folders)
        clients = stack.enter_context(connect(left.identity)), stack.enter_context(connect(right.identity))
        for node, client in zip((left, right), clients, strict=True):
            data = client.get_round(round_id)[1]
            sign_manifest(node, client, read_manifest(data, round_id), data)
        scene = Scene(live=live, folder=folders[0], nodes=(left, right), clients=clients, round_id=round_id)
        for _ in range(4):  # key part, key proof, the last proof, preflight
            if clients[0].get_round(round_id)[0].state is not wanted:
                scene.step(0, 1)
        yield scene


@pytest.fixture(params=[("linked", "hardened-1"), ("spine", "interop-1")], ids="-".join)
def scene(live: Live, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    name = sha256(request.node.name.encode()).hex()[:8]  # parties and project of its own
    reveal, profile = request.param
    with _scene(live, tmp_path, reveal=reveal, profile=profile, name=f"n{name}") as made:
        yield made


def test_person_who_opted_out_after_upload_does_not_link(scene: Scene) -> None:
    scene.step(0, 1)
    _opt_out(scene.folder, "add", "2")  # as a spreadsheet writes 0002

    said = json.loads(_opt_out(scene.folder, "apply", "--json"))
    again = _opt_out(scene.folder, "apply")
    scene.match()

    assert said == [{"round_id": scene.round_id, "rows": 1, "too_late": False}]
    assert again == "nothing to strike out\n"
    assert set(scene.ids(0)) == EVERYBODY - {"0002"}
    spine = scene.nodes[0].vault.signed_manifest(scene.round_id) or b""
    assert set(scene.ids(1)) == (EVERYBODY if b'"reveal":"spine"' in spine else EVERYBODY - {"0002"})
    assert scene.outcomes() == ["1-9 rows struck out"]


def test_column_that_says_opted_out_after_upload_is_heeded_too(scene: Scene) -> None:
    scene.step(0, 1)
    _write_people(scene.folder, opted_out="0004")

    (struck_out,) = strike_out_all(scene.nodes[0], scene.clients[0])
    scene.match()

    assert (struck_out.rows, struck_out.too_late) == (1, False)
    assert set(scene.ids(0)) == EVERYBODY - {"0004"}


def test_person_who_opted_out_before_is_not_even_sent(scene: Scene) -> None:
    _opt_out(scene.folder, "add", "0001", "--reason", "parent_opt_out")
    _write_people(scene.folder, opted_out="0005")

    scene.step(0, 1)
    scene.match()

    prepared = scene.nodes[0].vault.prepared(scene.round_id)
    assert prepared is not None
    assert submission_from_bytes(prepared.document).rows == 4
    assert set(scene.nodes[0].vault.record_ids(scene.round_id).values()) == EVERYBODY - {"0001", "0005"}
    report = json.loads(prepared.report)
    assert report["stayed"] == ["Nr", "OptOut"]
    assert report["left_out"] == ["1 row on the opt-out list: parent opt out", "1 row opted out by OptOut"]
    assert set(scene.ids(0)) == EVERYBODY - {"0001", "0005"}
    assert scene.outcomes() == []


def test_opt_out_after_release_is_for_the_next_round(scene: Scene) -> None:
    scene.step(0, 1)
    scene.match()
    _opt_out(scene.folder, "add", "0003")

    said = _opt_out(scene.folder, "apply")

    assert "too late for 1 row," in said
    assert "the next round leaves them out" in said
    assert set(scene.ids(0)) == EVERYBODY


def test_all_people_of_a_provider_may_opt_out(scene: Scene) -> None:
    scene.step(0, 1)
    (scene.folder / "list.csv").write_text("record_id\n" + "\n".join(sorted(EVERYBODY)) + "\n")
    _opt_out(scene.folder, "import", str(scene.folder / "list.csv"))

    (struck_out,) = strike_out_all(scene.nodes[0], scene.clients[0])
    scene.match()

    assert struck_out.rows == len(EVERYBODY)
    assert scene.ids(0) == {}


def test_running_node_strikes_out_by_itself_and_asks_once(scene: Scene) -> None:
    scene.step(0, 1)
    _opt_out(scene.folder, "add", "0000")

    with StageProgress() as progress, open_kept_log(scene.nodes[0].folder) as log:
        watch = Watch(node=scene.nodes[0], client=scene.clients[0], progress=progress, log=log, once=True)
        for _ in range(3):
            view = scene.clients[0].get_round(scene.round_id)[0]
            assert view.state is RoundState.SEALED
            _step(watch, view)

    assert scene.outcomes() == ["1-9 rows struck out"]
    assert list(watch.applied) == [scene.round_id]
    scene.match()
    assert set(scene.ids(0)) == EVERYBODY - {"0000"}


def test_person_who_opted_out_after_preparing_and_before_sending_is_not_sent(scene: Scene) -> None:
    """As where the node was stopped between the two; the coordinator never heard of the first submission."""
    node = scene.nodes[0]
    manifest = read_manifest(scene.clients[0].get_round(scene.round_id)[1], scene.round_id)
    _prepare(node, manifest, _silent)
    before = node.vault.prepared(scene.round_id)
    _opt_out(scene.folder, "add", "0001", "--reason", "court_order")

    scene.step(0, 1)

    after = node.vault.prepared(scene.round_id)
    assert before is not None
    assert after is not None
    assert (submission_from_bytes(before.document).rows, submission_from_bytes(after.document).rows) == (6, 5)
    assert "0001" not in node.vault.record_ids(scene.round_id).values()
    assert list(node.outbox.iterdir()) == []


def test_person_who_opts_out_while_rows_are_encoded_is_not_sent(scene: Scene) -> None:
    node, told = scene.nodes[0], list[str]()

    def opt_out_meanwhile(stage: str, _done: int, _total: int) -> None:
        if stage == "writing" and not told:
            told.append(stage)
            _opt_out(scene.folder, "add", "0001")
            _write_people(scene.folder, opted_out="0002")

    take_step(node, scene.clients[0], scene.round_id, report=opt_out_meanwhile)

    assert set(node.vault.record_ids(scene.round_id).values()) == EVERYBODY - {"0001", "0002"}
    prepared = node.vault.prepared(scene.round_id)
    assert prepared is not None and prepared.receipt is not None
    assert submission_from_bytes(prepared.document).rows == 4


def test_people_who_go_on_opting_out_while_rows_are_encoded_keep_all_from_being_sent(scene: Scene) -> None:
    node, times = scene.nodes[0], list[str]()

    def opt_out_meanwhile(stage: str, done: int, _total: int) -> None:
        if (stage, done) == ("writing", 0):
            _opt_out(scene.folder, "add", f"000{len(times)}")
            times.append(stage)

    with pytest.raises(ConsentChanging, match="3 times"):
        take_step(node, scene.clients[0], scene.round_id, report=opt_out_meanwhile)

    assert node.vault.prepared(scene.round_id) is None
    assert not node.vault.marked(scene.round_id, Mark.OPENED)


def test_rule_that_comes_into_node_toml_while_rows_are_encoded_is_heeded(scene: Scene) -> None:
    node = scene.nodes[0]
    rule = '[[datasets.people.consent]]\ncolumn = "First"\nexclude_if = ["Aurelio"]\ninclude_if = '

    def edit_meanwhile(stage: str, done: int, _total: int) -> None:
        if (stage, done) == ("writing", 0):
            (scene.folder / "node.toml").write_text(f"{SETTINGS}{rule}{json.dumps(NAMES[1:])}\n")

    with pytest.raises(SettingsChanged):
        take_step(node, scene.clients[0], scene.round_id, report=edit_meanwhile)
    assert not node.vault.marked(scene.round_id, Mark.OPENED)

    take_step(with_present_settings(node), scene.clients[0], scene.round_id, report=_silent)

    assert set(node.vault.record_ids(scene.round_id).values()) == EVERYBODY - {"0000"}


def test_round_that_was_cancelled_leaves_no_encoding_and_no_handle_at_the_node(scene: Scene) -> None:
    node = scene.nodes[0]
    manifest = read_manifest(scene.clients[0].get_round(scene.round_id)[1], scene.round_id)
    _prepare(node, manifest, _silent)
    cancel_round(scene.live.installation.context, OPERATOR, round_id=scene.round_id)

    with pytest.raises(RoundEnded):
        scene.step(0)

    assert list(node.outbox.iterdir()) == []
    assert node.vault.record_ids(scene.round_id) == {}


def test_coordinator_that_skips_the_preflight_gets_nothing(scene: Scene) -> None:
    """It says that it collects; the self-audit's limit and the known answers would never have been held."""
    node = scene.nodes[0]
    with node.vault._transaction() as tx:
        tx.execute("DELETE FROM marks")

    with pytest.raises(RefusedByPolicy, match="before this node has passed its preflight"):
        scene.step(0)

    assert node.vault.prepared(scene.round_id) is None


class _LosesReply:
    """A client whose answer to the preflight arrives, and whose reply does not."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def confirm_preflight(self, *args: Any, **options: Any) -> None:
        self._client.confirm_preflight(*args, **options)
        raise Unreachable(address="the coordinator", problem="the line broke")


def test_node_whose_answer_arrived_and_whose_reply_was_lost_goes_on(live: Live, tmp_path: Path) -> None:
    with _scene(
        live, tmp_path, reveal="linked", profile="interop-1", name="lost", wanted=RoundState.PREFLIGHT
    ) as scene:
        with pytest.raises(Unreachable):
            take_step(scene.nodes[0], cast("Client", _LosesReply(scene.clients[0])), scene.round_id, report=_silent)

        scene.step(0, 1)
        scene.step(0, 1)

        assert scene.clients[0].get_round(scene.round_id)[0].state is RoundState.SEALED
