"""Submissions: resumable, idempotent, all or nothing, and never other content for a slot that holds some."""

import threading
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from harness import Coordinator, Enrolled, Rows, declare, public_bytes, random_rows
from project_files import PROJECT

from isthmus.contract.canonical import Label, sha256, sign, verify
from isthmus.contract.encodings import Submission
from isthmus.contract.errors import (
    ChunkDamaged,
    IsthmusError,
    MalformedDocument,
    MalformedMessage,
    NotAMember,
    NotFound,
    RoundStateMismatch,
    SignatureInvalid,
    SubmissionConflict,
    SubmissionIncomplete,
    SubmissionMalformed,
    WrongLinkageKey,
    WrongManifest,
    WrongProfile,
)
from isthmus.contract.ids import PartyId, RoundId
from isthmus.contract.round_state import RoundState
from isthmus.coordinator.actions import submissions
from isthmus.coordinator.actions.chunks import Resume

TWO_CHUNKS = 7_300
"""Rows of a submission of two chunks; one holds 7,281."""


@pytest.fixture
def providers(hub: Coordinator) -> list[Enrolled]:
    return hub.parties("riverside", "college")


@pytest.fixture
def round_id(hub: Coordinator, providers: list[Enrolled]) -> RoundId:
    return hub.collecting(providers)


@pytest.fixture
def rows() -> Rows:
    return random_rows(20, seed=7)


def _declared(hub: Coordinator, round_id: RoundId, provider: Enrolled, rows: Rows, /, **changes: Any) -> Submission:
    return declare(hub.manifest(round_id), provider.id, rows, **changes)


def _chunk_digests(hub: Coordinator, round_id: RoundId, provider: Enrolled) -> Sequence[bytes]:
    with hub.context.store.read() as tx:
        return [chunk.digest for chunk in tx.submissions.chunks(round_id, provider.id)]


