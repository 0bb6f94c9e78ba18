"""What the programs offer, found by walking them: errors, settings, commands, calls, message fields."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any, Final

import click
import msgspec
from google.protobuf.descriptor import Descriptor, FieldDescriptor, ServiceDescriptor

import isthmus.analyst
import isthmus.contract
import isthmus.coordinator
import isthmus.node
import isthmus.party
from isthmus.analyst.cli import main as analyst_main
from isthmus.contract.errors import IsthmusError
from isthmus.coordinator.cli import main as coordinator_main
from isthmus.node.cli import main as node_main
from isthmus.v1 import analyst_pb2, auditor_pb2, enrolment_pb2, operator_pb2, provider_pb2

PACKAGES: Final = (isthmus.contract, isthmus.party, isthmus.node, isthmus.coordinator, isthmus.analyst)
COMMANDS: Final = {"isthmus-coordinator": coordinator_main, "isthmus-node": node_main, "isthmus": analyst_main}
SERVICES: Final[tuple[ServiceDescriptor, ...]] = tuple(
    service
    for module in (enrolment_pb2, provider_pb2, analyst_pb2, auditor_pb2, operator_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
)
SENT_BY_NODES: Final = ("EnrolmentService", "ProviderService")


def errors() -> list[type[IsthmusError]]:
    """Give every error that can be raised, of all programs."""
    for package in PACKAGES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    named = {one.code: one for one in _below_error(IsthmusError) if "spec" in vars(one)}
    return [named[code] for code in sorted(named) if named[code].__module__.startswith("isthmus.")]


def setting_keys(settings: type[msgspec.Struct], prefix: str = "") -> Iterator[str]:
    """Give every key of a settings structure, dotted; NAME stands for a key that people choose."""
    for field in msgspec.structs.fields(settings):
        key = f"{prefix}{field.encode_name}"
        inner = _struct_in(field.type)
        if inner is None:
            yield key
        else:
            named = getattr(field.type, "__origin__", None) is dict
            yield from ([key] if inner is not field.type else [])
            yield from setting_keys(inner, f"{key}.NAME." if named else f"{key}.")


def commands() -> Iterator[tuple[str, click.Command]]:
    """Give every command with its whole name."""
    for name, group in COMMANDS.items():
        yield from _below(name, group)


def sent_fields() -> set[tuple[str, str]]:
    """Give (message, field) of every text or bytes field that a node can send."""
    requests = [
        method.input_type for service in SERVICES if service.name in SENT_BY_NODES for method in service.methods
    ]
    return {found for request in requests for found in _text_fields(request)}


def _text_fields(message: Descriptor) -> Iterator[tuple[str, str]]:
    for field in message.fields:
        if field.type in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}:
            yield message.name, field.name
        elif field.message_type is not None:
            yield from _text_fields(field.message_type)


def _below_error(root: type[IsthmusError]) -> Iterator[type[IsthmusError]]:
    for child in root.__subclasses__():
        yield child
        yield from _below_error(child)


def _below(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        if command.invoke_without_command:
            yield name, command
        context = click.Context(command)
        for word in command.list_commands(context):
            if child := command.get_command(context, word):
                yield from _below(f"{name} {word}", child)
    else:
        yield name, command


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """Give the structure that a type is, or is a list or table of."""
    for one in (kind, *getattr(kind, "__args__", ())):
        if isinstance(one, type) and issubclass(one, msgspec.Struct):
            return one
    return None
