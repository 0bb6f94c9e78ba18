"""Calls over TLS: how a channel is opened and how a failed call becomes the error that the other side meant."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

import grpc

from isthmus.contract.convert import ERROR_TRAILER, error_from_wire
from isthmus.contract.errors import Internal, IsthmusError, Unreachable
from isthmus.party.identity import Identity

MAX_MESSAGE_BYTES: Final = 4 * 1024 * 1024
CALL_TIMEOUT_S: Final = 60.0

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 60_000),
    ("grpc.enable_http_proxy", 0),
)

_SENTENCES: Final = {
    grpc.StatusCode.UNAVAILABLE: (
        "nobody answers, or TLS was refused (a certificate of another coordinator, or an expired one)"
    ),
    grpc.StatusCode.DEADLINE_EXCEEDED: "it did not answer in time",
    grpc.StatusCode.CANCELLED: "the call was cut off",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "it is overloaded, or a message was too large",
    grpc.StatusCode.UNIMPLEMENTED: "it does not know this call; one of the two programs is too old",
}


def open_channel(identity: Identity) -> grpc.Channel:
    """Open a mutual-TLS channel to the coordinator that the party enrolled with. Connects on the first call."""
    credentials = grpc.ssl_channel_credentials(
        root_certificates=identity.root, private_key=identity.tls_key, certificate_chain=identity.certificate
    )
    return grpc.secure_channel(identity.service_address, credentials, options=_OPTIONS)


def open_enrolment_channel(address: str, root: bytes) -> grpc.Channel:
    """Open a channel that trusts that root alone and shows no certificate, for enrolment."""
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(root_certificates=root), options=_OPTIONS)


@contextmanager
def errors_from(address: str) -> Iterator[None]:
    """Turn a failed call inside the block into the typed error that the other side raised, or `Unreachable`."""
    try:
        yield
    except grpc.RpcError as exc:
        raise error_of_call(exc, address) from None


def error_of_call(failure: grpc.RpcError, address: str) -> IsthmusError:
    """Give the typed error behind a failed call."""
    call = cast("grpc.Call", failure)  # every error that a stub raises is also the call that failed
    detail = dict(call.trailing_metadata() or ()).get(ERROR_TRAILER)
    if isinstance(detail, bytes):
        return error_from_wire(detail)
    if call.code() in _SENTENCES:
        return Unreachable(address=address, problem=_SENTENCES[call.code()])
    return Internal(reference=call.code().name.lower())
