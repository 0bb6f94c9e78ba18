"""Processes killed with SIGKILL in the middle of their work lose nothing that was acknowledged, and go on."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from e2e.people import Files, write_files
from faults.proxy import relay
from isthmus_local.evaluate import links_of
from isthmus_local.local_round import (
    NODE,
    LocalRound,
    LocalSettings,
    Timeline,
    enrol_everybody,
    id_file,
    propose,
    run_nodes,
    serving,
    set_up,
)
from isthmus_local.processes import Running, running
from isthmus_people.score import score_links

from isthmus.contract.encodings import submission_from_bytes
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.setup import open_installation

pytestmark = [pytest.mark.process, pytest.mark.slow]

ROWS = 4_000
"""Three chunks of at most 1 MiB under hardened-1."""


def test_a_node_killed_while_it_sends_goes_on_where_it_was(tmp_path: Path) -> None:
    files, local = prepare(tmp_path, rows=ROWS, shared=50, profile="hardened-1")
    with serving(local) as coordinator:
        enrol_everybody(local)
        round_id = propose(local)
        first, second = (provider.party for provider in local.providers)
        address = address_of(local.node(first))
        with relay(int(address.rpartition(":")[2]), limit=1_750_000) as line:
            move_to(local.node(first), f"127.0.0.1:{line.port}")
            with node_process(local, second, round_id), node_process(local, first, round_id) as sending:
                assert line.blocked.wait(90), "the line never carried enough"
                wait_for(lambda: 0 < stored(local, round_id, first) < 3)
                sending.process.kill()
                sending.process.wait()
        held = stored(local, round_id, first)
        assert 0 < held < 3
        before = submission(local, round_id, first)
        move_to(local.node(first), address)
        run_nodes(local, round_id, coordinator=coordinator, report=lambda *_: None)
    assert submission(local, round_id, first) == before, "the same submission must go on, not another one"
    said = (local.node(first) / "run.log").read_text()
    assert "what left this node" in said
    scores = score_links(links_of(local, round_id), files.truth)
    assert scores.overall.recall >= 0.99


def test_a_coordinator_killed_while_it_matches_goes_on_after_its_restart(tmp_path: Path) -> None:
    files, local = prepare(tmp_path, rows=12_000, shared=2_000, profile="interop-1")
    with serving(local) as coordinator:
        enrol_everybody(local)
        round_id = propose(local)
        with (
            node_process(local, local.providers[0].party, round_id),
            node_process(local, local.providers[1].party, round_id),
        ):
            wait_for(lambda: state(local, round_id) is RoundState.MATCHING, seconds=120)
            coordinator.process.kill()
            coordinator.process.wait()
            assert state(local, round_id) is RoundState.MATCHING
    with serving(local) as coordinator:
        run_nodes(local, round_id, coordinator=coordinator, report=lambda *_: None)
    assert state(local, round_id) is RoundState.RELEASED
    assert all(id_file(local, provider.party, round_id).exists() for provider in local.providers)
    assert score_links(links_of(local, round_id), files.truth).overall.recall >= 0.99


def prepare(folder: Path, *, rows: int, shared: int, profile: str) -> tuple[Files, LocalRound]:
    files = write_files(folder / "files", rows=rows, providers=2, shared=shared)
    settings = LocalSettings(project="killed", title="Killed", purpose="Testing", profile=profile)
    local = LocalRound(folder=folder / "round", providers=files.providers, settings=settings, timeline=Timeline())
    set_up(local)
    return files, local


def node_process(local: LocalRound, party: str, round_id: str) -> AbstractContextManager[Running]:
    folder = local.node(party)
    return running(NODE, "run", "--dir", str(folder), "--round", round_id, log=folder / "run.log")


def address_of(folder: Path) -> str:
    return str(json.loads((folder / "identity" / "party.json").read_text())["service_address"])


def move_to(folder: Path, address: str) -> None:
    path = folder / "identity" / "party.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "service_address": address}))


def stored(local: LocalRound, round_id: str, party: str) -> int:
    with open_installation(local.coordinator).context.store.read() as tx:
        return len(tx.submissions.chunks(RoundId(round_id), PartyId(party)))


def submission(local: LocalRound, round_id: str, party: str) -> str:
    with open_installation(local.coordinator).context.store.read() as tx:
        found = tx.submissions.find(RoundId(round_id), PartyId(party))
    assert found is not None
    return submission_from_bytes(found.document).digest


def state(local: LocalRound, round_id: str) -> RoundState:
    with open_installation(local.coordinator).context.store.read() as tx:
        return tx.rounds.get(RoundId(round_id)).state


def wait_for(condition: Callable[[], bool], *, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)
