"""Enrolment: trade a one-time token for a certificate. Keys are made here and stay here. docs/protocol.md section 2."""

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from isthmus.contract.canonical import IDENTITY_KEY_BYTES, Label, check_length, sign
from isthmus.contract.errors import AlreadyExists, MalformedMessage
from isthmus.contract.key_agreement import sign_agreement_key
from isthmus.party.dial import CALL_TIMEOUT_S, errors_from, open_enrolment_channel
from isthmus.party.identity import (
    PLAIN,
    KeyFiles,
    PartyRecord,
    certificate_request,
    enrolled_party,
    make_agreement_key,
    make_keys,
    save_enrolment,
)
from isthmus.party.token import EnrolmentToken
from isthmus.v1 import enrolment_pb2, enrolment_pb2_grpc


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Which keys a party makes, and how they lie on disk.

    A party that takes part in rounds shows an agreement key: the one that it has, unless it wants a new one.
    """

    files: KeyFiles = PLAIN
    with_agreement_key: bool = False
    renew_agreement_key: bool = False

    def agreement_key(self, folder: Path) -> X25519PrivateKey | None:
        """Give the key to show, if one is."""
        if not self.with_agreement_key:
            return None
        return make_agreement_key(folder, files=self.files, renew=self.renew_agreement_key)


def enrol(folder: Path, token: EnrolmentToken, *, keys: Keys | None = None) -> PartyRecord:
    """Enrol and fill the identity folder; an identity key that is there already is kept.

    Raises:
        AlreadyExists: the folder is another party's.
        EnrolmentTokenInvalid: the token is unknown, used or too old.
        Unreachable: the coordinator does not answer, or is not the one that made the token.
    """
    _require_same_party(folder, token)
    wanted = keys or Keys()
    signing_key, tls_key = make_keys(folder, files=wanted.files)
    agreement_key = wanted.agreement_key(folder)
    response = _trade(token, _request(token, signing_key, tls_key, agreement_key))
    record = PartyRecord(
        party=token.party,
        service_address=token.service_address,
        coordinator_key=check_length(response.coordinator_key, IDENTITY_KEY_BYTES, "coordinator_key").hex(),
    )
    save_enrolment(
        folder,
        record=record,
        tls_key=tls_key,
        certificate=response.certificate,
        root=token.root,
        agreement_key=agreement_key,
        files=wanted.files,
    )
    return record


def _request(
    token: EnrolmentToken,
    signing_key: Ed25519PrivateKey,
    tls_key: ec.EllipticCurvePrivateKey,
    agreement_key: X25519PrivateKey | None,
) -> enrolment_pb2.EnrolRequest:
    request = certificate_request(token.party, tls_key)
    message = enrolment_pb2.EnrolRequest(
        token=token.secret_bytes(),
        certificate_request=request,
        identity_key=signing_key.public_key().public_bytes_raw(),
        identity_proof=sign(signing_key, Label.IDENTITY_PROOF, request),
    )
    if agreement_key is not None:
        shown = agreement_key.public_key().public_bytes_raw()
        message.agreement_key = shown
        message.agreement_proof = sign_agreement_key(signing_key, party=token.party, agreement_key=shown)
    return message


def _trade(token: EnrolmentToken, message: enrolment_pb2.EnrolRequest) -> enrolment_pb2.EnrolResponse:
    root = token.root.encode("ascii")
    with open_enrolment_channel(token.enrolment_address, root) as channel, errors_from(token.enrolment_address):
        response = enrolment_pb2_grpc.EnrolmentServiceStub(channel).Enrol(message, timeout=CALL_TIMEOUT_S)
    if response.party_id != token.party:
        raise MalformedMessage(field="party_id", problem="not the party that the token names")
    return response


def _require_same_party(folder: Path, token: EnrolmentToken) -> None:
    """Refuse another party's token before it is used up: two parties must never share an identity key or a vault."""
    enrolled = enrolled_party(folder)
    if enrolled not in {None, token.party}:
        raise AlreadyExists(kind="identity in this folder, of party", id=str(enrolled))
