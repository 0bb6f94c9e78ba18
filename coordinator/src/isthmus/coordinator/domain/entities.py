"""Entities: which rows were judged to be one person, as the coordinator keeps it for the project's later rounds.

An entity's id is the SHA-256 over the random handles of its rows, so nothing of a person goes into it.
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from isthmus.contract.errors import SubmissionMalformed
from isthmus.contract.ids import HANDLE_BYTES

ENTITY_BYTES: Final = 32

_ROW: Final = struct.Struct(f"<H{HANDLE_BYTES}s{ENTITY_BYTES}s")
_FIELDS: Final = np.dtype([("dataset", "<u2"), ("handle", f"S{HANDLE_BYTES}"), ("entity", f"V{ENTITY_BYTES}")])


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRow:
    """One row of an entity of several rows: its data set (the provider's place in the project), handle, entity's id."""

    dataset: int
    handle: bytes
    entity: bytes


def entity_id(handles: Iterable[bytes]) -> bytes:
    """Give an entity's id, 32 bytes, from the handles of all of its rows in any order."""
    return hashlib.sha256(b"isthmus/entity/1" + b"".join(sorted(handles))).digest()


def pack_entities(rows: Iterable[EntityRow]) -> bytes:
    """Give rows as bytes, 50 a row, by data set and handle."""
    packed = bytearray()
    for row in rows:
        packed += _ROW.pack(row.dataset, row.handle, row.entity)
    # Sorted as bytes, since as objects they would take five times as much memory.
    table = np.frombuffer(packed, _FIELDS)
    return table[np.lexsort((table["handle"], table["dataset"]))].tobytes()


def unpack_entities(data: bytes) -> Iterator[EntityRow]:
    """Give the rows; raise `SubmissionMalformed` where the bytes were cut."""
    if len(data) % _ROW.size:
        raise SubmissionMalformed(problem="a record of entities was cut")
    for dataset, handle, entity in _ROW.iter_unpack(data):
        yield EntityRow(dataset=dataset, handle=handle, entity=entity)
