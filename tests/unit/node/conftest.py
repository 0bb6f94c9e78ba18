"""Preparing submissions, for all tests of a node that need one."""

import json
import random
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from unit.node.parts import RIVERSIDE, ROUND
from unit.node.preparing_parts import Built, new_job, record_stream, silent

from isthmus.node.outbox import payload_path
from isthmus.node.prepare import prepare_submission
from isthmus.node.records import Records
from isthmus.node.vault import open_vault


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Built]:
    """Prepare in a folder of its own each time."""
    folders = (tmp_path / str(number) for number in range(100))

    def prepare(
        records: Records,
        *,
        seed: int = 1,
        progress: Callable[[str, int, int], None] = silent,
        piece_rows: int = 16,
        **job: Any,
    ) -> Built:
        folder = next(folders)
        folder.mkdir()
        with closing(open_vault(folder / "vault.sqlite")) as vault:
            submission = prepare_submission(
                record_stream(records, piece_rows=piece_rows),
                new_job(**job),
                party=RIVERSIDE,
                outbox=folder / "outbox",
                vault=vault,
                random_bytes=random.Random(seed).randbytes,
                progress=progress,
            )
            prepared = vault.prepared(ROUND)
            assert prepared is not None
            assert prepared.document == submission.to_bytes()
            return Built(
                submission=submission,
                payload=payload_path(folder / "outbox", submission).read_bytes(),
                record_of_handle=vault.record_ids(ROUND),
                report=json.loads(prepared.report),
            )

    return prepare
