"""ProviderService: what a provider's node may ask."""

from collections.abc import Iterator, Mapping

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isthmus.contract.convert import round_to_wire
from isthmus.contract.ids import parse_party_id, parse_project_id, parse_round_id
from isthmus.contract.known_answers import KnownAnswer
from isthmus.coordinator.actions import answers, key_exchange, log, results, rounds, submissions, tombstones
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.domain.pseudonyms import ChangeRow
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.rpc.adapter import Call
from isthmus.coordinator.rpc.log_end import known_end
from isthmus.v1 import common_pb2
from isthmus.v1 import provider_pb2 as pb


class ProviderCalls:
    """The calls of ProviderService over one coordinator's context."""

    def __init__(self, context: Context, signing_key: Ed25519PrivateKey) -> None:
        """Act in that context and sign receipts with that key."""
        self._context = context
        self._signing_key = signing_key

    def table(self) -> Mapping[str, Call]:
        """Give the service's table."""
        return {
            "ListRounds": self._list_rounds,
            "GetRound": self._get_round,
            "SignRound": self._sign_round,
            "DeclineRound": self._decline_round,
            "SendKeyWraps": self._send_key_wraps,
            "FetchKeyWraps": self._fetch_key_wraps,
            "SendKeyConfirmation": self._send_key_confirmation,
            "FetchKeyConfirmations": self._fetch_key_confirmations,
            "ConfirmPreflight": self._confirm_preflight,
            "OpenSubmission": self._open_submission,
            "UploadChunks": self._upload_chunk,
            "CompleteSubmission": self._complete_submission,
            "FetchComparison": self._fetch_comparison,
            "OpenAnswers": self._open_answers,
            "UploadAnswers": self._upload_answers,
            "CompleteAnswers": self._complete_answers,
            "TombstoneRows": self._tombstone_rows,
            "FetchPseudonyms": self._fetch_pseudonyms,
            "FetchIdChanges": self._fetch_id_changes,
            "FetchQuality": self._fetch_quality,
            "FetchLog": self._fetch_log,
            "AcknowledgeCheckpoint": self._acknowledge_checkpoint,
        }

    def _list_rounds(self, actor: Actor, _request: pb.ListRoundsRequest) -> pb.ListRoundsResponse:
        views = rounds.list_rounds(self._context, actor)
        return pb.ListRoundsResponse(rounds=[round_to_wire(view) for view in views])

    def _get_round(self, actor: Actor, request: pb.GetRoundRequest) -> pb.GetRoundResponse:
        round_id = parse_round_id(request.round_id)
        view, manifest, signatures = rounds.get_round(self._context, actor, round_id=round_id)
        signed = [common_pb2.ManifestSignature(party_id=one.party, signature=one.signature) for one in signatures]
        return pb.GetRoundResponse(round=round_to_wire(view), manifest=manifest, signatures=signed)

    def _sign_round(self, actor: Actor, request: pb.SignRoundRequest) -> pb.SignRoundResponse:
        view = rounds.sign_round(
            self._context,
            actor,
            round_id=parse_round_id(request.round_id),
            manifest_hash=request.manifest_hash,
            signature=request.signature,
        )
        return pb.SignRoundResponse(round=round_to_wire(view))

    def _decline_round(self, actor: Actor, request: pb.DeclineRoundRequest) -> pb.DeclineRoundResponse:
        view = rounds.decline_round(
            self._context, actor, round_id=parse_round_id(request.round_id), manifest_hash=request.manifest_hash
        )
        return pb.DeclineRoundResponse(round=round_to_wire(view))

    def _send_key_wraps(self, actor: Actor, request: pb.SendKeyWrapsRequest) -> pb.SendKeyWrapsResponse:
        round_id = parse_round_id(request.round_id)
        view = key_exchange.send_wraps(self._context, actor, round_id=round_id, document=request.wraps)
        return pb.SendKeyWrapsResponse(round=round_to_wire(view))

    def _fetch_key_wraps(self, actor: Actor, request: pb.FetchKeyWrapsRequest) -> Iterator[pb.FetchKeyWrapsResponse]:
        documents = key_exchange.fetch_wraps(self._context, actor, round_id=parse_round_id(request.round_id))
        return (pb.FetchKeyWrapsResponse(wraps=document) for document in documents)

    def _send_key_confirmation(
        self, actor: Actor, request: pb.SendKeyConfirmationRequest
    ) -> pb.SendKeyConfirmationResponse:
        round_id = parse_round_id(request.round_id)
        view = key_exchange.send_confirmation(self._context, actor, round_id=round_id, document=request.confirmation)
        return pb.SendKeyConfirmationResponse(round=round_to_wire(view))

    def _fetch_key_confirmations(
        self, actor: Actor, request: pb.FetchKeyConfirmationsRequest
    ) -> Iterator[pb.FetchKeyConfirmationsResponse]:
        documents = key_exchange.fetch_confirmations(self._context, actor, round_id=parse_round_id(request.round_id))
        return (pb.FetchKeyConfirmationsResponse(confirmation=document) for document in documents)

    def _confirm_preflight(self, actor: Actor, request: pb.ConfirmPreflightRequest) -> pb.ConfirmPreflightResponse:
        view = rounds.confirm_preflight(
            self._context,
            actor,
            round_id=parse_round_id(request.round_id),
            key_check=request.key_check,
            profile_digest=request.profile_digest,
            answers=tuple(KnownAnswer(part=one.part, mac=one.mac) for one in request.known_answers),
        )
        return pb.ConfirmPreflightResponse(round=round_to_wire(view))

    def _open_submission(self, actor: Actor, request: pb.OpenSubmissionRequest) -> pb.OpenSubmissionResponse:
        resume = submissions.open_submission(
            self._context,
            actor,
            round_id=parse_round_id(request.round_id),
            document=request.submission,
            signature=request.signature,
        )
        return pb.OpenSubmissionResponse(next_chunk=resume.next_chunk, complete=resume.complete)

    def _upload_chunk(self, actor: Actor, request: pb.UploadChunksRequest) -> pb.UploadChunksResponse:
        index = submissions.store_chunk(
            self._context,
            actor,
            round_id=parse_round_id(request.round_id),
            index=request.index,
            digest=request.digest,
            payload=request.payload,
        )
        return pb.UploadChunksResponse(index=index)

    def _complete_submission(
        self, actor: Actor, request: pb.CompleteSubmissionRequest
    ) -> pb.CompleteSubmissionResponse:
        receipt, signature = submissions.complete_submission(
            self._context, actor, round_id=parse_round_id(request.round_id), signing_key=self._signing_key
        )
        return pb.CompleteSubmissionResponse(receipt=receipt, signature=signature)

    def _fetch_comparison(
        self, actor: Actor, request: pb.FetchComparisonRequest
    ) -> Iterator[pb.FetchComparisonResponse]:
        asked = answers.fetch_comparison(
            self._context,
            actor,
            round_id=parse_round_id(request.round_id),
            other=parse_party_id(request.other_party_id),
            signing_key=self._signing_key,
        )
        yield pb.FetchComparisonResponse(
            request=asked.request,
            signature=asked.signature,
            other_submission=asked.other_submission,
            other_signature=asked.other_signature,
        )
        for piece in asked.rows:
            yield pb.FetchComparisonResponse(rows=piece)

    def _open_answers(self, actor: Actor, request: pb.OpenAnswersRequest) -> pb.OpenAnswersResponse:
        resume = answers.open_answers(
            self._context,
            actor,
            round_id=parse_round_id(request.round_id),
            document=request.answers,
            signature=request.signature,
        )
        return pb.OpenAnswersResponse(next_chunk=resume.next_chunk, complete=resume.complete)

    def _upload_answers(self, actor: Actor, request: pb.UploadAnswersRequest) -> pb.UploadAnswersResponse:
        index = answers.store_answers(
            self._context,
            actor,
            round_id=parse_round_id(request.round_id),
            other=parse_party_id(request.other_party_id),
            index=request.index,
            digest=request.digest,
            payload=request.payload,
        )
        return pb.UploadAnswersResponse(index=index)

    def _complete_answers(self, actor: Actor, request: pb.CompleteAnswersRequest) -> pb.CompleteAnswersResponse:
        view = answers.complete_answers(
            self._context,
            actor,
            round_id=parse_round_id(request.round_id),
            other=parse_party_id(request.other_party_id),
        )
        return pb.CompleteAnswersResponse(round=round_to_wire(view))

    def _tombstone_rows(self, actor: Actor, request: pb.TombstoneRowsRequest) -> pb.TombstoneRowsResponse:
        view = tombstones.tombstone_rows(
            self._context,
            actor,
            round_id=parse_round_id(request.round_id),
            handles=request.handles,
            signature=request.signature,
        )
        return pb.TombstoneRowsResponse(round=round_to_wire(view))

    def _fetch_pseudonyms(
        self, actor: Actor, request: pb.FetchPseudonymsRequest
    ) -> Iterator[pb.FetchPseudonymsResponse]:
        round_id = parse_round_id(request.round_id)
        slot_count, batches = results.fetch_pseudonyms(self._context, actor, round_id=round_id)
        for batch in batches:
            rows = [pb.PseudonymRow(handle=row.handle, pseudonym=row.pseudonym, slot=row.slot) for row in batch]
            yield pb.FetchPseudonymsResponse(rows=rows, slot_count=slot_count)

    def _fetch_id_changes(self, actor: Actor, request: pb.FetchIdChangesRequest) -> Iterator[pb.FetchIdChangesResponse]:
        for batch in results.fetch_id_changes(self._context, actor, round_id=parse_round_id(request.round_id)):
            yield pb.FetchIdChangesResponse(changes=[_change_to_wire(change) for change in batch])

    def _fetch_quality(self, actor: Actor, request: pb.FetchQualityRequest) -> pb.FetchQualityResponse:
        quality = results.fetch_quality(self._context, actor, round_id=parse_round_id(request.round_id))
        return pb.FetchQualityResponse(report=quality.to_bytes())

    def _fetch_log(self, actor: Actor, request: pb.FetchLogRequest) -> Iterator[pb.FetchLogResponse]:
        pieces = log.fetch_log(
            self._context,
            actor,
            project=parse_project_id(request.project_id),
            known=known_end(sequence=request.sequence, head=request.head),
            signing_key=self._signing_key,
        )
        return (
            pb.FetchLogResponse(events=one.events, checkpoint=one.checkpoint, signature=one.signature) for one in pieces
        )

    def _acknowledge_checkpoint(
        self, actor: Actor, request: pb.AcknowledgeCheckpointRequest
    ) -> pb.AcknowledgeCheckpointResponse:
        log.acknowledge_checkpoint(
            self._context,
            actor,
            project=parse_project_id(request.project_id),
            head=known_end(sequence=request.sequence, head=request.head),
            signature=request.signature,
        )
        return pb.AcknowledgeCheckpointResponse()


def _change_to_wire(change: ChangeRow) -> pb.IdChange:
    reason = pb.IdChangeReason.ValueType(change.reason)
    return pb.IdChange(handle=change.handle, before=change.before, now=change.now, reason=reason)
