"""Every string and bytes field that a node can send is on this list with the reason why it may leave.

A field that is not on the list, or a list entry without a field, fails: nothing new leaves a node unseen.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from isthmus.v1 import enrolment_pb2, provider_pb2

MAY_LEAVE = {
    "EnrolRequest.token": "the coordinator made it; it is used up by this call",
    "EnrolRequest.certificate_request": "a public key and a signature by its private key, which stays",
    "EnrolRequest.identity_key": "a public key",
    "EnrolRequest.identity_proof": "a signature over the certificate request",
    "EnrolRequest.agreement_key": "a public key",
    "EnrolRequest.agreement_proof": "a signature over the party's id and a public key",
    "GetRoundRequest.round_id": "made by the coordinator",
    "SignRoundRequest.round_id": "made by the coordinator",
    "SignRoundRequest.manifest_hash": "of a document that the coordinator sent",
    "SignRoundRequest.signature": "over a document that the coordinator sent",
    "DeclineRoundRequest.round_id": "made by the coordinator",
    "DeclineRoundRequest.manifest_hash": "of a document that the coordinator sent",
    "SendKeyWrapsRequest.round_id": "made by the coordinator",
    "SendKeyWrapsRequest.wraps": "a random secret, sealed to each other member; the coordinator can open none",
    "FetchKeyWrapsRequest.round_id": "made by the coordinator",
    "SendKeyConfirmationRequest.round_id": "made by the coordinator",
    "SendKeyConfirmationRequest.confirmation": "digests of what was relayed, and a MAC under a random key",
    "FetchKeyConfirmationsRequest.round_id": "made by the coordinator",
    "ConfirmPreflightRequest.round_id": "made by the coordinator",
    "ConfirmPreflightRequest.key_check": "a keyed check value; tells equality of keys in one round and nothing else",
    "ConfirmPreflightRequest.profile_digest": "of a public document",
    "KnownAnswer.part": "a name that the profile holds",
    "KnownAnswer.mac": "of made-up values, under a key of the providers",
    "OpenSubmissionRequest.round_id": "made by the coordinator",
    "OpenSubmissionRequest.submission": "counts, digests, ids and the key-check value; no row",
    "OpenSubmissionRequest.signature": "over the submission manifest",
    "UploadChunksRequest.round_id": "made by the coordinator",
    "UploadChunksRequest.digest": "of the payload beside it",
    "UploadChunksRequest.payload": "random handles and CLKs: pseudonymous personal data, for which the round exists",
    "CompleteSubmissionRequest.round_id": "made by the coordinator",
    "FetchComparisonRequest.round_id": "made by the coordinator",
    "FetchComparisonRequest.other_party_id": "a provider that the manifest lists",
    "OpenAnswersRequest.round_id": "made by the coordinator",
    "OpenAnswersRequest.answers": "counts, digests, ids, and shares among 100 own pairs or more, in tens",
    "OpenAnswersRequest.signature": "over the declaration of answers",
    "UploadAnswersRequest.round_id": "made by the coordinator",
    "UploadAnswersRequest.other_party_id": "a provider that the manifest lists",
    "UploadAnswersRequest.digest": "of the payload beside it",
    "UploadAnswersRequest.payload": "answers under one-time pads: pseudonymous personal data, within a signed budget",
    "CompleteAnswersRequest.round_id": "made by the coordinator",
    "CompleteAnswersRequest.other_party_id": "a provider that the manifest lists",
    "TombstoneRowsRequest.round_id": "made by the coordinator",
    "TombstoneRowsRequest.handles": "random, and at the coordinator already; says which rows left, not why or who",
    "TombstoneRowsRequest.signature": "over the handles beside it",
    "FetchPseudonymsRequest.round_id": "made by the coordinator",
    "FetchIdChangesRequest.round_id": "made by the coordinator",
    "FetchQualityRequest.round_id": "made by the coordinator",
    "FetchLogRequest.project_id": "a name that the operator gave",
    "FetchLogRequest.head": "a hash that the coordinator made",
    "AcknowledgeCheckpointRequest.project_id": "a name that the operator gave",
    "AcknowledgeCheckpointRequest.head": "a hash that the coordinator made; the other providers are to see it",
    "AcknowledgeCheckpointRequest.signature": "over a hash that the coordinator made",
    "GetAgreementRequest.agreement_id": "chosen by the lead",
    "ProposeAgreementRequest.agreement_file": "written by this party's people for the other parties to read",
    "SignAgreementRequest.digest": "of a document that the coordinator sent",
    "SignAgreementRequest.signature": "over a document that the coordinator sent",
    "DeclineAgreementRequest.digest": "of a document that the coordinator sent",
    "DeclineAgreementRequest.reason": "a line that a person here wrote for the other parties",
    "WithdrawFromAgreementRequest.withdrawal": "ids, a day, and a line that a person here wrote for the other parties",
    "WithdrawFromAgreementRequest.signature": "over the withdrawal",
}


def text_fields(message: Descriptor | None, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    for field in message.fields if message else ():
        if field.type in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}:
            yield f"{field.containing_type.name if field.containing_type else ''}.{field.name}"
        elif field.message_type is not None and field.message_type.full_name not in seen:
            yield from text_fields(field.message_type, seen | {field.message_type.full_name})


def sent_by_a_node() -> set[str]:
    services = [
        provider_pb2.DESCRIPTOR.services_by_name["ProviderService"],
        enrolment_pb2.DESCRIPTOR.services_by_name["EnrolmentService"],
    ]
    return {name for service in services for method in service.methods for name in text_fields(method.input_type)}


def test_every_text_field_that_a_node_sends_is_listed_with_a_reason() -> None:
    assert sent_by_a_node() == set(MAY_LEAVE)
    assert all(len(reason) > 10 for reason in MAY_LEAVE.values())


@pytest.mark.parametrize("name", sorted(MAY_LEAVE))
def test_every_listed_field_is_in_the_data_flow_document(name: str) -> None:
    document = (Path(__file__).parents[2] / "docs" / "data-flow.md").read_text("utf-8")
    message, field = name.split(".")
    assert f"`{message}`" in document or f"`{name}`" in document, f"{message} is not in docs/data-flow.md"
    assert f"`{field}`" in document or f"`{name}`" in document, f"{field} is not in docs/data-flow.md"
