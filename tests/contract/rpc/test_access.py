"""Every call with every caller, over real gRPC and mutual TLS, held against the table of permissions."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from google.protobuf.message_factory import GetMessageClass
from harness import START, Enrolled, agreement_text, declare, random_rows, wraps_of
from live import Live, live_coordinator
from project_files import AGREEMENT, PROJECT, project_text

from isthmus.contract.agreement import withdrawal_of
from isthmus.contract.canonical import Label, sign
from isthmus.contract.clock import SystemClock
from isthmus.contract.errors import (
    CertificateExpired,
    CertificateUnknown,
    EnrolmentTokenInvalid,
    IsthmusError,
    NotAMember,
    PermissionDenied,
    Unreachable,
)
from isthmus.contract.field_answers import ANSWERS_FORMAT, ComparisonAnswers
from isthmus.contract.ids import PartyId, ProjectId, RoundId
from isthmus.contract.key_agreement import sign_confirmation
from isthmus.contract.manifest import manifest_from_bytes
from isthmus.contract.parties import Role
from isthmus.coordinator.actions.enrolment import revoke_party
from isthmus.coordinator.actions.rounds import add_project, propose_round
from isthmus.coordinator.authority import issue_certificate, new_authority
from isthmus.coordinator.domain.audit import COORDINATOR_SCOPE
from isthmus.coordinator.domain.roles import PERMISSIONS, Actor, Relation
from isthmus.party.dial import errors_from, open_channel, open_enrolment_channel
from isthmus.party.enrol import enrol
from isthmus.party.identity import Identity, certificate_request, load_identity
from isthmus.v1 import analyst_pb2, auditor_pb2, enrolment_pb2, operator_pb2, provider_pb2

OPERATOR = Actor(party=PartyId("operator"), role=Role.OPERATOR)
WITHDRAWN, FOREIGN, NOBODY = "withdrawn", "foreign", "nobody"
SERVICES = {
    service.full_name: service
    for module in (provider_pb2, analyst_pb2, auditor_pb2, operator_pb2, enrolment_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
}
CALLS = [(name, method.name) for name, service in SERVICES.items() for method in service.methods]
ABOUT_SOMETHING = [
    (service, call)
    for service, calls in PERMISSIONS.items()
    for call, permission in calls.items()
    if permission.relation in {Relation.MEMBER, Relation.LEAD, Relation.NAMED}
]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with live_coordinator(tmp_path_factory.mktemp("live")) as running:
        yield running


@pytest.fixture(scope="module")
def identities(live: Live) -> dict[str, Identity]:
    withdrawn = live.enrolled("withdrawn")
    revoke_party(live.installation.context, OPERATOR, party=withdrawn.party)
    return {
        Role.PROVIDER: live.enrolled("riverside"),
        Role.ANALYST: live.enrolled("research-office", Role.ANALYST),
        Role.OPERATOR: live.operator(),
        Role.AUDITOR: live.enrolled("court-of-audit", Role.AUDITOR),
        WITHDRAWN: withdrawn,
        FOREIGN: with_certificate(live.operator(), foreign=True),
        NOBODY: live.operator(),
    }


@pytest.fixture(scope="module")
def round_of_others(live: Live) -> RoundId:
    """A round of two providers that none of the callers has a part in."""
    context, key = live.installation.context, live.installation.keys.signing_key
    others = [live.enrolled(name) for name in ("lakeside", "hillside")]
    live.agree(AGREEMENT, others=others)
    add_project(context, OPERATOR, text=project_text(providers=[one.party for one in others], agreement=AGREEMENT))
    return propose_round(
        context, OPERATOR, project_id=ProjectId(PROJECT), coordinator_key=key.public_key().public_bytes_raw()
    ).round_id


def call(
    identity: Identity, service: str, method: str, *, channel: grpc.Channel | None = None, request: Any = None
) -> None:
    """Make a call with an empty request, or that one, and read all of its answer; raise the typed error."""
    described = SERVICES[service].methods_by_name[method]
    request = request or GetMessageClass(described.input_type)()
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


def about(live: Live, service: str, method: str, *, round_id: RoundId) -> Any:
    """Give a request that is well formed, about that round, its project and a table of it."""
    told = {
        **documents(live, round_id),
        "round_id": round_id,
        "project_id": PROJECT,
        "table_id": f"{round_id}-overlap",
        "other_party_id": "hillside",
        "sequence": 1,
        "handles": [bytes(16)],
        **dict.fromkeys(("manifest_hash", "head", "digest", "profile_digest"), bytes(32)),
        "key_check": bytes(16),
        "agreement_id": AGREEMENT,
        "agreement_file": agreement_text(providers=["lakeside", "hillside"], agreement="led-by-lakeside"),
        "reason": "no",
        "signature": bytes(64),
    }
    described = SERVICES[service].methods_by_name[method].input_type
    fields = {field.name: told[field.name] for field in described.fields if field.name in told}
    return GetMessageClass(described)(**fields)


def documents(live: Live, round_id: RoundId) -> dict[str, bytes]:
    """Give documents about the round that can be read; who signed them does not matter before it is theirs."""
    with live.installation.context.store.read() as tx:
        manifest = manifest_from_bytes(tx.rounds.get(round_id).manifest)
    terms, member = manifest.key_terms(), PartyId("lakeside")
    key = Ed25519PrivateKey.generate()
    sender = Enrolled(actor=Actor(party=member, role=Role.PROVIDER), signing_key=key)
    digests = dict.fromkeys(terms.parties(), bytes(32))
    answers = ComparisonAnswers(
        format=ANSWERS_FORMAT,
        round_id=round_id,
        party=member,
        other=PartyId("hillside"),
        request=bytes(32).hex(),
        pairs=1,
        answer_bytes=8,
        chunk_count=1,
        digest=bytes(32).hex(),
        near_misses=(),
    )
    left = withdrawal_of(manifest.agreement, PartyId("riverside"), reason="why", effective=START.date())
    return {
        "withdrawal": left.to_bytes(),
        "wraps": wraps_of(terms, sender).to_bytes(),
        "confirmation": sign_confirmation(terms, party=member, digests=digests, mac=bytes(32), key=key).to_bytes(),
        "submission": declare(manifest, member, random_rows(3, seed=1)).to_bytes(),
        "answers": answers.to_bytes(),
    }


def denials(live: Live) -> list[dict[str, Any]]:
    with live.installation.context.store.read() as tx:
        events = [msgspec.json.decode(event) for event in tx.events(COORDINATOR_SCOPE)]
    return [event for event in events if event["action"] == "access.deny"]


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize(("service", "method"), CALLS)
def test_a_call_is_open_to_the_roles_of_the_table_alone(
    identities: dict[str, Identity], service: str, method: str, role: Role
) -> None:
    if service == "isthmus.v1.EnrolmentService":
        with pytest.raises(Unreachable, match="does not know this call"):
            call(identities[role], service, method)
    elif role in PERMISSIONS[service][method].roles:
        try:
            call(identities[role], service, method)
        except IsthmusError as exc:  # an empty request is malformed, but the role may make it
            assert exc.code in {"malformed-message", "malformed-document"}
    else:
        with pytest.raises(PermissionDenied) as caught:
            call(identities[role], service, method)
        assert (caught.value.call, caught.value.role) == (method, role.value)


@pytest.mark.parametrize(("service", "method"), [one for one in CALLS if "Enrolment" not in one[0]])
def test_no_call_is_open_to_a_withdrawn_certificate(identities: dict[str, Identity], service: str, method: str) -> None:
    with pytest.raises(CertificateUnknown):
        call(identities[WITHDRAWN], service, method)


@pytest.mark.parametrize(("service", "method"), CALLS)
def test_no_call_is_open_to_a_certificate_of_another_coordinator(
    identities: dict[str, Identity], service: str, method: str
) -> None:
    with pytest.raises(Unreachable, match="certificate of another coordinator"):
        call(identities[FOREIGN], service, method)


@pytest.mark.parametrize(("service", "method"), CALLS)
def test_no_call_is_open_without_a_certificate(identities: dict[str, Identity], service: str, method: str) -> None:
    identity = identities[NOBODY]
    channel = open_enrolment_channel(identity.service_address, identity.root)
    with pytest.raises(Unreachable):
        call(identity, service, method, channel=channel)


@pytest.mark.parametrize(("service", "method"), ABOUT_SOMETHING)
def test_a_call_about_what_is_not_the_callers_is_refused_and_recorded(
    live: Live, identities: dict[str, Identity], round_of_others: RoundId, service: str, method: str
) -> None:
    (role,) = PERMISSIONS[service][method].roles
    request = about(live, service, method, round_id=round_of_others)
    with pytest.raises(NotAMember):
        call(identities[role], service, method, request=request)
    last = denials(live)[-1]
    assert (last["actor"], last["object"]) == (identities[role].party, method)
    assert last["outcome"].startswith("not-a-member: there is no ")


def test_a_denial_of_a_role_is_recorded(live: Live, identities: dict[str, Identity]) -> None:
    analyst = live.enrolled("curious-office", Role.ANALYST)
    with pytest.raises(PermissionDenied):
        call(analyst, "isthmus.v1.OperatorService", "ListParties")
    last = denials(live)[-1]
    assert (last["actor"], last["object"]) == ("curious-office", "ListParties")
    assert last["outcome"] == "permission-denied: ListParties is not open to the role analyst"


def test_a_call_with_a_withdrawn_certificate_is_recorded_as_its_partys(
    live: Live, identities: dict[str, Identity]
) -> None:
    with pytest.raises(CertificateUnknown):
        call(identities[WITHDRAWN], "isthmus.v1.AnalystService", "ListTables")
    assert {"withdrawn"} == {one["actor"] for one in denials(live) if one["outcome"].startswith("certificate-unknown")}


def test_a_stranger_at_the_enrolment_port_writes_one_event_however_often_it_tries(live: Live) -> None:
    for _ in range(5):
        channel = open_enrolment_channel(live.installation.doors.enrolment, live.operator().root)
        with pytest.raises(EnrolmentTokenInvalid):
            call(live.operator(), "isthmus.v1.EnrolmentService", "Enrol", channel=channel, request=enrolment_request())
    (event,) = [one for one in denials(live) if one["object"] == "Enrol"]
    assert event["actor"] == "coordinator"


def test_refusals_over_again_are_one_event(live: Live) -> None:
    analyst = live.enrolled("stubborn-office", Role.ANALYST)
    for _ in range(5):
        with pytest.raises(PermissionDenied):
            call(analyst, "isthmus.v1.OperatorService", "ListParties")
    assert len([one for one in denials(live) if one["actor"] == "stubborn-office"]) == 1


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
    identity = live.enrolled("left")
    call(identity, "isthmus.v1.ProviderService", "ListRounds")
    assert revoke_party(live.installation.context, OPERATOR, party=PartyId("left")) == 1
    with pytest.raises(CertificateUnknown):
        call(identity, "isthmus.v1.ProviderService", "ListRounds")
    enrol(live.parties / "left", live.token("left"))
    again = load_identity(live.parties / "left", now=SystemClock().now())
    call(again, "isthmus.v1.ProviderService", "ListRounds")


def test_a_token_enrols_once(live: Live, tmp_path: Path) -> None:
    live.enrolled("once")
    token = live.token("once")
    enrol(live.parties / "once", token)
    with pytest.raises(EnrolmentTokenInvalid):
        enrol(live.parties / "once", token)


def test_an_unknown_fault_is_internal_with_a_reference_and_no_text(
    live: Live, identities: dict[str, Identity], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
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


def enrolment_request() -> enrolment_pb2.EnrolRequest:
    """Give a request that is well formed, with a token that nobody minted."""
    tls, identity = ec.generate_private_key(ec.SECP256R1()), Ed25519PrivateKey.generate()
    request = certificate_request(PartyId("stranger"), tls)
    return enrolment_pb2.EnrolRequest(
        token=bytes(32),
        certificate_request=request,
        identity_key=identity.public_key().public_bytes_raw(),
        identity_proof=sign(identity, Label.IDENTITY_PROOF, request),
    )
