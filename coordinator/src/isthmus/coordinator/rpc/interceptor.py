"""The one place where errors become gRPC statuses. An unknown exception becomes INTERNAL with an opaque reference."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NoReturn

import grpc

from isthmus.contract.convert import ERROR_TRAILER, error_to_wire
from isthmus.contract.errors import Internal, IsthmusError, StorageUnavailable
from isthmus.party.log import log_fault

Handler = Any
"""A `grpc.RpcMethodHandler`; grpcio publishes no type for its asyncio form."""


class ErrorInterceptor(grpc.aio.ServerInterceptor):
    """Maps domain errors to status and trailer, and hides everything else."""

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler:
        """Give the handler of the call with its errors mapped."""
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        if handler.response_streaming:
            return _streaming(handler)
        return _unary(handler)


def _unary(handler: Handler) -> Handler:
    inner = handler.unary_unary

    async def run(request: object, context: "grpc.aio.ServicerContext[Any, Any]") -> object:
        try:
            return await inner(request, context)
        except Exception as exc:  # noqa: BLE001 - the boundary
            await _abort(context, exc)

    return grpc.unary_unary_rpc_method_handler(run, handler.request_deserializer, handler.response_serializer)


def _streaming(handler: Handler) -> Handler:
    inner = handler.stream_stream or handler.unary_stream

    async def run(request: object, context: "grpc.aio.ServicerContext[Any, Any]") -> AsyncIterator[object]:
        try:
            async for response in inner(request, context):
                yield response
        except Exception as exc:  # noqa: BLE001 - the boundary
            await _abort(context, exc)

    make = grpc.stream_stream_rpc_method_handler if handler.request_streaming else grpc.unary_stream_rpc_method_handler
    return make(run, handler.request_deserializer, handler.response_serializer)


async def _abort(context: "grpc.aio.ServicerContext[Any, Any]", exc: Exception) -> NoReturn:
    if isinstance(exc, grpc.aio.AbortError):
        raise exc
    if isinstance(exc, StorageUnavailable):
        log_fault("storage fault", exc, code=exc.code)  # the caller is told to come again; the operator has to know too
    error = exc if isinstance(exc, IsthmusError) else _internal(exc)
    trailer = ((ERROR_TRAILER, error_to_wire(error).SerializeToString()),)
    await context.abort(grpc.StatusCode[error.spec.status], str(error), trailer)


def _internal(exc: Exception) -> Internal:
    reference = secrets.token_hex(6)
    log_fault("internal", exc, reference=reference)
    return Internal(reference=reference)
