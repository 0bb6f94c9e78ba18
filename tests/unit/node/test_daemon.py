"""The node's loop under faults of its machine: it says so, waits longer each time, goes on; or ends where it must."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, cast

import pytest
from click.testing import CliRunner
from unit.node.parts import ROUND, identity, manifest, project

from isthmus.contract.clock import FixedClock
from isthmus.contract.comparison_terms import ComparisonTerms
from isthmus.contract.ids import RoundId
from isthmus.contract.manifest import RoundManifest
from isthmus.node.cli import main
from isthmus.node.client import Client
from isthmus.node.config import NodeConfig
from isthmus.node.daemon import Watch, keep_watch, look
from isthmus.node.errors import LocalFault, LogRewritten, SettingsChanged, StoreDamaged, Unforeseen
from isthmus.node.faults import typed_fault
from isthmus.node.kept_log import SignedEnd, open_kept_log
from isthmus.node.keys.folder import KeyFolder
from isthmus.node.node import Node
from isthmus.node.progress import StageProgress
from isthmus.node.vault import open_vault
from isthmus.party.errors import SettingsInvalid
from isthmus.party.identity import PLAIN
from isthmus.v1 import common_pb2
from isthmus.v1 import provider_pb2 as pb

MANIFEST = manifest()
OTHER = RoundId("k12-to-work-2")
PERSON = "Quorimble Zanthor, born 2001-02-03"


class Stop(BaseException):
    """Ends the loop from outside, as Ctrl-C does."""


@dataclass(slots=True, kw_only=True)
class Hub:
    """The other end: rounds and their states, and faults that come up while a round is asked for."""

    states: dict[RoundId, int]
    faults: dict[RoundId, Exception] = field(default_factory=dict)
    terms: RoundManifest = MANIFEST
    asked: list[str] = field(default_factory=list)
    project: str = MANIFEST.project.id

    def ListRounds(self, _request: object, **_options: object) -> pb.ListRoundsResponse:  # noqa: N802 - as generated
        return pb.ListRoundsResponse(rounds=[self._summary(one) for one in self.states])

    def FetchLog(self, _request: object, **_options: object) -> list[pb.FetchLogResponse]:  # noqa: N802 - as above
        return []

    def GetRound(self, request: pb.GetRoundRequest, **_options: object) -> pb.GetRoundResponse:  # noqa: N802 - as above
        self.asked.append(request.round_id)
        if request.round_id in self.faults:
            raise self.faults[RoundId(request.round_id)]
        return pb.GetRoundResponse(round=self._summary(RoundId(request.round_id)), manifest=self.terms.to_bytes())

    def _summary(self, round_id: RoundId) -> common_pb2.RoundSummary:
        summary = common_pb2.RoundSummary(
            round_id=round_id,
            project_id=self.project,
            state=cast("Any", self.states[round_id]),
            manifest_hash=self.terms.digest(),
        )
        summary.updated_at.FromDatetime(datetime(2026, 9, 1, tzinfo=UTC))
        return summary


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    (tmp_path / "node.toml").write_text("")
    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        yield Node(
            folder=tmp_path,
            config=NodeConfig(),
            identity=identity(),
            vault=vault,
            keys=KeyFolder(folder=tmp_path / "keys", files=PLAIN),
            random_bytes=bytes,
            clock=FixedClock(datetime(2026, 9, 15, 12, tzinfo=UTC)),
        )


class Watching(Protocol):
    """Gives a watch over a made-up coordinator."""

    def __call__(self, hub: Hub, *, once: bool = False) -> Watch: ...


@pytest.fixture
def watch_of(node: Node) -> Iterator[Watching]:
    with open_kept_log(node.folder) as log:

        def make(hub: Hub, *, once: bool = False) -> Watch:
            client = Client(cast("Any", hub), "hub.example.org:7443")
            return Watch(node=node, client=client, progress=StageProgress(), log=log, once=once)

        yield make


def _waits(count: int, at_end: Callable[[], None] = lambda: None) -> tuple[list[float], Callable[[float], None]]:
    """Give waits as they come, and the pause that notes them: at `count` it does something, one later it stops."""
    waits: list[float] = []

    def pause(wait: float) -> None:
        waits.append(wait)
        if len(waits) == count:
            at_end()
        if len(waits) > count:
            raise Stop

    return waits, pause


def _lock(node: Node) -> sqlite3.Connection:
    """Keep the vault locked, as a backup program may, until the connection is closed."""
    node.vault._connection.execute("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(node.folder / "vault.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    return other


def test_locked_vault_is_waited_for_longer_each_time_and_then_work_goes_on(
    node: Node, watch_of: Watching, capfd: pytest.CaptureFixture[str]
) -> None:
    other = _lock(node)
    watch = watch_of(Hub(states={ROUND: common_pb2.ROUND_STATE_CANCELLED}))
    waits, pause = _waits(8, at_end=other.close)

    with pytest.raises(Stop):
        keep_watch(watch, pause=pause)

    assert waits == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0, 300.0, 0.5]
    assert watch.forgotten == {ROUND}
    assert capfd.readouterr().err.count("keeps a database of the node's folder locked") == 1


@pytest.mark.parametrize("comparison", [None, ComparisonTerms()])
def test_released_round_tells_of_its_quality_report_where_fields_were_compared(
    node: Node, watch_of: Watching, capfd: pytest.CaptureFixture[str], comparison: ComparisonTerms | None
) -> None:
    terms = manifest(project(comparison=comparison))
    node.vault.save_signed(ROUND, terms.to_bytes())
    node.ids.mkdir()
    (node.ids / f"{ROUND}.csv").write_text("rec_id,pseudonym\n")

    look(watch_of(Hub(states={ROUND: common_pb2.ROUND_STATE_RELEASED}, terms=terms)))

    said = capfd.readouterr().err
    assert "this party's IDs are in" in said
    assert (f"how good its links are, by estimation: isthmus-node round quality {ROUND}" in said) is bool(comparison)


def test_fault_of_one_round_does_not_keep_another_from_its_turn(node: Node, watch_of: Watching) -> None:
    sealed = common_pb2.ROUND_STATE_SEALED
    hub = Hub(states={OTHER: sealed, ROUND: sealed}, faults={OTHER: OSError(28, "No space left on device")})

    with pytest.raises(LocalFault, match="the disk is full"):
        look(watch_of(hub))

    assert hub.asked == [OTHER, ROUND]


def test_unforeseen_fault_is_said_by_kind_and_place_and_never_by_its_text(
    node: Node, watch_of: Watching, capfd: pytest.CaptureFixture[str]
) -> None:
    hub = Hub(states={ROUND: common_pb2.ROUND_STATE_SEALED}, faults={ROUND: KeyError(PERSON)})
    waits, pause = _waits(2)

    with pytest.raises(Stop):
        keep_watch(watch_of(hub), pause=pause)

    said = capfd.readouterr().err
    assert "KeyError at test_daemon.py:" in said
    assert "[unforeseen]" in said
    assert "Quorimble" not in said
    assert waits == [5.0, 10.0, 20.0]


def test_fault_ends_a_run_that_was_asked_for_one_round(node: Node, watch_of: Watching) -> None:
    with closing(_lock(node)), pytest.raises(LocalFault):
        keep_watch(watch_of(Hub(states={ROUND: common_pb2.ROUND_STATE_CANCELLED}), once=True), pause=_waits(1)[1])


def test_damaged_database_ends_the_loop(node: Node, watch_of: Watching) -> None:
    node.vault._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    vault = node.folder / "vault.sqlite"
    vault.write_bytes(b"\xff" * vault.stat().st_size)
    node.vault._connection.execute("PRAGMA shrink_memory")

    with pytest.raises(StoreDamaged):
        keep_watch(watch_of(Hub(states={ROUND: common_pb2.ROUND_STATE_CANCELLED})), pause=_waits(1)[1])


def test_wrong_settings_are_told_and_nothing_is_done_until_they_are_right(
    node: Node, watch_of: Watching, capfd: pytest.CaptureFixture[str]
) -> None:
    hub = Hub(states={ROUND: common_pb2.ROUND_STATE_SEALED})
    watch = watch_of(hub)
    (node.folder / "node.toml").write_text('encoder = "isthmu')

    assert not look(watch)
    assert hub.asked == []
    assert "until then nothing is done" in capfd.readouterr().err

    (node.folder / "node.toml").write_text('[datasets.students]\nfile = "a.csv"\nid_column = "Nr"\ncolumns = {}\n')
    assert not look(watch)
    assert hub.asked == [ROUND]
    assert list(watch.node.config.datasets) == ["students"]
    assert "it holds from now on" in capfd.readouterr().err


def test_settings_that_take_a_new_start_are_refused(node: Node, watch_of: Watching) -> None:
    (node.folder / "node.toml").write_text('[keys]\nsealed_by = "credential"\n')

    with pytest.raises(SettingsChanged, match="started anew"):
        look(watch_of(Hub(states={}), once=True))


def test_wrong_settings_end_a_run_that_was_asked_for_one_round(node: Node, watch_of: Watching) -> None:
    (node.folder / "node.toml").write_text("nonsense")

    with pytest.raises(SettingsInvalid):
        look(watch_of(Hub(states={}), once=True))


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (MemoryError(PERSON), "not enough memory"),
        (PermissionError(13, PERSON, f"/home/{PERSON}"), "may not use a file or folder"),
        (OSError(PERSON), "could not be used"),
        (sqlite3.OperationalError(PERSON), "OperationalError"),
    ],
)
def test_fault_is_told_without_what_it_says(fault: Exception, told: str) -> None:
    found = str(typed_fault(fault))

    assert told in found
    assert "Quorimble" not in found


def test_typed_error_stands_for_itself() -> None:
    error = Unforeseen(kind="KeyError", places="here:1")

    assert typed_fault(error) is error


def test_command_on_a_damaged_list_ends_with_a_sentence_and_an_exit_code(tmp_path: Path) -> None:
    (tmp_path / "node.toml").write_text("")
    (tmp_path / "consent.sqlite").write_bytes(b"no database at all " * 400)

    done = CliRunner().invoke(main, ["opt-out", "show", "--dir", str(tmp_path)])

    assert done.exit_code == 8
    assert "[store-damaged]" in done.stderr
    assert "Traceback" not in done.output


def test_node_looks_less_often_the_longer_nothing_is_new_and_often_again_after_news(watch_of: Watching) -> None:
    hub = Hub(states={ROUND: common_pb2.ROUND_STATE_SEALED})
    waits, pause = _waits(60, at_end=lambda: hub.states.update({ROUND: common_pb2.ROUND_STATE_CANCELLED}))

    with pytest.raises(Stop):
        keep_watch(watch_of(hub), pause=pause)

    quiet = waits[:60]
    assert quiet[:10] == [0.5] * 10
    assert quiet == sorted(quiet)
    assert quiet[-1] == 10.0
    assert waits[60] == 0.5


def test_no_step_is_taken_in_a_project_whose_log_was_refused(
    node: Node, watch_of: Watching, capfd: pytest.CaptureFixture[str]
) -> None:
    hub = Hub(states={ROUND: common_pb2.ROUND_STATE_SEALED})
    watch = watch_of(hub)
    project = MANIFEST.project.id
    watch.log.refuse(project, [], at="2026-09-01T00:00:00Z", problem="its past changed", until=0, end=SignedEnd())

    assert not look(watch)
    assert not look(watch)

    assert hub.asked == []
    said = capfd.readouterr().err
    assert said.count("[log-rewritten]") == 1
    assert "its past changed" in said

    (refusal,) = watch.log.refusals(project)
    watch.log.accept(refusal, at="2026-09-02T00:00:00Z", reason="told by telephone")
    assert not look(watch)
    assert hub.asked == [ROUND]


def test_refused_log_ends_a_run_that_was_asked_for_one_round(node: Node, watch_of: Watching) -> None:
    watch = watch_of(Hub(states={ROUND: common_pb2.ROUND_STATE_SEALED}), once=True)
    project = MANIFEST.project.id
    watch.log.refuse(project, [], at="2026-09-01T00:00:00Z", problem="its past changed", until=0, end=SignedEnd())

    with pytest.raises(LogRewritten):
        look(watch)


def test_round_that_is_listed_under_another_project_than_its_own_is_refused(
    node: Node, watch_of: Watching, capfd: pytest.CaptureFixture[str]
) -> None:
    """Else a coordinator could take a round from under a log that was refused."""
    hub = Hub(states={ROUND: common_pb2.ROUND_STATE_SEALED}, project="another-project")

    assert not look(watch_of(hub))

    said = capfd.readouterr().err
    assert "the coordinator listed it under another project than its own" in said
    assert "[refused-by-policy]" in said
