"""The operator's side of OperatorService."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isthmus.contract.clock import SystemClock
from isthmus.party.dial import errors_from, open_channel
from isthmus.party.identity import load_identity
from isthmus.v1 import operator_pb2_grpc


@contextmanager
def operator_calls(folder: Path) -> Iterator[operator_pb2_grpc.OperatorServiceStub]:
    """Give the operator's calls to the running coordinator of that folder; failed calls raise typed errors."""
    identity = load_identity(folder / "operator", now=SystemClock().now())
    with open_channel(identity) as channel, errors_from(identity.service_address):
        yield operator_pb2_grpc.OperatorServiceStub(channel)
