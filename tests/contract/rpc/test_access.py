"""Every call with every role, over real gRPC and mutual TLS: a service is open to one role and to nobody else."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import grpc
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.protobuf.message_factory import GetMessageClass
from live import Live, live_coordinator

from isthmus.contract.clock import SystemClock
from isthmus.contract.errors import (
    CertificateExpired,
    CertificateUnknown,
    EnrolmentTokenInvalid,
    IsthmusError,
    PermissionDenied,
    Unreachable,
)
from isthmus.contract.ids import PartyId
from isthmus.contract.parties import Role
from isthmus.coordinator.actions.enrolment import revoke_party
from isthmus.coordinator.authority import issue_certificate, new_authority
from isthmus.coordinator.domain.audit import COORDINATOR_SCOPE
from isthmus.coordinator.domain.roles import ROLE_OF_SERVICE, Actor
from isthmus.party.dial import errors_from, open_channel, open_enrolment_channel
from isthmus.party.enrol import enrol
from isthmus.party.identity import Identity, certificate_request, load_identity
from isthmus.v1 import analyst_pb2, enrolment_pb2, operator_pb2, provider_pb2

SERVICES = {
    service.full_name: service
    for module in (provider_pb2, analyst_pb2, operator_pb2, enrolment_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
}
CALLS = [(name, method.name) for name, service in SERVICES.items() for method in service.methods]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_coordinator(tmp_path_factory.mktemp("live")) as running:
        yield running


@pytest.fixture(scope="module")
def identities(live: Live) -> dict[Role, Identity]:
    return {
        Role.PROVIDER: live.enrolled("riverside"),
        Role.ANALYST: live.enrolled("research-office", Role.ANALYST),
        Role.OPERATOR: live.operator(),
    }


def call(identity: Identity, service: str, method: str, *, channel: grpc.Channel | None = None) -> None:
    """Make a call with an empty request and read all of its answer; raise the typed error."""
    described = SERVICES[service].methods_by_name[method]
    request = GetMessageClass(described.input_type)()
    write = GetMessageClass(described.input_type).SerializeToString
    read = GetMessageClass(described.output_type).FromString
    path = f"/{service}/{method}"
    with channel or open_channel(identity) as opened, errors_from(identity.service_address):
        if described.client_streaming:
            list(opened.stream_stream(path, write, read)(iter([request]), timeout=20))
        elif described.server_streaming:
            list(opened.unary_stream(path, write, read)(request, timeout=20))
        else:
            opened.unary_unary(path, write, read)(request, timeout=20)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("service", "method"), CALLS)
def test_a_call_is_open_to_its_role_alone(
    identities: dict[Role, Identity], service: str, method: str, role: Role
) -> None:
    if service == "isthmus.v1.EnrolmentService":
        with pytest.raises(Unreachable, match="does not know this call"):
            call(identities[role], service, method)
    elif ROLE_OF_SERVICE[service] is role:
        try:
            call(identities[role], service, method)
        except IsthmusError as exc:  # an empty request is malformed, but the role may make it
            assert exc.code in {"malformed-message", "malformed-document"}
    else:
        with pytest.raises(PermissionDenied) as caught:
            call(identities[role], service, method)
        assert (caught.value.call, caught.value.role) == (method, role.value)


def test_a_denial_is_recorded(live: Live, identities: dict[Role, Identity]) -> None:
    with pytest.raises(PermissionDenied):
        call(identities[Role.ANALYST], "isthmus.v1.OperatorService", "ListParties")
    with live.installation.context.store.read() as tx:
        last = tx.events(COORDINATOR_SCOPE)[-1].decode()
    assert '"action":"access.deny"' in last
    assert '"actor":"research-office"' in last


def test_the_service_port_refuses_a_caller_without_a_certificate(live: Live) -> None:
    identity = live.operator()
    channel = open_enrolment_channel(identity.service_address, identity.root)
    with pytest.raises(Unreachable):
        call(identity, "isthmus.v1.OperatorService", "ListParties", channel=channel)


def test_the_enrolment_port_serves_nothing_but_enrolment(live: Live) -> None:
    identity = live.operator()
    channel = open_enrolment_channel(live.installation.doors.enrolment, identity.root)
    with pytest.raises(Unreachable, match="does not know this call"):
        call(identity, "isthmus.v1.OperatorService", "ListParties", channel=channel)


def test_a_foreign_certificate_is_refused(live: Live) -> None:
    stranger = with_certificate(live.operator(), foreign=True)
    with pytest.raises(Unreachable, match="certificate of another coordinator"):
        call(stranger, "isthmus.v1.OperatorService", "ListParties")


def test_a_certificate_that_is_ours_but_not_on_record_is_refused(live: Live) -> None:
    unknown = with_certificate(live.operator(), live=live)
    with pytest.raises(CertificateUnknown):
        call(unknown, "isthmus.v1.OperatorService", "ListParties")


def test_an_expired_certificate_is_refused_at_the_node_and_by_tls(live: Live, tmp_path: Path) -> None:
    live.enrolled("expiring")
    later = SystemClock().now() + timedelta(days=8)
    with pytest.raises(CertificateExpired):
        load_identity(live.parties / "expiring", now=later)
    expired = with_certificate(live.operator(), live=live, lifetime=timedelta(seconds=-60))
    with pytest.raises(Unreachable, match="expired"):
        call(expired, "isthmus.v1.OperatorService", "ListParties")


def test_a_withdrawn_certificate_is_refused_at_the_next_call_and_a_new_token_restores_it(live: Live) -> None:
    identity = live.enrolled("withdrawn")
    call(identity, "isthmus.v1.ProviderService", "ListRounds")
    operator = Actor(party=PartyId("operator"), role=Role.OPERATOR)
    assert revoke_party(live.installation.context, operator, party=PartyId("withdrawn")) == 1
    with pytest.raises(CertificateUnknown):
        call(identity, "isthmus.v1.ProviderService", "ListRounds")
    enrol(live.parties / "withdrawn", live.token("withdrawn"))
    again = load_identity(live.parties / "withdrawn", now=SystemClock().now())
    call(again, "isthmus.v1.ProviderService", "ListRounds")


def test_a_token_enrols_once(live: Live, tmp_path: Path) -> None:
    live.enrolled("once")
    token = live.token("once")
    enrol(live.parties / "once", token)
    with pytest.raises(EnrolmentTokenInvalid):
        enrol(live.parties / "once", token)


def test_an_unknown_fault_is_internal_with_a_reference_and_no_text(
    live: Live, identities: dict[Role, Identity], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("Zebediah Quillfeather")

    monkeypatch.setattr("isthmus.coordinator.actions.rounds.list_rounds", fail)
    with pytest.raises(IsthmusError) as caught:
        call(identities[Role.PROVIDER], "isthmus.v1.ProviderService", "ListRounds")
    assert caught.value.code == "internal"
    assert "Quillfeather" not in str(caught.value) + "".join(capfd.readouterr())


def with_certificate(
    identity: Identity, *, live: Live | None = None, foreign: bool = False, lifetime: timedelta = timedelta(days=1)
) -> Identity:
    """Give the identity with another certificate and key: of another root, or of ours but not recorded."""
    clock = SystemClock()
    authority = new_authority(now=clock.now()) if foreign or live is None else live.installation.keys.authority
    key = ec.generate_private_key(ec.SECP256R1())
    request = certificate_request(identity.party, key)
    began = clock.now() - timedelta(days=2) if lifetime < timedelta(0) else clock.now()
    ends = lifetime if lifetime > timedelta(0) else timedelta(days=1)
    certificate = issue_certificate(authority, party=identity.party, request=request, now=began, lifetime=ends)
    return Identity(
        party=identity.party,
        service_address=identity.service_address,
        coordinator_key=identity.coordinator_key,
        signing_key=identity.signing_key,
        tls_key=key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        certificate=certificate.public_bytes(Encoding.PEM),
        root=identity.root,
    )
