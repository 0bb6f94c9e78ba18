"""From a table of functions to gRPC handlers: reads the service's descriptor, and runs each function in a thread.

A function takes the caller and a request and gives a response. For a call that streams both ways it is run once for
each message; for one that streams its response it gives an iterator. A table that does not name exactly the calls of
its service does not load.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Final

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from isthmus.contract.errors import MalformedMessage

Call = Callable[[Any, Any], Any]
"""(caller, request) -> response, or -> iterator of responses."""

Identify = Callable[[bytes | None, str, str], Any]
"""(certificate in PEM or none, service, call) -> caller; raises where the call is not allowed."""

Watch = Callable[[Any, str], AbstractContextManager[None]]
"""(caller, call) -> what the call runs in."""

_END: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """Who stands before a service: tells who calls, and sees what a call refuses."""

    identify: Identify
    watch: Watch


def service_handler(service: ServiceDescriptor, calls: Mapping[str, Call], *, guard: Guard) -> grpc.GenericRpcHandler:
    """Give the handler of one service."""
    names = {method.name for method in service.methods}
    if names != set(calls):
        msg = f"{service.full_name}: the table must name exactly {sorted(names)}"
        raise ValueError(msg)
    handlers = {method.name: _method_handler(method, calls[method.name], guard) for method in service.methods}
    return grpc.method_handlers_generic_handler(service.full_name, handlers)


def _method_handler(method: MethodDescriptor, call: Call, guard: Guard) -> "grpc.RpcMethodHandler[Any, Any]":
    write = GetMessageClass(method.output_type).SerializeToString
    guarded = _guarded(method, call, guard)
    if method.client_streaming:
        return grpc.stream_stream_rpc_method_handler(_each(guarded), None, write)
    if method.server_streaming:
        return grpc.unary_stream_rpc_method_handler(_many(guarded), None, write)
    return grpc.unary_unary_rpc_method_handler(_one(guarded), None, write)


def _guarded(method: MethodDescriptor, call: Call, guard: Guard) -> Callable[[Any, Any], Any]:
    """Give the call with the caller identified and allowed first, and the request read, at every message.

    Requests are read here and not by grpcio, so that one that does not parse is refused like any other bad request.
    """
    read = GetMessageClass(method.input_type).FromString

    def run(context: Any, data: bytes) -> Any:
        caller = guard.identify(_peer_certificate(context), method.containing_service.full_name, method.name)
        try:
            request = read(data)
        except DecodeError as exc:
            raise MalformedMessage(field="request", problem="not a message of this call") from exc
        with guard.watch(caller, method.name):
            answer = call(caller, request)
        streams_only_back = method.server_streaming and not method.client_streaming
        return _watched(answer, guard.watch(caller, method.name)) if streams_only_back else answer

    return run


def _watched(responses: Iterator[Any], watching: AbstractContextManager[None]) -> Iterator[Any]:
    with watching:
        yield from responses


def _one(run: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    async def handle(request: object, context: object) -> object:
        return await asyncio.to_thread(run, context, request)

    return handle


def _each(run: Callable[[Any, Any], Any]) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def handle(requests: AsyncIterator[object], context: object) -> AsyncIterator[object]:
        async for request in requests:
            yield await asyncio.to_thread(run, context, request)

    return handle


def _many(run: Callable[[Any, Any], Any]) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def handle(request: object, context: object) -> AsyncIterator[object]:
        responses: Iterator[object] = await asyncio.to_thread(run, context, request)
        while (response := await asyncio.to_thread(next, responses, _END)) is not _END:
            yield response

    return handle


def _peer_certificate(context: Any) -> bytes | None:
    found = context.auth_context().get("x509_pem_cert")
    return found[0] if found else None
