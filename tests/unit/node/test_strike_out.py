"""Striking out: which handles are asked for, in which pieces, and what a lost or late answer does."""

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from unit.node.consent.consent_parts import opt_out
from unit.node.parts import KEYS, RIVERSIDE, ROUND, identity, manifest

from isthmus.contract.canonical import Label, canonical_bytes, verify
from isthmus.contract.clock import FixedClock
from isthmus.contract.errors import RoundStateMismatch, Unreachable
from isthmus.contract.ids import ProjectId
from isthmus.contract.round_state import RoundState
from isthmus.contract.tombstones import tombstones_document
from isthmus.contract.views import RoundView
from isthmus.node.client import Client
from isthmus.node.config import DatasetConfig, NodeConfig
from isthmus.node.consent.store import open_opt_outs
from isthmus.node.consent_settings import ConsentRule
from isthmus.node.keys.folder import KeyFolder
from isthmus.node.node import Node
from isthmus.node.strike_out import consent_version, due_handles, strike_out
from isthmus.node.vault import open_vault
from isthmus.party.identity import PLAIN
from isthmus.v1 import common_pb2
from isthmus.v1 import provider_pb2 as pb

MANIFEST = manifest()
SIGNED = MANIFEST.to_bytes()
STUDENTS = DatasetConfig(
    file="students.csv", id_column="Nr", columns={}, consent=(ConsentRule(column="Out", exclude_if=("Y",)),)
)
MANY = 10_050


class Hub:
    """The other end: keeps what it was asked to strike out, or fails at a call as it is told."""

    def __init__(self, *, failures: list[Exception | None] | None = None) -> None:
        self.asked: list[pb.TombstoneRowsRequest] = []
        self.failures = failures or []

    def TombstoneRows(  # noqa: N802 - as generated
        self, request: pb.TombstoneRowsRequest, **_options: object
    ) -> pb.TombstoneRowsResponse:
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.asked.append(request)
        summary = common_pb2.RoundSummary(
            round_id=ROUND,
            project_id=MANIFEST.project.id,
            state=common_pb2.ROUND_STATE_SEALED,
            manifest_hash=MANIFEST.digest(),
        )
        summary.updated_at.FromDatetime(datetime(2026, 9, 1, tzinfo=UTC))
        return pb.TombstoneRowsResponse(round=summary)

    @property
    def handles(self) -> list[bytes]:
        """All handles that were struck out, in order."""
        return [handle for request in self.asked for handle in request.handles]


def _client(hub: Hub) -> Client:
    return Client(cast("Any", hub), "hub.example.org:7443")


def _view(state: RoundState = RoundState.SEALED) -> RoundView:
    return RoundView(
        round_id=ROUND,
        project_id=ProjectId(MANIFEST.project.id),
        state=state,
        manifest_hash=MANIFEST.digest(),
        waiting_for=(),
        updated_at=datetime(2026, 9, 1, tzinfo=UTC),
    )


def _handle(number: int) -> bytes:
    return number.to_bytes(16, "big")


def _submitted(node: Node, rows: int, *, receipt: bool = True, signed: bytes = SIGNED) -> None:
    """Let the node have sent that many rows; the last ones have the smallest handles."""
    node.vault.save_signed(ROUND, signed)
    pairs = [(_handle(rows - number), str(number)) for number in range(rows)]
    node.vault.save_prepared(ROUND, document=b"{}", report="{}", rows=pairs)
    if receipt:
        node.vault.save_receipt(ROUND, receipt=b"{}", signature=b"")


def _write_students(node: Node, rows: int, *, out: range) -> None:
    lines = [f"{number},{'Y' if number in out else ''}" for number in range(rows)]
    (node.folder / "students.csv").write_text("\n".join(["Nr,Out", *lines]) + "\n")


def _add(node: Node, record_id: str) -> None:
    with closing(open_opt_outs(node.folder)) as opt_outs:
        opt_outs.opt_out([opt_out(record_id)])


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 9, 15, 12, tzinfo=UTC))


@pytest.fixture
def node(tmp_path: Path, clock: FixedClock) -> Iterator[Node]:
    with closing(open_vault(tmp_path / "vault.sqlite")) as vault:
        config = NodeConfig(datasets={"students": STUDENTS})
        keys = KeyFolder(folder=tmp_path / "keys", files=PLAIN)
        yield Node(
            folder=tmp_path, config=config, identity=identity(), vault=vault, keys=keys, random_bytes=bytes, clock=clock
        )


def test_handles_of_list_and_rules_are_due_in_rising_order(node: Node) -> None:
    _submitted(node, 6)
    _write_students(node, 6, out=range(1, 2))
    _add(node, "4")
    _add(node, "77")

    assert due_handles(node, ROUND) == (_handle(2), _handle(5))


