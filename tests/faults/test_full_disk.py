"""A coordinator whose disk is full or whose database others hold: a typed refusal, nothing half done, and it lives.

The faults are real: SQLite is allowed no further page, the process no longer file, or another connection has the lock.
"""

import resource
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from harness import OPERATOR, Coordinator, Enrolled, Rows, declare, new_coordinator, random_rows, small_engine
from live import Live, live_coordinator
from sqlalchemy import Engine, event

from isthmus.contract.convert import kind_to_wire, role_to_wire
from isthmus.contract.errors import StorageUnavailable
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.parties import PartyKind, Role
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import enrolment, matching, rounds
from isthmus.coordinator.match.encodings import Dataset
from isthmus.coordinator.match.engine import CandidatePairs, Progress
from isthmus.coordinator.operator_client import operator_calls
from isthmus.coordinator.store.protocol import Store
from isthmus.coordinator.store.sql import SqlStore, open_store, sqlite_url
from isthmus.coordinator.worker import match_claimed
from isthmus.party.dial import errors_from
from isthmus.v1 import operator_pb2 as pb

FULL = "its disk is full"


def _engine(store: Store) -> Engine:
    return cast("SqlStore", store)._engine


def _no_further_page(connection: sqlite3.Connection, *_: object) -> None:
    connection.execute("PRAGMA max_page_count = 1")  # SQLite takes the present size where that is more


@contextmanager
def full_database(store: Store) -> Iterator[Callable[[], None]]:
    """Let the database grow by no page more; give what makes room again, as the end of the block does."""
    engine = _engine(store)
    event.listen(engine, "checkout", _no_further_page)

    def make_room() -> None:
        if event.contains(engine, "checkout", _no_further_page):
            event.remove(engine, "checkout", _no_further_page)
            engine.dispose()

    try:
        yield make_room
    finally:
        make_room()


@contextmanager
def full_disk(size_bytes: int = 2**12) -> Iterator[None]:
    """Let this process write no file beyond that size."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Coordinator]:
    made = new_coordinator(tmp_path)
    yield made
    made.close()


def _add_parties_until_refused(hub: Coordinator) -> StorageUnavailable:
    with pytest.raises(StorageUnavailable) as refused:
        for number in range(500):
            _add_party(hub, f"party-{number}")
    return refused.value


def _add_party(hub: Coordinator, name: str) -> None:
    enrolment.add_party(
        hub.context, OPERATOR, party=PartyId(name), name=name, kind=PartyKind.DISTRICT, role=Role.PROVIDER
    )


def test_full_database_is_a_typed_refusal_and_the_act_leaves_nothing_behind(hub: Coordinator) -> None:
    with full_database(hub.context.store):
        refused = _add_parties_until_refused(hub)
        known, events = enrolment.list_parties(hub.context), hub.events("coordinator")

    assert refused.problem == FULL
    assert isinstance(refused.__cause__, Exception) and "full" in str(refused.__cause__)
    assert len(events) == len(known) > 0
    _add_party(hub, "after")
    assert len(enrolment.list_parties(hub.context)) == len(known) + 1


def test_database_that_others_hold_is_a_typed_refusal_until_they_let_go(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    store = open_store(sqlite_url(path), busy_timeout_s=0.05)
    with closing(store), closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable, match="another program holds its database"), store.begin():
            pass
        with store.read() as tx:
            assert tx.rounds.all() == []
        other.execute("ROLLBACK")
        with store.begin() as tx:
            assert tx.rounds.all() == []


def test_fault_of_the_program_is_not_taken_for_one_of_the_disk(hub: Coordinator) -> None:
    with pytest.raises(Exception, match="no such table") as fault, hub.context.store.read() as tx:
        tx.rounds._connection.exec_driver_sql("SELECT * FROM nowhere")  # type: ignore[attr-defined] # only a test does

    assert not isinstance(fault.value, StorageUnavailable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A round of two providers and their rows; a chunk takes some 14 kB."""

    id: RoundId
    providers: list[Enrolled]
    rows: list[Rows]


def _collecting(hub: Coordinator) -> Round:
    providers = hub.parties("riverside", "college")
    rows = random_rows(100, seed=1)
    others = random_rows(100, seed=2).with_people_of(rows, 90)
    return Round(id=hub.collecting(providers), providers=providers, rows=[rows, others])


