"""Keeping a log against a real coordinator without its servers: how much is asked, what is said, what is refused."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from harness import (
    OPERATOR,
    START,
    Coordinator,
    Enrolled,
    empty_database,
    new_coordinator,
    public_bytes,
)
from project_files import PROJECT, project_text

from isthmus.contract.audit_log import EMPTY, Head
from isthmus.contract.checkpoint import ACKNOWLEDGE
from isthmus.contract.clock import FixedClock
from isthmus.contract.errors import MalformedMessage, NotAMember
from isthmus.contract.ids import PartyId, ProjectId
from isthmus.coordinator.actions import rounds
from isthmus.coordinator.rpc.provider import ProviderCalls
from isthmus.node.client import Client
from isthmus.node.config import NodeConfig
from isthmus.node.errors import LogRewritten
from isthmus.node.kept_log import KeptLog, Side, open_kept_log
from isthmus.node.keys.folder import KeyFolder
from isthmus.node.log_keeping import ACKNOWLEDGE_EVERY, keep_log
from isthmus.node.log_verify import Holds, LogFinding, verify_project
from isthmus.node.node import Node
from isthmus.node.vault import open_vault
from isthmus.party.identity import PLAIN, Identity
from isthmus.v1 import provider_pb2 as pb


@dataclass(slots=True, kw_only=True)
class Line:
    """The calls of one provider to a coordinator in this process; `changes` are made to the answers on their way."""

    hub: Coordinator
    caller: Enrolled
    changes: Callable[[list[pb.FetchLogResponse]], list[pb.FetchLogResponse]] = lambda answers: answers
    asked: list[str] = field(default_factory=list)

    def FetchLog(self, request: pb.FetchLogRequest, **_options: object) -> list[pb.FetchLogResponse]:  # noqa: N802 - as generated
        self.asked.append("FetchLog")
        return self.changes(list(self._call("FetchLog")(self.caller.actor, request)))

    def AcknowledgeCheckpoint(self, request: object, **_options: object) -> object:  # noqa: N802 - as above
        self.asked.append("AcknowledgeCheckpoint")
        return self._call("AcknowledgeCheckpoint")(self.caller.actor, request)

    def _call(self, name: str) -> Callable[[Any, Any], Any]:
        return ProviderCalls(self.hub.context, self.hub.signing_key).table()[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A node, what it keeps, and its line to the coordinator."""

    node: Node
    log: KeptLog
    line: Line

    def keep(self, project: ProjectId = PROJECT, **how: Any) -> None:
        keep_log(self.node, Client(cast("Any", self.line), "hub"), self.log, project, **how)

    def verify(self) -> dict[str, LogFinding]:
        return {one.what: one for one in verify_project(self.node, self.log, PROJECT, views=None)}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_database(tmp_path_factory.mktemp("database") / "empty.sqlite")


@pytest.fixture
def hub(tmp_path: Path, database: Path) -> Iterator[Coordinator]:
    folder = tmp_path / "hub"
    folder.mkdir()
    made = new_coordinator(folder, database=database)
    yield made
    made.close()


@pytest.fixture
def sides(hub: Coordinator, tmp_path: Path) -> Iterator[list[Party]]:
    providers = hub.parties("riverside", "college")
    text = project_text(providers=["riverside", "college"], agreement=hub.agree_once(providers))
    rounds.add_project(hub.context, OPERATOR, text=text)
    folders = [tmp_path / provider.id for provider in providers]
    for folder in folders:
        folder.mkdir()
    with (
        closing(open_vault(folders[0] / "vault.sqlite")) as first,
        closing(open_vault(folders[1] / "vault.sqlite")) as second,
        open_kept_log(folders[0]) as first_log,
        open_kept_log(folders[1]) as second_log,
    ):
        yield [
            Party(node=_node(hub, provider, folder, vault), log=log, line=Line(hub=hub, caller=provider))
            for provider, folder, vault, log in zip(
                providers, folders, (first, second), (first_log, second_log), strict=True
            )
        ]


