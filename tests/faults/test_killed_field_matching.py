"""A coordinator killed with SIGKILL while it asks for answers or matches by them ends in the same bytes as undisturbed.

A list of pairs is asked for once or not at all: half of one is never seen.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from field_nodes import FieldNode, compared, field_round, result_bytes
from harness import Coordinator, new_coordinator

from isthmus.contract.round_state import RoundState

pytestmark = [pytest.mark.process, pytest.mark.slow]

ROWS, SLOTS, KILLS = 200, 64, 2


def _begin(folder: Path) -> "subprocess.Popen[str]":
    script = Path(__file__).with_name("match_and_die.py")
    tests = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (tests, tests.parent / "scripts")))}
    process = subprocess.Popen([sys.executable, script, folder], stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout
    assert process.stdout.readline() == "matching\n"
    return process


def _matched(folder: Path) -> str:
    process = _begin(folder)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return said.split()[-1]


def _killed(folder: Path, *, delay: float) -> None:
    process = _begin(folder)
    time.sleep(delay)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()


def _again(folder: Path, node: FieldNode) -> FieldNode:
    """Give the node at the coordinator of another folder."""
    return FieldNode(
        hub=new_coordinator(folder), party=node.party, people=node.people, sent=node.sent, round_id=node.round_id
    )


def _asked(hub: Coordinator, node: FieldNode) -> tuple[RoundState, int]:
    with hub.context.store.read() as tx:
        return tx.rounds.get(node.round_id).state, len(tx.comparisons.of_round(node.round_id))


def test_matching_killed_at_random_points_asks_once_and_ends_in_the_same_bytes(tmp_path: Path) -> None:
    chance, undisturbed, killed = random.Random(1), tmp_path / "undisturbed", tmp_path / "killed"
    undisturbed.mkdir()
    made = field_round(new_coordinator(undisturbed), range(ROWS), range(100, ROWS + 100), comparison={"slots": SLOTS})
    made[0].hub.close()
    shutil.copytree(undisturbed, killed)
    state = RoundState.MATCHING
    for _ in range(KILLS):
        if state is RoundState.MATCHING:
            _killed(killed, delay=chance.uniform(0, 0.5))
        one = _again(killed, made[0])
        state, lists = _asked(one.hub, one)
        one.hub.close()
        assert (state, lists) in {(RoundState.MATCHING, 0), (RoundState.COMPARING, 1)}
    for folder in (undisturbed, killed):
        if folder is undisturbed or state is RoundState.MATCHING:
            assert _matched(folder) == "comparing"
        nodes = [_again(folder, node) for node in made]
        assert _asked(nodes[0].hub, made[0]) == (RoundState.COMPARING, 1)
        compared(nodes)
        for node in nodes:
            node.hub.close()

    state = RoundState.MATCHING
    for _ in range(KILLS):
        if state is RoundState.MATCHING:
            _killed(killed, delay=chance.uniform(0, 0.3))
        one = _again(killed, made[0])
        state, _ = _asked(one.hub, one)
        one.hub.close()
    assert _matched(undisturbed) == "released"
    assert state is RoundState.RELEASED or _matched(killed) == "released"

    results = [result_bytes(_again(folder, made[0]).hub, made[0].round_id) for folder in (undisturbed, killed)]
    assert results[0] == results[1]
    assert len(_again(killed, made[0]).linked()) == ROWS - 100
