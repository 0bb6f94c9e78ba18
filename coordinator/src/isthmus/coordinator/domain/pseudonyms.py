"""Pseudonyms: what a provider gets in place of a person. docs/protocol.md section 8.

A recipient's pseudonym is HMAC-SHA256 of the entity's id (`entities`) under a key that only the coordinator holds, one
for each project and recipient: two recipients' pseudonyms of one entity cannot be compared. "Pseudonymous" is all that
it is; it is not anonymous.
"""

import base64
import hmac
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from isthmus.contract.errors import SubmissionMalformed
from isthmus.contract.ids import HANDLE_BYTES, Pseudonym

SPINE_STEP: Final = 1000
PSEUDONYM_CHARACTERS: Final = 26

_NO_SLOT: Final = 0xFFFFFFFF
_ROW: Final = struct.Struct(f"<{HANDLE_BYTES}s{PSEUDONYM_CHARACTERS}sI")
_FIELDS: Final = np.dtype([("handle", f"S{HANDLE_BYTES}"), ("rest", f"V{PSEUDONYM_CHARACTERS + 4}")])


@dataclass(frozen=True, slots=True, kw_only=True)
class PseudonymRow:
    """One row of a recipient: its handle (16 bytes), its pseudonym, and its slot in the spine if there is one."""

    handle: bytes
    pseudonym: Pseudonym
    slot: int | None


def pseudonym(key: bytes, entity: bytes) -> Pseudonym:
    """Give the recipient's pseudonym of an entity: 26 characters of base32, 128 bits."""
    tag = hmac.digest(key, entity, "sha256")[:16]
    return Pseudonym(base64.b32encode(tag).decode("ascii").rstrip("=").lower())


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


def pack_pseudonyms(rows: Iterable[PseudonymRow]) -> bytes:
    """Give a recipient's map as bytes: 46 a row, in order of handle, so that the order tells nothing."""
    packed = bytearray()
    for row in rows:
        slot = _NO_SLOT if row.slot is None else row.slot
        packed += _ROW.pack(row.handle, row.pseudonym.encode("ascii"), slot)
    # Sorted as bytes, since as objects they would take five times as much memory.
    table = np.frombuffer(packed, _FIELDS)
    return table[np.argsort(table["handle"], kind="stable")].tobytes()


def unpack_pseudonyms(data: bytes) -> Iterator[PseudonymRow]:
    """Give the rows of a packed map; raise `SubmissionMalformed` where it is cut."""
    if len(data) % _ROW.size:
        raise SubmissionMalformed(problem="a pseudonym map was cut")
    for handle, name, slot in _ROW.iter_unpack(data):
        yield PseudonymRow(
            handle=handle, pseudonym=Pseudonym(name.decode("ascii")), slot=None if slot == _NO_SLOT else slot
        )
