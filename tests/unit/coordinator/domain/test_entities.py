"""Entities: named by their rows' handles alone, and kept as sorted rows."""

import hashlib
from itertools import chain, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.contract.errors import SubmissionMalformed
from isthmus.coordinator.domain.entities import EntityRow, entity_id, entity_ids, pack_entities, unpack_entities

HANDLES = [bytes([byte]) * 16 for byte in (3, 1, 2)]


def _row(dataset: int, handle: int) -> EntityRow:
    return EntityRow(dataset=dataset, handle=bytes([handle]) * 16, entity=entity_id([bytes([handle]) * 16]))


def _pack(*datasets: list[EntityRow]) -> bytes:
    handles = [b"".join(row.handle for row in rows) for rows in datasets]
    ids = [b"".join(row.entity for row in rows) for rows in datasets]
    return pack_entities([
        (np.frombuffer(own, np.uint8).reshape(-1, 16), np.frombuffer(of, np.uint8).reshape(-1, 32))
        for own, of in zip(handles, ids, strict=True)
    ])  # fmt: skip


def test_entity_id_is_the_hash_of_its_handles_in_any_order() -> None:
    expected = hashlib.sha256(b"isthmus/entity/1" + b"".join(sorted(HANDLES))).digest()

    assert {entity_id(order) for order in permutations(HANDLES)} == {expected}


def test_entity_with_another_row_has_another_id() -> None:
    assert len({entity_id(HANDLES), entity_id(HANDLES[:2]), entity_id([*HANDLES, bytes(16)])}) == 3


def test_entities_come_back_by_dataset_and_handle() -> None:
    packed = _pack([_row(0, 9), _row(0, 2)], [], [_row(2, 0)])

    assert list(unpack_entities(packed)) == [_row(0, 2), _row(0, 9), _row(2, 0)]
    assert _pack([_row(0, 2), _row(0, 9)], [], [_row(2, 0)]) == packed
    assert len(packed) == 50 * 3


@given(st.lists(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=4), max_size=6))
def test_ids_of_many_entities_are_those_of_each(entities: list[list[bytes]]) -> None:
    handles = np.frombuffer(b"".join(chain.from_iterable(entities)), np.uint8).reshape(-1, 16)
    entity = np.repeat(np.arange(len(entities), dtype=np.uint32), [len(one) for one in entities])

    assert [one.tobytes() for one in entity_ids(handles, entity)] == [entity_id(one) for one in entities]


def test_record_that_was_cut_is_refused() -> None:
    with pytest.raises(SubmissionMalformed):
        list(unpack_entities(_pack([_row(0, 1)])[1:]))
