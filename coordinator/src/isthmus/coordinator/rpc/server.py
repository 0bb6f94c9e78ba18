"""The coordinator's two gRPC servers: one for enrolment, without client certificates, one for everything else."""

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from isthmus.contract.errors import Unauthenticated
from isthmus.coordinator.actions import enrolment
from isthmus.coordinator.actions.access import denials_recorded, identify
from isthmus.coordinator.actions.context import Context
from isthmus.coordinator.actions.enrolment import Doors
from isthmus.coordinator.authority import Authority, key_digest_of_certificate
from isthmus.coordinator.domain.roles import Actor
from isthmus.coordinator.rpc.adapter import Guard, Watch, service_handler
from isthmus.coordinator.rpc.agreements import AgreementCalls
from isthmus.coordinator.rpc.analyst import AnalystCalls
from isthmus.coordinator.rpc.auditor import AuditorCalls
from isthmus.coordinator.rpc.interceptor import ErrorInterceptor
from isthmus.coordinator.rpc.operator import OperatorCalls
from isthmus.coordinator.rpc.provider import ProviderCalls
from isthmus.party.dial import MAX_MESSAGE_BYTES
from isthmus.party.errors import SettingsInvalid
from isthmus.v1 import analyst_pb2, auditor_pb2, enrolment_pb2, operator_pb2, provider_pb2

GRACE_S = 5.0
"""How long calls under way may take to end when a server stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerKeys:
    """The server's TLS key and certificate (PEM), the authority behind certificates, and the receipt-signing key."""

    tls_key: bytes
    tls_certificate: bytes
    authority: Authority
    signing_key: Ed25519PrivateKey

    def __repr__(self) -> str:
        """Show nothing."""
        return "ServerKeys(...)"


def service_server(context: Context, keys: ServerKeys, *, doors: Doors, address: str) -> tuple[grpc.aio.Server, int]:
    """Give the mutual-TLS server of all roles, bound but not started, and its port. Needs a running event loop."""
    guard = _guard(context)
    provider = {**ProviderCalls(context, keys.signing_key).table(), **AgreementCalls(context).table()}
    operator = OperatorCalls(context, authority=keys.authority, doors=doors, signing_key=keys.signing_key).table()
    auditor = AuditorCalls(context, keys.signing_key).table()
    server = _server()
    server.add_generic_rpc_handlers(
        (
            service_handler(_service(provider_pb2, "ProviderService"), provider, guard=guard),
            service_handler(_service(analyst_pb2, "AnalystService"), AnalystCalls(context).table(), guard=guard),
            service_handler(_service(auditor_pb2, "AuditorService"), auditor, guard=guard),
            service_handler(_service(operator_pb2, "OperatorService"), operator, guard=guard),
        )
    )
    credentials = grpc.ssl_server_credentials(
        [(keys.tls_key, keys.tls_certificate)],
        root_certificates=keys.authority.root_pem(),
        require_client_auth=True,
    )
    return server, _listen(server, address, credentials)


def enrolment_server(context: Context, keys: ServerKeys, *, address: str) -> tuple[grpc.aio.Server, int]:
    """Give the enrolment server, bound but not started, and its port. Needs a running event loop."""

    def enrol(_caller: None, request: enrolment_pb2.EnrolRequest) -> enrolment_pb2.EnrolResponse:
        party, certificate = enrolment.enrol(
            context,
            token=request.token,
            request=request.certificate_request,
            identity_key=request.identity_key,
            identity_proof=request.identity_proof,
            authority=keys.authority,
            agreement_key=_shown_agreement_key(request),
        )
        coordinator_key = keys.signing_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return enrolment_pb2.EnrolResponse(party_id=party, certificate=certificate, coordinator_key=coordinator_key)

    server, guard = _server(), Guard(identify=_anybody, watch=_watch(context))
    service = _service(enrolment_pb2, "EnrolmentService")
    server.add_generic_rpc_handlers((service_handler(service, {"Enrol": enrol}, guard=guard),))
    credentials = grpc.ssl_server_credentials([(keys.tls_key, keys.tls_certificate)])
    return server, _listen(server, address, credentials)


def _shown_agreement_key(request: enrolment_pb2.EnrolRequest) -> enrolment.ShownAgreementKey | None:
    if not request.agreement_key:
        return None
    return enrolment.ShownAgreementKey(key=request.agreement_key, proof=request.agreement_proof)


async def serve(servers: list[grpc.aio.Server], stop: asyncio.Event) -> None:
    """Run bound servers until `stop` is set, then let calls under way end."""
    for server in servers:
        await server.start()
    await stop.wait()
    await asyncio.gather(*(server.stop(GRACE_S) for server in servers))


def _guard(context: Context) -> Guard:
    def identify_caller(certificate: bytes | None, service: str, call: str) -> Actor:
        if certificate is None:
            raise Unauthenticated
        return identify(context, key_digest_of_certificate(certificate), service=service, call=call)

    return Guard(identify=identify_caller, watch=_watch(context))


def _watch(context: Context) -> Watch:
    return partial(denials_recorded, context)


def _anybody(_certificate: bytes | None, _service: str, _call: str) -> None:
    """Enrolment is open: the token in the request is the caller's right to it."""


def _service(module: Any, name: str) -> Any:
    return module.DESCRIPTOR.services_by_name[name]


def _listen(server: grpc.aio.Server, address: str, credentials: grpc.ServerCredentials) -> int:
    try:
        return server.add_secure_port(address, credentials)
    except RuntimeError as exc:
        problem = f"cannot listen on {address}; another program may use the port, or the address is not this machine's"
        raise SettingsInvalid(file="coordinator.toml", problem=problem) from exc


def _server() -> grpc.aio.Server:
    options = (
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.so_reuseport", 0),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 30_000),  # nodes ping once a minute
    )
    return grpc.aio.server(interceptors=[ErrorInterceptor()], options=options)
