"""A node that does not keep to the protocol: over real gRPC, and against the actions with a real store."""

import threading
from pathlib import Path

import msgspec
import pytest
from harness import Coordinator, declare, new_coordinator, random_rows
from live import live_coordinator

from isthmus.contract.canonical import sha256
from isthmus.contract.clock import SystemClock
from isthmus.contract.encodings import pack_rows
from isthmus.contract.errors import (
    AlreadyExists,
    IsthmusError,
    MalformedDocument,
    MalformedMessage,
    SubmissionMalformed,
)
from isthmus.contract.parties import Role
from isthmus.coordinator.actions import submissions
from isthmus.coordinator.actions.housekeeping import sweep_blobs
from isthmus.coordinator.domain.records import ChunkRow
from isthmus.coordinator.setup import make_installation, open_installation
from isthmus.coordinator.worker import run_worker
from isthmus.party.dial import errors_from, open_channel
from isthmus.party.enrol import enrol


@pytest.fixture
def hub(tmp_path: Path) -> Coordinator:
    return new_coordinator(tmp_path)


def test_bytes_that_are_no_message_are_refused_with_a_type(tmp_path: Path) -> None:
    with live_coordinator(tmp_path) as live:
        identity = live.enrolled("riverside")
        path = "/isthmus.v1.ProviderService/GetRound"
        with open_channel(identity) as channel, pytest.raises(MalformedMessage), errors_from("here"):
            channel.unary_unary(path, bytes, bytes)(b"\xff\xff\xff", timeout=20)
        upload = "/isthmus.v1.ProviderService/UploadChunks"
        with open_channel(identity) as channel, pytest.raises(MalformedMessage), errors_from("here"):
            list(channel.stream_stream(upload, bytes, bytes)(iter([b"\xff\xff"]), timeout=20))


def test_a_folder_stays_with_its_party(tmp_path: Path) -> None:
    with live_coordinator(tmp_path) as live:
        live.enrolled("riverside")
        live.enrolled("research-office", Role.ANALYST)
        token = live.token("research-office")
        with pytest.raises(AlreadyExists, match="riverside"):
            enrol(live.parties / "riverside", token)
        enrol(live.parties / "research-office", token)


def test_rows_beyond_the_declared_number_are_refused(hub: Coordinator) -> None:
    providers = hub.parties("riverside", "college")
    round_id = hub.collecting(providers)
    rows = random_rows(30, seed=1)
    payload = pack_rows(rows.handles, rows.clks)
    lie = declare(hub.manifest(round_id), providers[0].id, random_rows(1, seed=1))
    digest = sha256(sha256(payload)).hex()
    hub.open(providers[0], msgspec.structs.replace(lie, digest=digest))
    hub.context.blobs.put(payload)
    with hub.context.store.begin() as tx:  # as if a race had let it past the check of the chunk
        tx.submissions.add_chunk(ChunkRow(round_id=round_id, party=providers[0].id, index=0, digest=sha256(payload)))
    with pytest.raises(SubmissionMalformed, match="another number of rows"):
        hub.complete(providers[0], round_id)


def test_a_refused_chunk_leaves_nothing_on_disk(hub: Coordinator, tmp_path: Path) -> None:
    providers = hub.parties("riverside", "college")
    round_id = hub.collecting(providers)
    rows, other = random_rows(10, seed=1), random_rows(10, seed=2)
    hub.open(providers[0], declare(hub.manifest(round_id), providers[0].id, rows))
    hub.store(providers[0], round_id, 0, rows.chunks()[0])
    refused = []
    for _ in range(5):
        with pytest.raises(IsthmusError) as caught:
            hub.store(providers[0], round_id, 0, other.chunks()[0])
        refused.append(caught.value.code)
    assert set(refused) == {"submission-conflict"}
    assert [path.name for path in (tmp_path / "blobs").iterdir()] == [sha256(rows.chunks()[0]).hex()]


def test_one_slot_takes_one_of_many_racing_chunks_and_keeps_no_other(hub: Coordinator, tmp_path: Path) -> None:
    providers = hub.parties("riverside", "college")
    round_id = hub.collecting(providers)
    hub.open(providers[0], declare(hub.manifest(round_id), providers[0].id, random_rows(10, seed=0)))
    payloads = [random_rows(10, seed=seed).chunks()[0] for seed in range(8)]
    done: list[bytes] = []

    def send(payload: bytes) -> None:
        try:
            hub.store(providers[0], round_id, 0, payload)
            done.append(payload)
        except IsthmusError:
            return

    threads = [threading.Thread(target=send, args=(payload,)) for payload in payloads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert [path.name for path in (tmp_path / "blobs").iterdir()] == [sha256(done[0]).hex()]


def test_what_an_interrupted_call_left_is_swept_and_what_is_needed_stays(hub: Coordinator, tmp_path: Path) -> None:
    providers = hub.parties("riverside", "college")
    round_id = hub.collecting(providers)
    people = random_rows(10, seed=1)
    hub.submit(providers[0], round_id, people)
    hub.submit(providers[1], round_id, random_rows(10, seed=2).with_people_of(people, 5))
    hub.match()
    needed = {path.name for path in (tmp_path / "blobs").iterdir()}
    hub.context.blobs.put(b"never recorded")
    (tmp_path / "blobs" / ".new-half").write_bytes(b"half")
    assert sweep_blobs(hub.context) == 1
    assert {path.name for path in (tmp_path / "blobs").iterdir()} == needed
    assert len(needed) == 5, "two chunks, two maps, one record of entities"


def test_a_submission_manifest_over_its_bound_is_refused(hub: Coordinator) -> None:
    providers = hub.parties("riverside", "college")
    round_id = hub.collecting(providers)
    with pytest.raises(MalformedDocument, match="over 8192 bytes"):
        submissions.open_submission(
            hub.context, providers[0].actor, round_id=round_id, document=b"{" + b" " * 9000, signature=bytes(64)
        )


def test_a_fault_of_the_store_does_not_end_the_worker(hub: Coordinator, monkeypatch: pytest.MonkeyPatch) -> None:
    stop, asked = threading.Event(), []

    def claim(_context: object) -> None:
        asked.append(1)
        if len(asked) > 2:
            stop.set()
            return
        raise OSError("database or disk is full")

    monkeypatch.setattr("isthmus.coordinator.worker.claim_round", claim)
    monkeypatch.setattr("isthmus.coordinator.worker.FAULT_S", 0.01)
    run_worker(hub.context, engine=None, stop=stop)  # type: ignore[arg-type]  # it never gets as far as matching
    assert len(asked) == 3


@pytest.mark.parametrize("host", ['a"b', "bad host name", "zürich.example", "-x", ""])
def test_a_coordinator_for_an_impossible_host_is_not_made_and_leaves_nothing(tmp_path: Path, host: str) -> None:
    with pytest.raises(MalformedMessage):
        make_installation(
            tmp_path / "hub", address="127.0.0.1", host=host, service_port=1, enrolment_port=2, clock=SystemClock()
        )
    assert list(tmp_path.iterdir()) == []


def test_a_coordinator_is_made_whole_and_only_into_an_empty_folder(tmp_path: Path) -> None:
    made = {"address": "127.0.0.1", "host": "hub.example.org", "service_port": 7443, "enrolment_port": 7444}
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(AlreadyExists):
        make_installation(tmp_path / "mine", **made, clock=SystemClock())  # type: ignore[arg-type]  # a test's dict
    make_installation(tmp_path / "hub", **made, clock=SystemClock())  # type: ignore[arg-type]
    open_installation(tmp_path / "hub").close()
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hub", "mine"]