def test_submission_is_acknowledged_with_a_signed_receipt_of_what_was_declared(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    submission = _declared(hub, round_id, providers[0], rows)
    hub.submit(providers[0], round_id, rows)

    receipt, signature = hub.complete(providers[0], round_id)

    verify(public_bytes(hub.signing_key), Label.RECEIPT, receipt, signature)
    assert msgspec.json.decode(receipt) == {
        "format": "isthmus/receipt/1",
        "round_id": round_id,
        "party": "riverside",
        "rows": 20,
        "submission": sha256(submission.to_bytes()).hex(),
        "received_at": "2026-01-15T12:00:00Z",
    }


def test_completing_again_gives_the_same_receipt(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    hub.submit(providers[0], round_id, rows)
    before = hub.events()

    assert hub.complete(providers[0], round_id) == hub.complete(providers[0], round_id)
    assert hub.events() == before


def test_last_submission_seals_the_round(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    hub.submit(providers[0], round_id, rows)
    assert hub.state(round_id) is RoundState.COLLECTING

    hub.submit(providers[1], round_id, random_rows(5, seed=8))

    assert hub.state(round_id) is RoundState.SEALED


def test_submission_goes_on_at_the_first_chunk_that_is_not_stored(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId
) -> None:
    rows = random_rows(TWO_CHUNKS, seed=7)
    submission, chunks = _declared(hub, round_id, providers[0], rows), rows.chunks()

    assert hub.open(providers[0], submission) == Resume(next_chunk=0, complete=False)
    hub.store(providers[0], round_id, 1, chunks[1])
    assert hub.open(providers[0], submission) == Resume(next_chunk=0, complete=False)
    hub.store(providers[0], round_id, 0, chunks[0])
    assert hub.open(providers[0], submission) == Resume(next_chunk=2, complete=False)
    hub.complete(providers[0], round_id)
    assert hub.open(providers[0], submission) == Resume(next_chunk=2, complete=True)


def test_same_chunk_again_changes_nothing_and_another_is_refused(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    hub.open(providers[0], _declared(hub, round_id, providers[0], rows))
    (chunk,) = rows.chunks()

    assert hub.store(providers[0], round_id, 0, chunk) == hub.store(providers[0], round_id, 0, chunk) == 0
    with pytest.raises(SubmissionConflict):
        hub.store(providers[0], round_id, 0, random_rows(20, seed=9).chunks()[0])

    assert _chunk_digests(hub, round_id, providers[0]) == [sha256(chunk)]


def test_other_declaration_is_refused_before_and_after_completion(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    hub.open(providers[0], _declared(hub, round_id, providers[0], rows))
    other = _declared(hub, round_id, providers[0], random_rows(20, seed=9))

    with pytest.raises(SubmissionConflict):
        hub.open(providers[0], other)
    hub.store(providers[0], round_id, 0, rows.chunks()[0])
    hub.complete(providers[0], round_id)
    with pytest.raises(SubmissionConflict):
        hub.open(providers[0], other)


def test_chunk_after_completion_is_refused(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    hub.submit(providers[0], round_id, rows)

    with pytest.raises(SubmissionConflict):
        hub.store(providers[0], round_id, 0, rows.chunks()[0])


@pytest.mark.parametrize("index", [-1, 1, 4_000_000_000])
def test_chunk_that_was_not_declared_is_refused(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows, index: int
) -> None:
    hub.open(providers[0], _declared(hub, round_id, providers[0], rows))

    with pytest.raises(ChunkDamaged, match="declares no such chunk"):
        hub.store(providers[0], round_id, index, rows.chunks()[0])


def test_chunk_that_is_cut_or_altered_is_refused_and_not_kept(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    hub.open(providers[0], _declared(hub, round_id, providers[0], rows))
    (chunk,) = rows.chunks()

    with pytest.raises(ChunkDamaged, match="length"):
        hub.store(providers[0], round_id, 0, chunk[:-1])
    with pytest.raises(ChunkDamaged, match="digest"):
        submissions.store_chunk(
            hub.context, providers[0].actor, round_id=round_id, index=0, digest=bytes(32), payload=chunk
        )
    with pytest.raises(MalformedMessage):
        submissions.store_chunk(
            hub.context, providers[0].actor, round_id=round_id, index=0, digest=bytes(31), payload=chunk
        )

    assert _chunk_digests(hub, round_id, providers[0]) == []


def test_completing_too_early_changes_nothing(hub: Coordinator, providers: list[Enrolled], round_id: RoundId) -> None:
    rows = random_rows(TWO_CHUNKS, seed=7)
    hub.open(providers[0], _declared(hub, round_id, providers[0], rows))
    hub.store(providers[0], round_id, 0, rows.chunks()[0])

    with pytest.raises(SubmissionIncomplete, match="1 of 2"):
        hub.complete(providers[0], round_id)

    hub.store(providers[0], round_id, 1, rows.chunks()[1])
    assert hub.complete(providers[0], round_id)


def test_nothing_can_be_stored_or_completed_without_a_declaration(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    with pytest.raises(NotFound):
        hub.store(providers[0], round_id, 0, rows.chunks()[0])
    with pytest.raises(NotFound):
        hub.complete(providers[0], round_id)


def test_rows_with_the_same_handle_are_discarded_whole_and_others_can_be_sent(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    twice = rows.with_handle_twice()

    with pytest.raises(SubmissionMalformed, match="same handle"):
        hub.submit(providers[0], round_id, twice)

    assert _chunk_digests(hub, round_id, providers[0]) == []
    with pytest.raises(ChunkDamaged, match="missing"):
        hub.context.blobs.get(sha256(twice.chunks()[0]))
    assert hub.events()[-1]["action"] == "submission.discard"
    hub.submit(providers[0], round_id, rows)
    assert hub.events()[-1]["action"] == "submission.complete"


def test_same_handle_in_two_chunks_is_found(hub: Coordinator, providers: list[Enrolled], round_id: RoundId) -> None:
    rows = random_rows(TWO_CHUNKS, seed=7)
    rows.handles[-1] = rows.handles[0]

    with pytest.raises(SubmissionMalformed, match="same handle"):
        hub.submit(providers[0], round_id, rows)


def test_content_that_is_not_what_was_declared_is_discarded(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    hub.open(providers[0], _declared(hub, round_id, providers[0], rows))
    hub.store(providers[0], round_id, 0, random_rows(20, seed=9).chunks()[0])

    with pytest.raises(SubmissionMalformed, match="not what was declared"):
        hub.complete(providers[0], round_id)

    hub.submit(providers[0], round_id, rows)


def test_discarding_keeps_a_chunk_that_another_submission_holds_too(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    hub.submit(providers[0], round_id, rows)
    hub.open(providers[1], _declared(hub, round_id, providers[1], random_rows(20, seed=9)))
    hub.store(providers[1], round_id, 0, rows.chunks()[0])

    with pytest.raises(SubmissionMalformed):
        hub.complete(providers[1], round_id)

    assert hub.context.blobs.get(sha256(rows.chunks()[0])) == rows.chunks()[0]


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"round_id": RoundId("another-round")}, WrongManifest),
        ({"party": PartyId("college")}, WrongManifest),
        ({"manifest_hash": "00" * 32}, WrongManifest),
        ({"profile_digest": "00" * 32}, WrongProfile),
        ({"clk_bits": 512}, WrongProfile),
        ({"tables": 2}, WrongProfile),
        ({"match_keys": 1}, WrongProfile),
        ({"match_keys": 65}, SubmissionMalformed),
        ({"match_keys": -1}, SubmissionMalformed),
        ({"key_check": "00" * 16}, WrongLinkageKey),
        ({"rows": 0, "chunk_count": 0}, SubmissionMalformed),
        ({"chunk_count": 2}, SubmissionMalformed),
        ({"format": "isthmus/submission/2"}, IsthmusError),
        ({"format": "isthmus/submission/5"}, IsthmusError),
    ],
)
def test_declaration_that_does_not_belong_here_is_refused(
    hub: Coordinator,
    providers: list[Enrolled],
    round_id: RoundId,
    rows: Rows,
    changes: dict[str, Any],
    refusal: type[IsthmusError],
) -> None:
    submission = _declared(hub, round_id, providers[0], rows, **changes)
    before = hub.events()

    with pytest.raises(refusal):
        hub.open(providers[0], submission, round_id=round_id)

    assert hub.events() == before


def test_declaration_has_to_carry_the_partys_own_signature(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    document = _declared(hub, round_id, providers[0], rows).to_bytes()
    own, other = providers[0].signing_key, providers[1].signing_key

    for signature in (b"", sign(other, Label.SUBMISSION, document), sign(own, Label.RECEIPT, document)):
        with pytest.raises(SignatureInvalid):
            submissions.open_submission(
                hub.context, providers[0].actor, round_id=round_id, document=document, signature=signature
            )


@pytest.mark.parametrize("document", [b"", b"{}", b"\xff", b'{"rows":1}', b"[" * 100_000])
def test_declaration_that_is_none_is_refused(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, document: bytes
) -> None:
    with pytest.raises(MalformedDocument):
        submissions.open_submission(
            hub.context, providers[0].actor, round_id=round_id, document=document, signature=bytes(64)
        )


def test_stranger_cannot_submit(hub: Coordinator, round_id: RoundId, rows: Rows) -> None:
    stranger = hub.party("stranger")

    with pytest.raises(NotAMember):
        hub.open(stranger, _declared(hub, round_id, stranger, rows))
    with pytest.raises(NotAMember):
        hub.store(stranger, round_id, 0, rows.chunks()[0])
    with pytest.raises(NotAMember):
        hub.complete(stranger, round_id)


def test_nothing_is_collected_before_preflight_passed(hub: Coordinator, providers: list[Enrolled], rows: Rows) -> None:
    early = hub.propose(providers, id=f"{PROJECT}-two")
    hub.sign(early, *providers)

    with pytest.raises(RoundStateMismatch):
        hub.open(providers[0], _declared(hub, early, providers[0], rows))


def test_audit_of_a_submission_holds_counts_and_no_content(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId, rows: Rows
) -> None:
    hub.submit(providers[0], round_id, rows)

    events = hub.events()

    assert [event["outcome"] for event in events[-2:]] == ["20 rows declared", "20 rows received"]
    assert rows.handles[0].tobytes().hex() not in str(events)


def test_both_providers_can_submit_at_the_same_time(
    hub: Coordinator, providers: list[Enrolled], round_id: RoundId
) -> None:
    failures: list[BaseException] = []

    def submit(seed: int, provider: Enrolled) -> None:
        try:
            hub.submit(provider, round_id, random_rows(TWO_CHUNKS, seed=seed))
        except BaseException as exc:  # noqa: BLE001 - shown by the assertion below
            failures.append(exc)

    threads = [threading.Thread(target=submit, args=(seed, one)) for seed, one in enumerate(providers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert hub.state(round_id) is RoundState.SEALED
