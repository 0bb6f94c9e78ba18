"""Calls to the coordinator, in the node's own words. A node dials out and is never dialled."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from isthmus.contract.audit_log import Head
from isthmus.contract.canonical import check_length, same_bytes, sha256
from isthmus.contract.convert import round_from_wire
from isthmus.contract.encodings import Submission, chunk_rows, row_bytes
from isthmus.contract.errors import MalformedMessage
from isthmus.contract.field_answers import ComparisonAnswers, answers_per_chunk
from isthmus.contract.id_changes import IdChangeReason
from isthmus.contract.ids import HANDLE_BYTES, PSEUDONYM, PartyId, ProjectId, Pseudonym, RoundId
from isthmus.contract.known_answers import KnownAnswer
from isthmus.contract.quality import QualityReport, quality_of_round
from isthmus.contract.views import RoundView
from isthmus.node.errors import OutboxDamaged
from isthmus.party.dial import CALL_TIMEOUT_S, errors_from, open_channel
from isthmus.party.identity import Identity
from isthmus.v1 import provider_pb2 as pb
from isthmus.v1 import provider_pb2_grpc

UPLOAD_TIMEOUT_S: Final = 24 * 3600.0
"""A slow line may take hours; a broken one is noticed by keep-alive pings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedRow:
    """One of this node's rows: its handle (16 bytes), its pseudonym, its slot in the spine if there is one."""

    handle: bytes
    pseudonym: Pseudonym
    slot: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedChange:
    """One of this node's rows whose pseudonym is another than it had before: its handle (16 bytes), both, and why."""

    handle: bytes
    before: Pseudonym
    now: Pseudonym
    reason: IdChangeReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Where a submission goes on: the first chunk that is not stored, and whether it is closed."""

    next_chunk: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the coordinator asks about this node's rows and those of another provider, as it came.

    `request` and the other's `other_submission` are documents with a signature each; `rows` gives the row numbers'
    bytes as they come, and can be gone through once.
    """

    request: bytes
    signature: bytes
    other_submission: bytes
    other_signature: bytes
    rows: Iterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLog:
    """What the coordinator shows of a log: events, then the signed end; all empty where nothing is new.

    `is_gone` where it no longer knows the project.
    """

    events: tuple[bytes, ...] = ()
    checkpoint: bytes = b""
    signature: bytes = b""
    is_gone: bool = False


