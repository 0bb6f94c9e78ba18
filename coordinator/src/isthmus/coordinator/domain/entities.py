"""Entities: which rows were judged to be one person, as the coordinator keeps it for the project's later rounds.

An entity's id is the SHA-256 over the handles of its rows, so nothing of a person goes into it. In longitudinal
projects an entity may take over an id that was made so in an earlier round (`longitudinal`).
"""

import hashlib
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from isthmus.contract.errors import SubmissionMalformed
from isthmus.contract.ids import HANDLE_BYTES

ENTITY_BYTES: Final = 32

_ROW: Final = struct.Struct(f"<H{HANDLE_BYTES}s{ENTITY_BYTES}s")
_FIELDS: Final = np.dtype([("dataset", "<u2"), ("handle", np.uint8, HANDLE_BYTES), ("entity", np.uint8, ENTITY_BYTES)])
_PREFIX: Final = b"isthmus/entity/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityRow:
    """One row of an entity of several rows: its data set (the provider's place in the project), handle, entity's id."""

    dataset: int
    handle: bytes
    entity: bytes


def entity_id(handles: Iterable[bytes]) -> bytes:
    """Give an entity's id, 32 bytes, from the handles of all of its rows in any order."""
    return hashlib.sha256(_PREFIX + b"".join(sorted(handles))).digest()


def entity_ids(handles: NDArray[np.uint8], entity: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """Give the ids of many entities.

    Args:
        handles: uint8, shape (n, 16), of rows in entities.
        entity: uint32, shape (n,): which entity each row is in, rising from 0 without a gap.

    Returns:
        uint8, shape (entities, 32).
    """
    first, second = _words(handles)
    # Handles of an entity one after another in order, so that what is hashed lies there already.
    data = handles[np.lexsort((second, first, entity))].tobytes()
    ends = (HANDLE_BYTES * np.cumsum(np.bincount(entity))).tolist()
    ids = b"".join(hashlib.sha256(_PREFIX + data[start:end]).digest() for start, end in pairwise([0, *ends]))
    return np.frombuffer(ids, np.uint8).reshape(-1, ENTITY_BYTES)


def handle_order(handles: NDArray[np.uint8]) -> NDArray[np.intp]:
    """Give the order of handles, uint8 (n, 16), as byte strings."""
    first, second = _words(handles)
    return np.lexsort((second, first))


def _words(handles: NDArray[np.uint8]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    first, second = np.ascontiguousarray(handles).view(">u8").astype(np.uint64).T
    return first, second


def pack_entities(datasets: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]]) -> bytes:
    """Give rows as bytes, 50 a row, by data set and handle.

    Args:
        datasets: of each the handles of rows, uint8 (n, 16), and their entities' ids, uint8 (n, 32).
    """
    return b"".join(_packed(place, *each) for place, each in enumerate(datasets))


def _packed(dataset: int, handles: NDArray[np.uint8], ids: NDArray[np.uint8]) -> bytes:
    order = handle_order(handles)
    table = np.empty(len(order), _FIELDS)
    table["dataset"], table["handle"], table["entity"] = dataset, handles[order], ids[order]
    return table.tobytes()


def unpack_entities(data: bytes) -> Iterator[EntityRow]:
    """Give the rows; raise `SubmissionMalformed` where the bytes were cut."""
    if len(data) % _ROW.size:
        raise SubmissionMalformed(problem="a record of entities was cut")
    for dataset, handle, entity in _ROW.iter_unpack(data):
        yield EntityRow(dataset=dataset, handle=handle, entity=entity)