def _sealed(hub: Coordinator) -> Round:
    one = _collecting(hub)
    for provider, rows in zip(one.providers, one.rows, strict=True):
        hub.submit(provider, one.id, rows)
    matching.claim_round(hub.context)
    return one


def test_chunk_that_does_not_fit_on_the_disk_is_refused_not_recorded_and_taken_later(
    hub: Coordinator, tmp_path: Path
) -> None:
    one = _collecting(hub)
    provider, (chunk,) = one.providers[0], one.rows[0].chunks()
    declared = declare(hub.manifest(one.id), provider.id, one.rows[0])
    hub.open(provider, declared)
    with full_disk(), pytest.raises(StorageUnavailable, match=FULL):
        hub.context.blobs.put(chunk)
    assert list((tmp_path / "blobs").iterdir()) == []

    with full_disk(), pytest.raises(StorageUnavailable):
        hub.store(provider, one.id, 0, chunk)

    assert hub.open(provider, declared).next_chunk == 0
    hub.store(provider, one.id, 0, chunk)
    hub.complete(provider, one.id)
    assert hub.open(provider, declared).complete


def test_result_that_does_not_fit_on_the_disk_fails_the_round_which_is_matched_again_on_request(
    hub: Coordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = _sealed(hub)
    with monkeypatch.context() as patch:
        patch.setattr(type(hub.context.blobs), "_write", _write_to_a_full_disk)
        match_claimed(hub.context, one.id, engine=small_engine(), stop=threading.Event())
    assert hub.state(one.id) is RoundState.FAILED
    assert [event["outcome"] for event in hub.events() if event["action"] == "round.fault"] == ["storage-unavailable"]

    rounds.retry_round(hub.context, OPERATOR, round_id=one.id)
    assert hub.match() == one.id

    assert hub.state(one.id) is RoundState.RELEASED


def _write_to_a_full_disk(_blobs: object, _path: Path, data: bytes) -> None:
    with Path("/dev/full").open("wb", buffering=0) as device:
        device.write(data)


class _Counting:
    """An engine that counts its runs and fails in each."""

    max_pairs = 1_000

    def __init__(self) -> None:
        self.runs = 0

    def candidate_pairs(
        self, datasets: Sequence[Dataset], *, threshold: float, progress: Progress, **how: object
    ) -> CandidatePairs:
        self.runs += 1
        raise RuntimeError


class _Operator(threading.Event):
    """A stop signal that is never given; whoever waits for it a second time finds that the operator made room."""

    def __init__(self, make_room: Callable[[], None]) -> None:
        super().__init__()
        self._make_room, self.waits = make_room, 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        if self.waits == 2:
            self._make_room()
        return super().wait(0)


def test_worker_whose_database_is_full_waits_and_does_not_match_again_for_nothing(hub: Coordinator) -> None:
    one, engine = _sealed(hub), _Counting()

    with full_database(hub.context.store) as make_room:
        _add_parties_until_refused(hub)
        operator = _Operator(make_room)
        match_claimed(hub.context, one.id, engine=engine, stop=operator)

    assert (engine.runs, operator.waits) == (1, 2)
    assert hub.state(one.id) is RoundState.FAILED


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_coordinator(tmp_path) as made:
        yield made


def test_coordinator_on_a_full_disk_refuses_over_the_wire_answers_what_it_can_and_lives_on(live: Live) -> None:
    def add_party(name: str) -> None:
        kind, role = kind_to_wire(PartyKind.DISTRICT), role_to_wire(Role.PROVIDER)
        with errors_from("hub"):
            calls.AddParty(pb.AddPartyRequest(party_id=name, name=name, kind=kind, role=role))

    with operator_calls(live.installation.folder) as calls:
        with full_database(live.installation.context.store):
            with pytest.raises(StorageUnavailable, match=FULL):
                for number in range(500):
                    add_party(f"party-{number}")
            known = len(calls.ListParties(pb.ListPartiesRequest()).parties)
        add_party("after")

        assert len(calls.ListParties(pb.ListPartiesRequest()).parties) == known + 1