class Client:
    """An open connection. Every call raises typed errors; `Unreachable` may be tried again."""

    def __init__(self, stub: provider_pb2_grpc.ProviderServiceStub, address: str) -> None:
        """Call through that stub."""
        self._stub = stub
        self._address = address

    def list_rounds(self) -> list[RoundView]:
        """Give this party's rounds, the latest change first."""
        with errors_from(self._address):
            response = self._stub.ListRounds(pb.ListRoundsRequest(), timeout=CALL_TIMEOUT_S)
        return [round_from_wire(one) for one in response.rounds]

    def get_round(self, round_id: RoundId) -> tuple[RoundView, bytes, dict[PartyId, bytes]]:
        """Give a round, its manifest's bytes, and the signatures on it by party."""
        with errors_from(self._address):
            response = self._stub.GetRound(pb.GetRoundRequest(round_id=round_id), timeout=CALL_TIMEOUT_S)
        signatures = {PartyId(one.party_id): one.signature for one in response.signatures}
        view = round_from_wire(response.round)
        if view.round_id != round_id or not same_bytes(view.manifest_hash, sha256(response.manifest)):
            raise MalformedMessage(field="round", problem="not the round that was asked for")
        return view, response.manifest, signatures

    def sign_round(self, round_id: RoundId, *, manifest_hash: bytes, signature: bytes) -> RoundView:
        """Agree to a proposed round."""
        request = pb.SignRoundRequest(round_id=round_id, manifest_hash=manifest_hash, signature=signature)
        with errors_from(self._address):
            return round_from_wire(self._stub.SignRound(request, timeout=CALL_TIMEOUT_S).round)

    def decline_round(self, round_id: RoundId, *, manifest_hash: bytes) -> RoundView:
        """Refuse a proposed round, which ends it."""
        request = pb.DeclineRoundRequest(round_id=round_id, manifest_hash=manifest_hash)
        with errors_from(self._address):
            return round_from_wire(self._stub.DeclineRound(request, timeout=CALL_TIMEOUT_S).round)

    def send_key_wraps(self, round_id: RoundId, wraps: bytes) -> RoundView:
        """Put this party's part of the round's key, sealed to each other member, before the others."""
        request = pb.SendKeyWrapsRequest(round_id=round_id, wraps=wraps)
        with errors_from(self._address):
            return round_from_wire(self._stub.SendKeyWraps(request, timeout=CALL_TIMEOUT_S).round)

    def fetch_key_wraps(self, round_id: RoundId) -> Iterator[bytes]:
        """Give the signed wraps that members put there so far, unread and in any order."""
        with errors_from(self._address):
            request = pb.FetchKeyWrapsRequest(round_id=round_id)
            for response in self._stub.FetchKeyWraps(request, timeout=CALL_TIMEOUT_S):
                yield response.wraps

    def send_key_confirmation(self, round_id: RoundId, confirmation: bytes) -> RoundView:
        """Send this party's proof of the parts that it saw and of the key."""
        request = pb.SendKeyConfirmationRequest(round_id=round_id, confirmation=confirmation)
        with errors_from(self._address):
            return round_from_wire(self._stub.SendKeyConfirmation(request, timeout=CALL_TIMEOUT_S).round)

    def fetch_key_confirmations(self, round_id: RoundId) -> Iterator[bytes]:
        """Give the confirmations that members sent so far, unread and in any order."""
        with errors_from(self._address):
            request = pb.FetchKeyConfirmationsRequest(round_id=round_id)
            for response in self._stub.FetchKeyConfirmations(request, timeout=CALL_TIMEOUT_S):
                yield response.confirmation

    def confirm_preflight(
        self, round_id: RoundId, *, key_check: bytes, profile_digest: bytes, answers: Sequence[KnownAnswer]
    ) -> RoundView:
        """Show under which key and profile this node will encode."""
        request = pb.ConfirmPreflightRequest(
            round_id=round_id,
            key_check=key_check,
            profile_digest=profile_digest,
            known_answers=[pb.KnownAnswer(part=one.part, mac=one.mac) for one in answers],
        )
        with errors_from(self._address):
            return round_from_wire(self._stub.ConfirmPreflight(request, timeout=CALL_TIMEOUT_S).round)

    def open_submission(self, round_id: RoundId, *, document: bytes, signature: bytes) -> Resume:
        """Declare a submission, or find out where it goes on."""
        request = pb.OpenSubmissionRequest(round_id=round_id, submission=document, signature=signature)
        with errors_from(self._address):
            response = self._stub.OpenSubmission(request, timeout=CALL_TIMEOUT_S)
        return Resume(next_chunk=response.next_chunk, complete=response.complete)

    def upload(self, submission: Submission, payload: Path, *, first: int, acknowledged: Callable[[int], None]) -> None:
        """Send the chunks from `first` on; `acknowledged` is told of each that is on the coordinator's disk."""
        requests = _chunks(submission, payload, first=first)
        with errors_from(self._address):
            for response in self._stub.UploadChunks(requests, timeout=UPLOAD_TIMEOUT_S):
                acknowledged(response.index)

    def complete_submission(self, round_id: RoundId) -> tuple[bytes, bytes]:
        """Close a submission; give the receipt's bytes and the coordinator's signature on it."""
        request = pb.CompleteSubmissionRequest(round_id=round_id)
        with errors_from(self._address):
            response = self._stub.CompleteSubmission(request, timeout=UPLOAD_TIMEOUT_S)
        return response.receipt, response.signature

    @contextmanager
    def fetch_comparison(self, round_id: RoundId, other: PartyId) -> Iterator[Asked]:
        """Open what the coordinator asks; its row numbers come while the block runs."""
        request = pb.FetchComparisonRequest(round_id=round_id, other_party_id=other)
        with errors_from(self._address):
            call = self._stub.FetchComparison(request, timeout=UPLOAD_TIMEOUT_S)
            try:
                first = next(iter(call), None)
                if first is None:
                    raise MalformedMessage(field="comparison request", problem="not there")
                yield Asked(
                    request=first.request,
                    signature=first.signature,
                    other_submission=first.other_submission,
                    other_signature=first.other_signature,
                    rows=chain([first.rows], (one.rows for one in call)),
                )
            finally:
                call.cancel()

    def open_answers(self, round_id: RoundId, *, document: bytes, signature: bytes) -> Resume:
        """Declare answers, or find out where they go on."""
        request = pb.OpenAnswersRequest(round_id=round_id, answers=document, signature=signature)
        with errors_from(self._address):
            response = self._stub.OpenAnswers(request, timeout=CALL_TIMEOUT_S)
        return Resume(next_chunk=response.next_chunk, complete=response.complete)

    def upload_answers(
        self, answers: ComparisonAnswers, path: Path, *, first: int, acknowledged: Callable[[int], None]
    ) -> None:
        """Send the chunks from `first` on; `acknowledged` is told of each that is on the coordinator's disk."""
        requests = _answer_chunks(answers, path, first=first)
        with errors_from(self._address):
            for response in self._stub.UploadAnswers(requests, timeout=UPLOAD_TIMEOUT_S):
                acknowledged(response.index)

    def complete_answers(self, round_id: RoundId, other: PartyId) -> RoundView:
        """Close answers."""
        request = pb.CompleteAnswersRequest(round_id=round_id, other_party_id=other)
        with errors_from(self._address):
            return round_from_wire(self._stub.CompleteAnswers(request, timeout=UPLOAD_TIMEOUT_S).round)

    def tombstone_rows(self, round_id: RoundId, *, handles: Sequence[bytes], signature: bytes) -> RoundView:
        """Strike rows of this party's out of a round."""
        request = pb.TombstoneRowsRequest(round_id=round_id, handles=handles, signature=signature)
        with errors_from(self._address):
            return round_from_wire(self._stub.TombstoneRows(request, timeout=UPLOAD_TIMEOUT_S).round)

    def fetch_pseudonyms(self, round_id: RoundId) -> Iterator[FetchedRow]:
        """Give this party's rows with their pseudonyms; raise `MalformedMessage` where one of them is not one."""
        with errors_from(self._address):
            request = pb.FetchPseudonymsRequest(round_id=round_id)
            for response in self._stub.FetchPseudonyms(request, timeout=UPLOAD_TIMEOUT_S):
                for row in response.rows:
                    yield _fetched(row, slot_count=response.slot_count)

    def fetch_id_changes(self, round_id: RoundId) -> Iterator[FetchedChange]:
        """Give this party's rows whose pseudonym a round changed; raise `MalformedMessage` where one is not lawful."""
        with errors_from(self._address):
            request = pb.FetchIdChangesRequest(round_id=round_id)
            for response in self._stub.FetchIdChanges(request, timeout=UPLOAD_TIMEOUT_S):
                yield from map(_fetched_change, response.changes)

    def fetch_quality(self, round_id: RoundId) -> QualityReport:
        """Give the quality report of a released round; raise `NoQualityReport` where it compared no fields."""
        with errors_from(self._address):
            response = self._stub.FetchQuality(pb.FetchQualityRequest(round_id=round_id), timeout=CALL_TIMEOUT_S)
        return quality_of_round(response.report, round_id)

    def fetch_log(self, project: ProjectId, known: Head) -> ShownLog:
        """Give what happened in a project after what is known, unchecked."""
        request = pb.FetchLogRequest(project_id=project, sequence=known.sequence, head=known.hash)
        events: list[bytes] = []
        checkpoint = signature = b""
        with errors_from(self._address):
            for response in self._stub.FetchLog(request, timeout=UPLOAD_TIMEOUT_S):
                events += response.events
                checkpoint, signature = response.checkpoint, response.signature
        return ShownLog(events=tuple(events), checkpoint=checkpoint, signature=signature)

    def acknowledge_checkpoint(self, project: ProjectId, *, head: Head, signature: bytes) -> None:
        """Say up to where this node was shown the log."""
        request = pb.AcknowledgeCheckpointRequest(
            project_id=project, sequence=head.sequence, head=head.hash, signature=signature
        )
        with errors_from(self._address):
            self._stub.AcknowledgeCheckpoint(request, timeout=CALL_TIMEOUT_S)