def _node(hub: Coordinator, provider: Enrolled, folder: Path, vault: Any) -> Node:
    identity = Identity(
        party=provider.id,
        service_address="hub.example.org:7443",
        coordinator_key=public_bytes(hub.signing_key),
        signing_key=provider.signing_key,
        tls_key=b"",
        certificate=b"",
        root=b"",
    )
    return Node(
        folder=folder,
        config=NodeConfig(),
        identity=identity,
        vault=vault,
        keys=KeyFolder(folder=folder / "keys", files=PLAIN),
        random_bytes=bytes,
        clock=FixedClock(START),
    )


def _propose(hub: Coordinator) -> None:
    rounds.propose_round(hub.context, OPERATOR, project_id=PROJECT, coordinator_key=public_bytes(hub.signing_key))


def _end(hub: Coordinator) -> Head:
    with hub.context.store.read() as tx:
        return tx.log.head(PROJECT)


def test_all_that_happened_is_kept_and_acknowledged(hub: Coordinator, sides: list[Party]) -> None:
    _propose(hub)
    shown = _end(hub)

    sides[0].keep()

    assert sides[0].log.head(PROJECT) == shown
    assert (hub.events()[-1]["actor"], hub.events()[-1]["action"]) == ("riverside", ACKNOWLEDGE)
    assert sides[0].line.asked == ["FetchLog", "AcknowledgeCheckpoint"]


def test_one_call_brings_nothing_where_nothing_is_new(hub: Coordinator, sides: list[Party]) -> None:
    sizes: list[int] = []

    def counted(answers: list[pb.FetchLogResponse]) -> list[pb.FetchLogResponse]:
        sizes.append(len(answers))
        return answers

    for _ in range(2):
        sides[0].keep()
    sides[0].line.asked.clear()
    sides[0].line.changes = counted

    sides[0].keep()

    assert (sides[0].line.asked, sizes) == (["FetchLog"], [0])


def test_nodes_that_look_in_turn_come_to_rest(hub: Coordinator, sides: list[Party]) -> None:
    for _ in range(4):
        for side in sides:
            side.keep()

    assert [event["actor"] for event in hub.events() if event["action"] == ACKNOWLEDGE] == ["riverside", "college"]


def test_node_that_runs_acknowledges_once_a_minute_at_most(hub: Coordinator, sides: list[Party]) -> None:
    clock = cast("FixedClock", sides[0].node.clock)
    for seconds in (0, 30, 59, 61):
        clock.set(START + timedelta(seconds=seconds))
        _propose(hub)
        sides[0].keep(every=ACKNOWLEDGE_EVERY)

    assert sides[0].line.asked.count("AcknowledgeCheckpoint") == 2
    assert sides[0].line.asked.count("FetchLog") == 4


def test_new_folder_knows_from_the_log_what_was_acknowledged(
    hub: Coordinator, sides: list[Party], tmp_path: Path
) -> None:
    sides[0].keep()
    before = len(hub.events())
    with open_kept_log(tmp_path) as empty:
        anew = Party(node=sides[0].node, log=empty, line=Line(hub=hub, caller=sides[0].line.caller))
        for _ in range(2):
            anew.keep()

    assert "AcknowledgeCheckpoint" not in anew.line.asked
    assert len(hub.events()) == before


def _cut_off(answers: list[pb.FetchLogResponse]) -> list[pb.FetchLogResponse]:
    return answers[:-1]


def test_answer_that_is_cut_off_is_no_sign_of_tampering_and_keeps_nothing(hub: Coordinator, sides: list[Party]) -> None:
    sides[0].line.changes = _cut_off
    with pytest.raises(MalformedMessage):
        sides[0].keep()
    assert sides[0].log.head(PROJECT) == EMPTY

    sides[0].line.changes = lambda answers: answers
    sides[0].keep()
    assert sides[0].log.head(PROJECT).sequence == 1


def _other_signature(answers: list[pb.FetchLogResponse]) -> list[pb.FetchLogResponse]:
    answers[-1].signature = bytes(64)
    return answers


def _one_event_less(answers: list[pb.FetchLogResponse]) -> list[pb.FetchLogResponse]:
    del answers[0].events[-1]
    return answers


@pytest.mark.parametrize(
    ("change", "said"),
    [(_other_signature, "does not verify"), (_one_event_less, "the coordinator signed another end")],
    ids=["unsigned", "one event less"],
)
def test_log_that_is_not_the_signed_one_is_refused(
    hub: Coordinator,
    sides: list[Party],
    change: Callable[[list[pb.FetchLogResponse]], list[pb.FetchLogResponse]],
    said: str,
) -> None:
    sides[0].line.changes = change

    with pytest.raises(LogRewritten, match=said):
        sides[0].keep()
    assert sides[0].log.head(PROJECT) == EMPTY


