"""Pseudonyms: what a provider gets in place of a person. docs/protocol.md section 8.

A recipient's pseudonym is HMAC-SHA256 of the entity's id (`entities`) under a key that only the coordinator holds, one
for each project and recipient: two recipients' pseudonyms of one entity cannot be compared. "Pseudonymous" is all that
it is; it is not anonymous.
"""

import hmac
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.errors import SubmissionMalformed
from isthmus.contract.id_changes import IdChangeReason
from isthmus.contract.ids import HANDLE_BYTES, Pseudonym
from isthmus.coordinator.domain.entities import handle_order

SPINE_STEP: Final = 1000
PSEUDONYM_CHARACTERS: Final = 26

_NO_SLOT: Final = 0xFFFFFFFF
_ROW: Final = struct.Struct(f"<{HANDLE_BYTES}s{PSEUDONYM_CHARACTERS}sI")
_FIELDS: Final = np.dtype(
    [("handle", np.uint8, HANDLE_BYTES), ("pseudonym", np.uint8, PSEUDONYM_CHARACTERS), ("slot", "<u4")]
)
_CHANGE: Final = struct.Struct(f"<{HANDLE_BYTES}s{PSEUDONYM_CHARACTERS}s{PSEUDONYM_CHARACTERS}sB")
_CHANGE_FIELDS: Final = np.dtype([
    ("handle", np.uint8, HANDLE_BYTES),
    ("before", np.uint8, PSEUDONYM_CHARACTERS),
    ("now", np.uint8, PSEUDONYM_CHARACTERS),
    ("why", np.uint8),
])  # fmt: skip
_TAG_BYTES: Final = 16
_ALPHABET: Final = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz234567", np.uint8)
_ROWS_AT_ONCE: Final = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudonymRow:
    """One row of a recipient: its handle (16 bytes), its pseudonym, and its slot in the spine if there is one."""

    handle: bytes
    pseudonym: Pseudonym
    slot: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRow:
    """One row of a recipient whose pseudonym is another than it was: its handle, both, and why."""

    handle: bytes
    before: Pseudonym
    now: Pseudonym
    reason: IdChangeReason


def pseudonym(key: bytes, entity: bytes) -> Pseudonym:
    """Give the recipient's pseudonym of an entity: 26 characters of base32, 128 bits."""
    name = pseudonyms(key, np.frombuffer(entity, np.uint8).reshape(1, -1))
    return Pseudonym(name.tobytes().decode("ascii"))


def pseudonyms(key: bytes, entities: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give the recipient's pseudonyms of entities, uint8 (n, 32), as ASCII: uint8 (n, 26)."""
    names = np.empty((len(entities), PSEUDONYM_CHARACTERS), np.uint8)
    for first in range(0, len(entities), _ROWS_AT_ONCE):
        some = entities[first : first + _ROWS_AT_ONCE]
        tags = (hmac.digest(key, one.tobytes(), "sha256")[:_TAG_BYTES] for one in some)
        names[first : first + len(some)] = _base32(b"".join(tags))
    return names


def _base32(tags: bytes) -> NDArray[np.uint8]:
    """Write tags of 128 bits as base32 (RFC 4648), in lower case and without padding."""
    bits = np.unpackbits(np.frombuffer(tags, np.uint8).reshape(-1, _TAG_BYTES), axis=1)
    filled = np.pad(bits, ((0, 0), (0, 5 * PSEUDONYM_CHARACTERS - 8 * _TAG_BYTES)))
    fives = np.packbits(filled.reshape(-1, PSEUDONYM_CHARACTERS, 5), axis=2)[:, :, 0] >> 3
    characters: NDArray[np.uint8] = _ALPHABET[fives]
    return characters


def spine_slots(entities: Sequence[bytes], *, key: bytes) -> tuple[dict[bytes, int], int]:
    """Give every entity a slot, and the number of slots: the next whole thousand above the number of entities.

    Entities and the fillers of the empty slots are ranked together by HMAC under `key`, so a slot's number tells
    neither how many entities there are nor in which order they came.
    """
    slot_count = (len(entities) // SPINE_STEP + 1) * SPINE_STEP
    fillers = [b"isthmus/spine-filler/1" + index.to_bytes(4, "big") for index in range(slot_count - len(entities))]
    ranked = sorted([*entities, *fillers], key=lambda name: hmac.digest(key, name, "sha256"))
    filler_names = set(fillers)
    return {name: slot for slot, name in enumerate(ranked) if name not in filler_names}, slot_count


def pack_pseudonyms(
    handles: NDArray[np.uint8], names: NDArray[np.uint8], slots: NDArray[np.uint32] | None = None
) -> bytes:
    """Give a recipient's map as bytes: 46 a row, in order of handle, so that the order tells nothing.

    Args:
        handles: uint8, shape (n, 16).
        names: uint8, shape (n, 26): `pseudonyms`.
        slots: uint32, shape (n,), if there is a spine.
    """
    order = handle_order(handles)
    table = np.empty(len(order), _FIELDS)
    table["handle"], table["pseudonym"] = handles[order], names[order]
    table["slot"] = _NO_SLOT if slots is None else slots[order]
    return table.tobytes()


def unpack_pseudonyms(data: bytes) -> Iterator[PseudonymRow]:
    """Give the rows of a packed map; raise `SubmissionMalformed` where it is cut."""
    if len(data) % _ROW.size:
        raise SubmissionMalformed(problem="a pseudonym map was cut")
    for handle, name, slot in _ROW.iter_unpack(data):
        yield PseudonymRow(
            handle=handle, pseudonym=Pseudonym(name.decode("ascii")), slot=None if slot == _NO_SLOT else slot
        )


def pack_changes(
    handles: NDArray[np.uint8], before: NDArray[np.uint8], now: NDArray[np.uint8], why: NDArray[np.uint8]
) -> bytes:
    """Give a recipient's changed rows as bytes: 69 a row, in order of handle.

    Args:
        handles: uint8, shape (n, 16).
        before, now: uint8, shape (n, 26): `pseudonyms`.
        why: uint8, shape (n,): values of `IdChangeReason`.
    """
    order = handle_order(handles)
    table = np.empty(len(order), _CHANGE_FIELDS)
    table["handle"], table["why"] = handles[order], why[order]
    table["before"], table["now"] = before[order], now[order]
    return table.tobytes()


def unpack_changes(data: bytes) -> Iterator[ChangeRow]:
    """Give the changed rows; raise `SubmissionMalformed` where the bytes were cut."""
    if len(data) % _CHANGE.size:
        raise SubmissionMalformed(problem="a record of changed IDs was cut")
    for handle, before, now, why in _CHANGE.iter_unpack(data):
        yield ChangeRow(
            handle=handle,
            before=Pseudonym(before.decode("ascii")),
            now=Pseudonym(now.decode("ascii")),
            reason=IdChangeReason(why),
        )