@contextmanager
def connect(identity: Identity) -> Iterator[Client]:
    """Open a connection to the coordinator that the party enrolled with."""
    with open_channel(identity) as channel:
        yield Client(provider_pb2_grpc.ProviderServiceStub(channel), identity.service_address)


def _chunks(submission: Submission, payload: Path, *, first: int) -> Iterator[pb.UploadChunksRequest]:
    size = row_bytes(submission.row_bits)
    full = chunk_rows(rows=submission.rows, row_bits=submission.row_bits, index=0) * size
    with payload.open("rb") as file:
        file.seek(first * full)
        for index in range(first, submission.chunk_count):
            rows = chunk_rows(rows=submission.rows, row_bits=submission.row_bits, index=index)
            data = file.read(rows * size)
            if len(data) != rows * size:
                raise OutboxDamaged(round_id=submission.round_id)
            yield pb.UploadChunksRequest(round_id=submission.round_id, index=index, digest=sha256(data), payload=data)


def _answer_chunks(answers: ComparisonAnswers, path: Path, *, first: int) -> Iterator[pb.UploadAnswersRequest]:
    full = answers_per_chunk(answers.answer_bytes)
    with path.open("rb") as file:
        file.seek(first * full * answers.answer_bytes)
        for index in range(first, answers.chunk_count):
            size = min(full, answers.pairs - index * full) * answers.answer_bytes
            data = file.read(size)
            if len(data) != size:
                raise OutboxDamaged(round_id=answers.round_id)
            yield pb.UploadAnswersRequest(
                round_id=answers.round_id, other_party_id=answers.other, index=index, digest=sha256(data), payload=data
            )


def _fetched(row: pb.PseudonymRow, *, slot_count: int) -> FetchedRow:
    """Give a row; it goes into a file that people open with a spreadsheet, so its form is checked to the letter."""
    slot = row.slot if row.HasField("slot") else None
    if PSEUDONYM.fullmatch(row.pseudonym) is None or (slot is not None and slot >= slot_count):
        raise MalformedMessage(field="pseudonym", problem="not one of this service")
    return FetchedRow(
        handle=check_length(row.handle, HANDLE_BYTES, "handle"), pseudonym=Pseudonym(row.pseudonym), slot=slot
    )


def _fetched_change(change: pb.IdChange) -> FetchedChange:
    """Give a change, checked to the letter as rows are."""
    if any(PSEUDONYM.fullmatch(one) is None for one in (change.before, change.now)):
        raise MalformedMessage(field="pseudonym", problem="not one of this service")
    if change.reason not in {one.value for one in IdChangeReason}:
        raise MalformedMessage(field="reason", problem="not one that this version knows")
    return FetchedChange(
        handle=check_length(change.handle, HANDLE_BYTES, "handle"),
        before=Pseudonym(change.before),
        now=Pseudonym(change.now),
        reason=IdChangeReason(change.reason),
    )