def test_refused_history_stays_refused_without_another_call_until_a_person_accepts_it(
    hub: Coordinator, sides: list[Party]
) -> None:
    side = sides[0]
    side.line.changes = _other_signature
    with pytest.raises(LogRewritten):
        side.keep()
    side.line.changes, asked = lambda answers: answers, len(side.line.asked)
    with pytest.raises(LogRewritten):
        side.keep()
    assert len(side.line.asked) == asked

    refusal = side.log.standing_refusal(PROJECT)
    assert refusal is not None
    side.log.accept(refusal, at="2026-01-15T13:00:00Z", reason="a bad line")

    side.keep()
    assert side.log.head(PROJECT).sequence == 1
    assert [one.reason for one in side.log.refusals(PROJECT)] == ["a bad line"]
    assert len(side.log.history(refusal, Side.SHOWN)[0]) == 1


def test_project_that_the_coordinator_no_longer_knows_is_a_rewritten_log(
    hub: Coordinator, sides: list[Party], monkeypatch: pytest.MonkeyPatch
) -> None:
    sides[0].keep()

    def gone(*_args: object, **_options: object) -> None:
        raise NotAMember(kind="project", id=PROJECT)

    monkeypatch.setattr(Line, "FetchLog", gone)

    with pytest.raises(LogRewritten, match="no such project"):
        sides[0].keep()


def test_project_that_was_never_seen_is_not_taken_for_a_rewritten_one(sides: list[Party]) -> None:
    with pytest.raises(NotAMember):
        sides[0].keep(ProjectId("not-ours"))
    assert sides[0].log.refusals(ProjectId("not-ours")) == []


def _signed_round(hub: Coordinator, sides: list[Party]) -> None:
    """Let both nodes hold signed terms of a round, by which they know each other's keys."""
    _propose(hub)
    with hub.context.store.read() as tx:
        row = tx.rounds.all()[0]
    for side in sides:
        side.node.vault.save_signed(row.id, row.manifest)


def test_verify_says_what_each_provider_was_shown(hub: Coordinator, sides: list[Party]) -> None:
    _signed_round(hub, sides)
    sides[0].keep()
    before = sides[0].verify()
    sides[1].keep()
    sides[0].keep()

    after = sides[0].verify()

    assert {one.holds for one in after.values()} == {Holds.WELL}
    assert before["shown to college"].holds is Holds.OPEN
    assert "it signed that it was shown this same history up to event" in after["shown to college"].says
    assert public_bytes(hub.signing_key).hex() in after["signed end"].says


def test_statement_that_the_coordinator_made_up_proves_nothing(hub: Coordinator, sides: list[Party]) -> None:
    _signed_round(hub, sides)
    end = _end(hub)
    event = hub.context.event(
        scope=PROJECT,
        actor=PartyId("college"),
        action=ACKNOWLEDGE,
        object=f"{end.sequence}:{end.hash.hex()}",
        outcome="00" * 64,
    )
    with hub.context.store.begin() as tx:
        tx.record(event)

    sides[0].keep()

    said = sides[0].verify()["shown to college"]
    assert said.holds is Holds.OPEN
    assert "under no key of it that is known here" in said.says


def test_terms_that_the_log_does_not_have_are_bad(hub: Coordinator, sides: list[Party]) -> None:
    sides[0].keep()
    _signed_round(hub, sides)

    found = [one for one in verify_project(sides[0].node, sides[0].log, PROJECT, views=None) if one.holds is Holds.BAD]

    assert [one.says for one in found] == ["this node signed terms of it that the log does not have"]


def test_changed_file_is_found(hub: Coordinator, sides: list[Party]) -> None:
    _propose(hub)
    sides[0].keep()
    changed = "UPDATE events SET document = CAST(replace(document, 'operator', 'somebody') AS BLOB) WHERE sequence = 2"
    sides[0].log._connection.execute(changed)

    assert [one.what for one in sides[0].verify().values() if one.holds is Holds.BAD] == ["events"]
