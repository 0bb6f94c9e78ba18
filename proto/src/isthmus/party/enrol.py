"""Enrolment: trade a one-time token for a certificate. Keys are made here and stay here. docs/protocol.md section 2."""

from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from isthmus.contract.canonical import IDENTITY_KEY_BYTES, Label, check_length, sign
from isthmus.contract.errors import AlreadyExists, MalformedMessage
from isthmus.party.dial import CALL_TIMEOUT_S, errors_from, open_enrolment_channel
from isthmus.party.identity import PartyRecord, certificate_request, enrolled_party, make_keys, save_enrolment
from isthmus.party.token import EnrolmentToken
from isthmus.v1 import enrolment_pb2, enrolment_pb2_grpc


def enrol(folder: Path, token: EnrolmentToken) -> PartyRecord:
    """Enrol and fill the identity folder; an identity key that is there already is kept.

    Raises:
        AlreadyExists: the folder is another party's.
        EnrolmentTokenInvalid: the token is unknown, used or too old.
        Unreachable: the coordinator does not answer, or is not the one that made the token.
    """
    _require_same_party(folder, token)
    signing_key, tls_key = make_keys(folder)
    request = certificate_request(token.party, tls_key)
    message = enrolment_pb2.EnrolRequest(
        token=token.secret_bytes(),
        certificate_request=request,
        identity_key=signing_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw),
        identity_proof=sign(signing_key, Label.IDENTITY_PROOF, request),
    )
    root = token.root.encode("ascii")
    with (
        open_enrolment_channel(token.enrolment_address, root) as channel,
        errors_from(token.enrolment_address),
    ):
        response = enrolment_pb2_grpc.EnrolmentServiceStub(channel).Enrol(message, timeout=CALL_TIMEOUT_S)
    if response.party_id != token.party:
        raise MalformedMessage(field="party_id", problem="not the party that the token names")
    record = PartyRecord(
        party=token.party,
        service_address=token.service_address,
        coordinator_key=check_length(response.coordinator_key, IDENTITY_KEY_BYTES, "coordinator_key").hex(),
    )
    save_enrolment(folder, record=record, tls_key=tls_key, certificate=response.certificate, root=token.root)
    return record


def _require_same_party(folder: Path, token: EnrolmentToken) -> None:
    """Refuse another party's token before it is used up: two parties must never share an identity key or a vault."""
    enrolled = enrolled_party(folder)
    if enrolled not in {None, token.party}:
        raise AlreadyExists(kind="identity in this folder, of party", id=str(enrolled))