@pytest.mark.parametrize("receipt", [False, None])
def test_nothing_is_due_before_the_submission_is_complete(node: Node, receipt: bool | None) -> None:
    if receipt is not None:
        _submitted(node, 3, receipt=receipt)
    _add(node, "1")

    assert due_handles(node, ROUND) == ()


def test_nothing_is_due_in_a_round_of_another_version_of_the_program(node: Node) -> None:
    old = canonical_bytes({"format": "isthmus/round-manifest/1", "members": [{"party": RIVERSIDE}]})
    _submitted(node, 3, signed=old)
    _add(node, "1")

    assert due_handles(node, ROUND) == ()


def test_many_rows_are_struck_out_in_signed_pieces(node: Node) -> None:
    hub = Hub()
    _submitted(node, MANY)
    _write_students(node, MANY, out=range(MANY))

    found = strike_out(node, _client(hub), _view())

    assert (found.rows, found.too_late) == (MANY, False)
    assert [len(request.handles) for request in hub.asked] == [10_000, 50]
    assert hub.handles == [_handle(number) for number in range(1, MANY + 1)]
    public = KEYS[RIVERSIDE].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    for request in hub.asked:
        document = tombstones_document(request.handles, round_id=ROUND, party=RIVERSIDE)
        verify(public, Label.TOMBSTONES, document, request.signature)
    assert due_handles(node, ROUND) == ()


def test_lost_answer_is_asked_for_again(node: Node) -> None:
    lost = Unreachable(address="hub.example.org:7443", problem="it went away")
    hub = Hub(failures=[lost])
    _submitted(node, 3)
    _write_students(node, 3, out=range(2, 3))

    with pytest.raises(Unreachable):
        strike_out(node, _client(hub), _view())
    assert node.vault.tombstones(ROUND) == {_handle(1): False}
    strike_out(node, _client(hub), _view())

    assert hub.handles == [_handle(1)]
    assert node.vault.tombstones(ROUND) == {_handle(1): True}


def test_round_that_is_released_meanwhile_is_too_late_and_no_fault(node: Node) -> None:
    hub = Hub(failures=[RoundStateMismatch(round_id=ROUND, state="released", needed="sealed")])
    _submitted(node, 3)
    _write_students(node, 3, out=range(1))

    found = strike_out(node, _client(hub), _view())

    assert (found.rows, found.too_late) == (1, True)
    assert hub.asked == []


@pytest.mark.parametrize(
    ("state", "rows"), [(RoundState.RELEASED, 1), (RoundState.CANCELLED, 0), (RoundState.PREFLIGHT, 0)]
)
def test_round_that_takes_no_tombstones_is_not_asked(node: Node, state: RoundState, rows: int) -> None:
    hub = Hub()
    _submitted(node, 3)
    _write_students(node, 3, out=range(1))

    assert strike_out(node, _client(hub), _view(state)).rows == rows
    assert hub.asked == []


def test_version_of_a_database_changes_every_ten_minutes_and_with_its_rules(node: Node, clock: FixedClock) -> None:
    _submitted(node, 3)
    versions = []
    for rules in (STUDENTS.consent, (*STUDENTS.consent, ConsentRule(column="In", include_if=("Y",)))):
        dataset = DatasetConfig(kind="odbc", query="SELECT 1", id_column="Nr", columns={}, consent=rules)
        asking = replace(node, config=NodeConfig(datasets={"students": dataset}))
        versions.append(consent_version(asking, ROUND))
        clock.set(clock.now() + timedelta(minutes=9))
        assert consent_version(asking, ROUND) == versions[-1]
        clock.set(clock.now() + timedelta(minutes=1))
        versions.append(consent_version(asking, ROUND))

    assert versions[0] != versions[1]
    assert versions[1] != versions[2]


def test_version_changes_with_the_list_the_day_and_the_file_alone(node: Node, clock: FixedClock) -> None:
    _submitted(node, 3)
    _write_students(node, 3, out=range(0))
    versions = [consent_version(node, ROUND)]

    assert consent_version(node, ROUND) == versions[0]
    _add(node, "1")
    versions.append(consent_version(node, ROUND))
    clock.set(clock.now() + timedelta(days=1))
    versions.append(consent_version(node, ROUND))
    os.utime(node.folder / "students.csv", ns=(1, 1))
    versions.append(consent_version(node, ROUND))
    (node.folder / "students.csv").unlink()
    versions.append(consent_version(node, ROUND))

    assert len(set(versions)) == 5
