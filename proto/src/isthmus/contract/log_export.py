"""A log as a file, with all that is needed to check it without us. docs/protocol.md section 12."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

import msgspec

from isthmus.contract.canonical import canonical_bytes, read_canonical
from isthmus.contract.errors import MalformedDocument

EXPORT_FORMAT: Final = "isthmus/log-export/1"


class LogExport(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Events and checkpoint as the text of their canonical bytes; keys and the signature in hex.

    `checkpoint` and `signature` are empty where there is none. `identity_keys` are those by which whoever made the file
    knows the parties; somebody who checks it may know better.
    """

    format: str
    scope: str
    coordinator_key: str
    checkpoint: str
    signature: str
    identity_keys: dict[str, list[str]]
    events: list[str]

    def to_bytes(self) -> bytes:
        """Give the canonical bytes."""
        return canonical_bytes(msgspec.to_builtins(self))


def export_log(
    scope: str,
    events: Iterable[bytes],
    *,
    checkpoint: bytes,
    signature: bytes,
    coordinator_key: bytes,
    identity_keys: Mapping[str, Collection[bytes]],
) -> LogExport:
    """Give a log as it goes into a file."""
    return LogExport(
        format=EXPORT_FORMAT,
        scope=scope,
        coordinator_key=coordinator_key.hex(),
        checkpoint=checkpoint.decode("utf-8"),
        signature=signature.hex(),
        identity_keys={party: sorted(key.hex() for key in keys) for party, keys in sorted(identity_keys.items())},
        events=[event.decode("utf-8") for event in events],
    )


def export_from_bytes(data: bytes) -> LogExport:
    """Read a log's file; raise `MalformedDocument` or `UnsupportedVersion` where it is none."""
    export = read_canonical(data, LogExport, document="log export", version=EXPORT_FORMAT)
    keys = [key for some in export.identity_keys.values() for key in some]
    try:
        for text in (export.signature, export.coordinator_key, *keys):
            bytes.fromhex(text)
    except ValueError as exc:
        raise MalformedDocument(document="log export", problem="a key or the signature is not hex") from exc
    return export
