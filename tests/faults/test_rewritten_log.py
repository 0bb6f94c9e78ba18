"""Whoever owns the coordinator rewrites the log: one node alone finds it, says so, and takes no step any more."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs.pages import ROOT
from faults.rewriting import PROJECT, Edit, Event, Hub, copy_of, new_hub

from isthmus.contract.checkpoint import ACKNOWLEDGE

pytestmark = pytest.mark.slow

REFUSED = 5
PROCESS = pytest.param(True, marks=pytest.mark.process, id="process")


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Hub:
    return new_hub(tmp_path_factory.mktemp("hub"))


@pytest.fixture
def hub(looked_at: Hub, tmp_path: Path, request: pytest.FixtureRequest) -> Hub:
    """Give a copy of the coordinator, which is served in this process unless a test wants one of its own."""
    return copy_of(looked_at, tmp_path, as_process=getattr(request, "param", False))


def _refuses(hub: Hub, *words: str, party: str = "riverside") -> None:
    """Check that the node says that the log was rewritten, and takes no step."""
    listed = hub.node("round", "list", party=party)
    assert "[log-rewritten]" in listed.stderr
    assert all(word in listed.stderr for word in words), listed.stderr
    round_id = hub.events()[1]["object"]
    signed = hub.node("round", "sign", round_id, party=party)
    assert signed.exit_code == REFUSED
    assert "[log-rewritten]" in signed.stderr
    assert not any(event["action"] == "round.sign" and event["actor"] == party for event in hub.events())
    verified = hub.node("verify", party=party)
    assert verified.exit_code == REFUSED
    assert "BAD" in verified.stdout


def _trusts(hub: Hub, party: str = "riverside") -> None:
    listed = hub.node("round", "list", party=party)
    assert (listed.exit_code, listed.stderr) == (0, "")


@pytest.mark.parametrize("hub", [PROCESS], indirect=True)
def test_restored_old_backup_is_found_and_accepted_only_by_a_person(hub: Hub) -> None:
    backup = hub.back_up()
    with hub.serving():
        hub.propose()
        _trusts(hub)
    kept = len(hub.events())
    hub.restore(backup)
    with hub.serving():
        _refuses(hub, f"it ends at event {kept - 3}", f"this node has {kept - 1} events", "the last 2 events are gone")
        accepted = hub.node("log", "accept", "--reason", "the hub told us by telephone of its backup")
        assert accepted.exit_code == 0, accepted.output
        _trusts(hub)
        shown = hub.node("log", "show")
        assert "because: the hub told us by telephone of its backup" in shown.stdout


def test_restored_backup_that_grew_again_is_found(hub: Hub) -> None:
    backup = hub.back_up()
    with hub.serving():
        hub.propose()
        _trusts(hub)
    kept = len(hub.events())
    hub.restore(backup)
    for _ in range(3):
        hub.propose()
    assert len(hub.events()) > kept
    with hub.serving():
        _refuses(hub, "it does not follow from the event before it")


def _without_the_proposal(events: list[Event]) -> list[Event]:
    return [event for event in events if event["action"] != "round.advance"]


def _with_another_draft(events: list[Event]) -> list[Event]:
    return [{**event, "outcome": "0" * 64} if event["action"] == "round.draft" else event for event in events]


@pytest.mark.parametrize("hub", [PROCESS], indirect=True)
@pytest.mark.parametrize("edit", [_without_the_proposal, _with_another_draft], ids=["removed", "changed"])
def test_event_that_is_removed_or_changed_is_found_though_the_chain_is_made_anew(hub: Hub, edit: Edit) -> None:
    with hub.serving():
        _trusts(hub)
        before = hub.events()
        hub.rewrite(edit)
        assert hub.events() != before
        hub.propose()
        _refuses(hub, "the two histories part at event")


@pytest.fixture
def forked(hub: Hub) -> Iterator[tuple[Hub, Hub]]:
    """Two coordinators of one past, one of which each node is led to; something happens at each."""
    twin = hub.twin()
    twin.take_over("college", hub)
    with hub.serving(), twin.serving():
        for one, party in ((hub, "riverside"), (twin, "college")):
            one.propose()
            _trusts(one, party)
        yield hub, twin


@pytest.mark.parametrize("hub", [PROCESS], indirect=True)
def test_fork_is_found_by_the_first_acknowledgement_that_crosses(forked: tuple[Hub, Hub]) -> None:
    hub, twin = forked
    crossing = [event for event in hub.events() if event["actor"] == "riverside"][-1]
    assert crossing["action"] == ACKNOWLEDGE
    twin.rewrite(lambda events: [*events, crossing])

    _refuses(twin, "riverside signed that it was shown another history", party="college")
    _trusts(hub)


def test_node_that_is_led_over_to_the_other_history_finds_it(forked: tuple[Hub, Hub]) -> None:
    hub, twin = forked
    hub.take_over("college", twin)

    _refuses(hub, "the two histories part at event", party="college")


def test_fork_shows_as_silence_while_no_acknowledgement_crosses(forked: tuple[Hub, Hub]) -> None:
    _, twin = forked

    said = twin.node("verify", party="college").stdout

    (line,) = [line for line in said.splitlines() if "shown to riverside" in line]
    assert f"up to event 4 of {len(twin.events())}, at " in line


def test_node_whose_own_statement_is_left_out_finds_it(hub: Hub) -> None:
    with hub.serving():
        hub.propose()
        _trusts(hub)
        hub.rewrite(lambda events: events[:-1])

        _refuses(hub, "this node's own statement about event")


def test_exported_histories_show_to_anybody_that_there_are_two(hub: Hub) -> None:
    with hub.serving():
        hub.propose()
        _trusts(hub)
        hub.rewrite(_with_another_draft)
        hub.propose()
        _refuses(hub, "the two histories part at event 2")
    kept, refused = hub.folder / "kept.json", hub.folder / "refused.json"
    assert hub.node("log", "export", str(kept), "--project", PROJECT, "--offline").exit_code == 0
    assert hub.node("log", "export", str(refused), "--project", PROJECT, "--refused").exit_code == 0

    alone, both = _verify_log(kept), _verify_log(kept, refused)

    assert alone.returncode == 0, alone.stderr
    assert both.returncode == 1
    assert "they part at event 2" in both.stderr


def _verify_log(*files: Path) -> subprocess.CompletedProcess[str]:
    program = str(ROOT / "scripts" / "verify_log")
    return subprocess.run([sys.executable, program, *map(str, files)], capture_output=True, text=True, check=False)
