"""A node killed while it answers goes on with the same bytes, once anybody has heard of them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults.answer_and_die import SIZES, TERMS, hub_of
from unit.node.answering_parts import open_parties_node, two_parties
from unit.node.parts import COLLEGE, RIVERSIDE, ROUND

from isthmus.node.outbox import open_outbox
from isthmus.node.take_part import take_step

pytestmark = [pytest.mark.process, pytest.mark.slow]

TESTS = Path(__file__).parents[1]
CHILD = [sys.executable, "-m", "faults.answer_and_die"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(TESTS.parent / "scripts")}


@pytest.mark.parametrize("point", ["asked", "comparing", "made", "declared", "sending"])
def test_killed_node_goes_on_and_never_with_other_bytes(tmp_path: Path, point: str) -> None:
    with two_parties(tmp_path, sizes=SIZES, terms=TERMS):
        pass
    ended = subprocess.run([*CHILD, tmp_path, point], cwd=TESTS, env=ENVIRONMENT, check=False)
    assert ended.returncode == -9

    hub = hub_of(tmp_path)
    heard = [path.read_bytes() for path in sorted(hub.folder.glob("declared"))]
    taken = dict(hub.chunks)
    with open_parties_node(tmp_path / RIVERSIDE, RIVERSIDE, terms=TERMS, random_bytes=os.urandom) as node:
        open_outbox(node.outbox, node.vault)  # as `isthmus-node run` begins
        waiting = [path.read_bytes() for path in node.outbox.glob("*.answers")]
        take_step(node, hub.client(), ROUND, report=lambda *_: None)
        left = list(node.outbox.iterdir())

    assert len(waiting) == (point in {"made", "declared", "sending"})
    assert len(heard) == (point in {"declared", "sending"})
    assert list(taken) == ([0] if point == "sending" else [])
    assert all(document == hub.declared[0] for document in heard)
    assert all(chunk == hub.chunks[index] for index, chunk in taken.items())
    assert all(whole == hub.payload().tobytes() for whole in waiting)
    assert hub.answers.other == COLLEGE
    assert hub.answers.chunk_count > 1
    assert hub.complete
    assert left == []
