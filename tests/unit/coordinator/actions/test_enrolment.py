"""Enrolment: one token, one certificate, one identity key; whatever fails costs nothing."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from harness import OPERATOR, START, Coordinator, public_bytes

from isthmus.contract.canonical import Label, sign
from isthmus.contract.errors import (
    AlreadyExists,
    CertificateExpired,
    CertificateUnknown,
    EnrolmentTokenInvalid,
    MalformedMessage,
    NotFound,
    PermissionDenied,
    SignatureInvalid,
    StateChanged,
)
from isthmus.contract.ids import PartyId
from isthmus.contract.parties import PartyKind, Role
from isthmus.contract.project import LONGEST_NAME
from isthmus.coordinator.actions.access import authenticate, authorise, record_counted_denials
from isthmus.coordinator.actions.enrolment import add_party, list_parties, revoke_party
from isthmus.coordinator.authority import CERTIFICATE_LIFETIME, key_digest_of_certificate
from isthmus.coordinator.domain.audit import COORDINATOR_SCOPE
from isthmus.coordinator.domain.roles import Actor
from isthmus.party.identity import certificate_request

RIVERSIDE = PartyId("riverside")


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def _caller(hub: Coordinator, certificate: str) -> Actor:
    return authenticate(hub.context, key_digest_of_certificate(certificate.encode()))


def _request(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | Ed25519PrivateKey) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anybody")])
    digest = None if isinstance(key, Ed25519PrivateKey) else hashes.SHA256()
    return x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, digest).public_bytes(Encoding.DER)


def _with_broken_signature() -> bytes:
    request = bytearray(_request(ec.generate_private_key(ec.SECP256R1())))
    request[-1] ^= 1
    return bytes(request)


def _on_unknown_curve() -> bytes:
    p_256 = bytes.fromhex("06082a8648ce3d030107")
    request = _request(ec.generate_private_key(ec.SECP256R1()))
    assert p_256 in request
    return request.replace(p_256, p_256[:-1] + b"\x7f")


def test_token_is_traded_for_a_certificate_of_the_party_for_seven_days(
    hub: Coordinator, key: Ed25519PrivateKey
) -> None:
    hub.register("riverside")

    certificate = hub.enrol(hub.mint("riverside"), key)

    parsed = x509.load_pem_x509_certificate(certificate.encode())
    assert parsed.not_valid_after_utc == START + CERTIFICATE_LIFETIME
    assert parsed.subject.rfc4514_string() == "CN=riverside"
    assert _caller(hub, certificate) == Actor(party=RIVERSIDE, role=Role.PROVIDER)
    assert list_parties(hub.context)[0].identity_key == public_bytes(key)


def test_certificate_names_the_party_of_the_token_whatever_the_request_says(
    hub: Coordinator, key: Ed25519PrivateKey
) -> None:
    hub.register("riverside")

    certificate = hub.enrol(hub.mint("riverside"), key, request=_request(ec.generate_private_key(ec.SECP256R1())))

    assert x509.load_pem_x509_certificate(certificate.encode()).subject.rfc4514_string() == "CN=riverside"


def test_token_works_once(hub: Coordinator, key: Ed25519PrivateKey) -> None:
    hub.register("riverside")
    token = hub.mint("riverside")
    hub.enrol(token, key)

    with pytest.raises(EnrolmentTokenInvalid):
        hub.enrol(token, key)


@pytest.mark.parametrize(("minutes", "works"), [(0, True), (59, True), (60, False), (61, False)])
def test_token_works_for_one_hour(hub: Coordinator, key: Ed25519PrivateKey, minutes: int, works: bool) -> None:
    hub.register("riverside")
    token = hub.mint("riverside")
    hub.clock.set(START + timedelta(minutes=minutes))

    if works:
        assert hub.enrol(token, key)
    else:
        with pytest.raises(EnrolmentTokenInvalid):
            hub.enrol(token, key)


def test_new_token_ends_the_older_one_of_that_party_alone(hub: Coordinator, key: Ed25519PrivateKey) -> None:
    hub.register("riverside")
    hub.register("college")
    older, of_another = hub.mint("riverside"), hub.mint("college")

    hub.mint("riverside")

    with pytest.raises(EnrolmentTokenInvalid):
        hub.enrol(older, key)
    assert hub.enrol(of_another, key)


def test_unknown_token_is_refused(hub: Coordinator, key: Ed25519PrivateKey) -> None:
    hub.register("riverside")

    with pytest.raises(EnrolmentTokenInvalid):
        hub.enrol(hub.mint("riverside"), key, token=bytes(32))


def test_no_token_is_minted_for_a_party_that_is_not_registered(hub: Coordinator) -> None:
    with pytest.raises(NotFound):
        hub.mint("riverside")


def _other_key_shown(hub: Coordinator, key: Ed25519PrivateKey) -> dict[str, bytes]:
    return {"identity_key": public_bytes(Ed25519PrivateKey.generate())}


def _proof_of_another_request(hub: Coordinator, key: Ed25519PrivateKey) -> dict[str, bytes]:
    return {"identity_proof": sign(key, Label.IDENTITY_PROOF, b"another request")}


def _proof_under_another_label(hub: Coordinator, key: Ed25519PrivateKey) -> dict[str, bytes]:
    request = _request(ec.generate_private_key(ec.SECP256R1()))
    return {"request": request, "identity_proof": sign(key, Label.SUBMISSION, request)}


@pytest.mark.parametrize("changes", [_other_key_shown, _proof_of_another_request, _proof_under_another_label])
def test_caller_has_to_hold_the_identity_key_and_failing_costs_no_token(
    hub: Coordinator, key: Ed25519PrivateKey, changes: Callable[[Coordinator, Ed25519PrivateKey], dict[str, bytes]]
) -> None:
    hub.register("riverside")
    token = hub.mint("riverside")

    with pytest.raises(SignatureInvalid):
        hub.enrol(token, key, **changes(hub, key))

    assert hub.enrol(token, key)


@pytest.mark.parametrize(
    "request_",
    [
        b"",
        b"garbage",
        b"\x30" * 5000,
        _request(Ed25519PrivateKey.generate()),
        _request(ec.generate_private_key(ec.SECP384R1())),
        _request(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        _with_broken_signature(),
        _on_unknown_curve(),
    ],
    ids=["empty", "garbage", "too long", "Ed25519", "P-384", "RSA", "broken signature", "unknown curve"],
)
def test_request_that_is_not_of_a_p_256_key_is_refused_and_costs_no_token(
    hub: Coordinator, key: Ed25519PrivateKey, request_: bytes
) -> None:
    hub.register("riverside")
    token = hub.mint("riverside")

    with pytest.raises(MalformedMessage, match="certificate_request"):
        hub.enrol(token, key, request=request_)

    assert hub.enrol(token, key)


@pytest.mark.parametrize("changes", [{"token": bytes(31)}, {"identity_key": bytes(33)}])
def test_fields_of_another_length_are_refused(
    hub: Coordinator, key: Ed25519PrivateKey, changes: dict[str, bytes]
) -> None:
    hub.register("riverside")

    with pytest.raises(MalformedMessage):
        hub.enrol(hub.mint("riverside"), key, **changes)


def test_identity_key_is_pinned_and_another_one_is_refused_without_using_the_token(
    hub: Coordinator, key: Ed25519PrivateKey
) -> None:
    hub.register("riverside")
    hub.enrol(hub.mint("riverside"), key)
    token = hub.mint("riverside")

    with pytest.raises(StateChanged):
        hub.enrol(token, Ed25519PrivateKey.generate())

    assert list_parties(hub.context)[0].identity_key == public_bytes(key)
    assert hub.enrol(token, key)


def test_tls_key_of_one_party_cannot_be_certified_for_another(hub: Coordinator, key: Ed25519PrivateKey) -> None:
    hub.register("riverside")
    hub.register("college")
    request = certificate_request(RIVERSIDE, ec.generate_private_key(ec.SECP256R1()))
    certificate = hub.enrol(hub.mint("riverside"), key, request=request)

    with pytest.raises(AlreadyExists):
        hub.enrol(hub.mint("college"), Ed25519PrivateKey.generate(), request=request)

    assert _caller(hub, certificate).party == RIVERSIDE


def test_failed_enrolment_leaves_no_event(hub: Coordinator, key: Ed25519PrivateKey) -> None:
    hub.register("riverside")
    token = hub.mint("riverside")
    before = hub.events(COORDINATOR_SCOPE)

    with pytest.raises(SignatureInvalid):
        hub.enrol(token, key, identity_proof=bytes(64))

    assert hub.events(COORDINATOR_SCOPE) == before


def test_enrolment_is_recorded_without_token_or_key(hub: Coordinator, key: Ed25519PrivateKey) -> None:
    hub.register("riverside")
    token = hub.mint("riverside")
    hub.enrol(token, key)

    events = hub.events(COORDINATOR_SCOPE)

    assert {event["action"] for event in events} == {
        "party.add",
        "token.mint",
        "token.use",
        "identity.pin",
        "certificate.issue",
    }
    assert token.secret not in str(events)
    assert public_bytes(key).hex() not in str(events)


def test_certificate_is_refused_once_it_expired(hub: Coordinator, key: Ed25519PrivateKey) -> None:
    hub.register("riverside")
    certificate = hub.enrol(hub.mint("riverside"), key)
    hub.clock.set(START + CERTIFICATE_LIFETIME)
    assert _caller(hub, certificate).party == RIVERSIDE

    hub.clock.set(START + CERTIFICATE_LIFETIME + timedelta(seconds=1))

    with pytest.raises(CertificateExpired, match="2026-01-22T12:00:00Z"):
        _caller(hub, certificate)


def test_unknown_certificate_is_refused(hub: Coordinator) -> None:
    with pytest.raises(CertificateUnknown):
        authenticate(hub.context, bytes(32))


def test_revoking_withdraws_every_certificate_of_the_party_and_of_no_other(
    hub: Coordinator, key: Ed25519PrivateKey
) -> None:
    hub.register("riverside")
    hub.register("college")
    first, second = hub.enrol(hub.mint("riverside"), key), hub.enrol(hub.mint("riverside"), key)
    of_another = hub.enrol(hub.mint("college"), Ed25519PrivateKey.generate())

    assert revoke_party(hub.context, OPERATOR, party=RIVERSIDE) == 2

    for certificate in (first, second):
        with pytest.raises(CertificateUnknown):
            _caller(hub, certificate)
    assert _caller(hub, of_another).party == "college"
    assert revoke_party(hub.context, OPERATOR, party=RIVERSIDE) == 0


def test_revoked_party_enrols_again_with_its_identity_key(hub: Coordinator, key: Ed25519PrivateKey) -> None:
    hub.register("riverside")
    hub.enrol(hub.mint("riverside"), key)
    revoke_party(hub.context, OPERATOR, party=RIVERSIDE)

    certificate = hub.enrol(hub.mint("riverside"), key)

    assert _caller(hub, certificate).party == RIVERSIDE


def test_revoking_an_unknown_party_says_so(hub: Coordinator) -> None:
    with pytest.raises(NotFound):
        revoke_party(hub.context, OPERATOR, party=PartyId("nobody"))


@pytest.mark.parametrize(
    ("party", "name"),
    [("River Side", "x"), ("coordinator", "x"), ("riverside", "   "), ("riverside", "x" * (LONGEST_NAME + 1))],
)
def test_party_needs_a_lawful_id_and_a_name(hub: Coordinator, party: str, name: str) -> None:
    with pytest.raises(MalformedMessage):
        add_party(hub.context, None, party=PartyId(party), name=name, kind=PartyKind.DISTRICT, role=Role.PROVIDER)

    assert list_parties(hub.context) == []


def test_party_id_is_taken_once(hub: Coordinator) -> None:
    hub.register("riverside")

    with pytest.raises(AlreadyExists):
        hub.register("riverside", Role.ANALYST)


def test_actions_of_the_coordinator_itself_are_recorded_as_its_own(hub: Coordinator) -> None:
    add_party(hub.context, None, party=RIVERSIDE, name=" Riverside ", kind=PartyKind.DISTRICT, role=Role.PROVIDER)

    assert [event["actor"] for event in hub.events(COORDINATOR_SCOPE)] == ["coordinator"]
    assert list_parties(hub.context)[0].name == "Riverside"


def test_denied_call_is_recorded_and_an_allowed_one_is_not(hub: Coordinator) -> None:
    analyst = Actor(party=PartyId("research"), role=Role.ANALYST)
    authorise(hub.context, analyst, service="isthmus.v1.AnalystService", call="ListTables")
    assert hub.events(COORDINATOR_SCOPE) == []

    with pytest.raises(PermissionDenied):
        authorise(hub.context, analyst, service="isthmus.v1.ProviderService", call="FetchPseudonyms")

    (event,) = hub.events(COORDINATOR_SCOPE)
    assert (event["actor"], event["action"], event["object"]) == ("research", "access.deny", "FetchPseudonyms")


def test_refusals_that_came_again_are_recorded_as_a_count_when_their_hour_is_over(hub: Coordinator) -> None:
    analyst = Actor(party=PartyId("research"), role=Role.ANALYST)
    for _ in range(4):
        with pytest.raises(PermissionDenied):
            authorise(hub.context, analyst, service="isthmus.v1.OperatorService", call="AddParty")
    record_counted_denials(hub.context)
    assert len(hub.events(COORDINATOR_SCOPE)) == 1

    hub.clock.set(START + timedelta(hours=1))
    record_counted_denials(hub.context)

    event = hub.events(COORDINATOR_SCOPE)[-1]
    assert (event["actor"], event["object"]) == ("research", "AddParty")
    assert event["outcome"] == "permission-denied: 3 more since 2026-01-15T12:00:00Z"
