"""A project's limit on what the self-audit may recognise: over it the node stops, and nothing is confirmed."""

import csv
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from unit.node.audit.audit_parts import synthetic_columns
from unit.node.parts import STUDENTS, identity, manifest, project

from isthmus.contract.clock import FixedClock
from isthmus.node.audit.errors import AuditTooSmall
from isthmus.node.audit.limit import check_audit_limit
from isthmus.node.config import NodeConfig
from isthmus.node.errors import RefusedByPolicy
from isthmus.node.keys.folder import KeyFolder
from isthmus.node.node import Node
from isthmus.node.vault import open_vault
from isthmus.party.identity import PLAIN

ROWS = 150


def _write(folder: Path, rows: int) -> None:
    columns = synthetic_columns(rows)
    with (folder / STUDENTS.file).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["StudentId", "First", "Last", "Born", "Zip"])
        for row in range(rows):
            born = columns["dob"][row]
            date = f"{born[:4]}-{born[4:6]}-{born[6:]}" if born else ""
            writer.writerow([row, columns["first_name"][row], columns["last_name"][row], date, ""])


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        yield Node(
            folder=tmp_path,
            config=NodeConfig(datasets={"students": STUDENTS}),
            identity=identity(),
            vault=vault,
            keys=KeyFolder(folder=tmp_path / "keys", files=PLAIN),
            random_bytes=Random(5).randbytes,
            clock=FixedClock(datetime(2026, 9, 15, 12, tzinfo=UTC)),
        )


def _check(node: Node, *, profile: str = "interop-1", limit: int | None) -> None:
    terms = project(profile=profile, audit_limit_percent=limit)
    check_audit_limit(node, manifest(terms), report=lambda _stage, _done, _total: None)


def test_plain_encodings_break_a_limit_and_the_refusal_names_nobody(node: Node) -> None:
    _write(node.folder, ROWS)

    with pytest.raises(RefusedByPolicy, match="recognised") as refused:
        _check(node, limit=30)

    assert not [name for name in synthetic_columns(ROWS)["last_name"] if len(name) > 6 and name in str(refused.value)]


def test_a_limit_of_everybody_lets_every_profile_pass(node: Node) -> None:
    _write(node.folder, ROWS)

    _check(node, limit=100)


def test_one_diffused_table_keeps_a_low_limit(node: Node) -> None:
    _write(node.folder, ROWS)

    _check(node, profile="hardened-single-1", limit=30)


def test_without_a_limit_no_record_is_read(node: Node) -> None:
    _check(node, limit=None)


def test_too_few_records_to_attack_do_not_pass(node: Node) -> None:
    _write(node.folder, 40)

    with pytest.raises(AuditTooSmall):
        _check(node, limit=30)
