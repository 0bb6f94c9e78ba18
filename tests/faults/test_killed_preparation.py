"""A node killed while it prepares leaves nothing that can be read, and nothing at all once it runs again."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from faults.prepare_and_die import FILE, OUTBOX, VAULT, write_people
from unit.node.parts import ROUND

from isthmus.contract.comparison import comparison_1
from isthmus.node.compare.field_file import CHECK_BYTES
from isthmus.node.compare.records import RecordLayout
from isthmus.node.outbox import open_outbox
from isthmus.node.vault import open_vault

pytestmark = [pytest.mark.process, pytest.mark.slow]

TESTS = Path(__file__).parents[1]
CHILD = [sys.executable, "-m", "faults.prepare_and_die"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(TESTS.parent / "scripts")}


@pytest.mark.parametrize("point", ["encoding", "writing", "saving"])
def test_killed_preparation_leaves_no_value_and_no_submission(tmp_path: Path, point: str) -> None:
    write_people(tmp_path)

    ended = subprocess.run([*CHILD, tmp_path, point], cwd=TESTS, env=ENVIRONMENT, check=False)

    assert ended.returncode == -9
    assert not any(b"PLANTED" in content or b"uorimble" in content for content in _outbox(tmp_path))
    with closing(open_vault(tmp_path / VAULT)) as vault:
        assert vault.prepared(ROUND) is None
        assert vault.record_ids(ROUND) == {}
        open_outbox(tmp_path / OUTBOX, vault)
    assert list(_outbox(tmp_path)) == []


def test_preparation_that_is_not_killed_leaves_its_payload_and_fields(tmp_path: Path) -> None:
    """So that what the test above looks at is where a submission would be."""
    write_people(tmp_path)

    subprocess.run([*CHILD, tmp_path, "never"], cwd=TESTS, env=ENVIRONMENT, check=True)

    sealed = RecordLayout(comparison=comparison_1(("first_name", "last_name", "dob"))).sealed_bytes
    assert sorted(len(content) for content in _outbox(tmp_path)) == [40_000 * sealed + CHECK_BYTES, 40_000 * 144]
    assert b"PLANTED" in (tmp_path / FILE).read_bytes()
    with closing(open_vault(tmp_path / VAULT)) as vault:
        assert len(vault.record_ids(ROUND)) == 40_000


def _outbox(folder: Path) -> Iterator[bytes]:
    return (path.read_bytes() for path in (folder / OUTBOX).rglob("*"))
