"""Entities: named by their rows' handles alone, and kept as sorted rows."""

import hashlib
from itertools import permutations

import pytest

from isthmus.contract.errors import SubmissionMalformed
from isthmus.coordinator.domain.entities import EntityRow, entity_id, pack_entities, unpack_entities

HANDLES = [bytes([byte]) * 16 for byte in (3, 1, 2)]


def _row(dataset: int, handle: int) -> EntityRow:
    return EntityRow(dataset=dataset, handle=bytes([handle]) * 16, entity=entity_id([bytes([handle]) * 16]))


def test_entity_id_is_the_hash_of_its_handles_in_any_order() -> None:
    expected = hashlib.sha256(b"isthmus/entity/1" + b"".join(sorted(HANDLES))).digest()

    assert {entity_id(order) for order in permutations(HANDLES)} == {expected}


def test_entity_with_another_row_has_another_id() -> None:
    assert len({entity_id(HANDLES), entity_id(HANDLES[:2]), entity_id([*HANDLES, bytes(16)])}) == 3


def test_entities_come_back_by_dataset_and_handle() -> None:
    rows = [_row(1, 0), _row(0, 9), _row(65_535, 4), _row(0, 2)]

    packed = pack_entities(rows)

    assert list(unpack_entities(packed)) == [_row(0, 2), _row(0, 9), _row(1, 0), _row(65_535, 4)]
    assert pack_entities(rows[::-1]) == packed
    assert len(packed) == 50 * 4


def test_record_that_was_cut_is_refused() -> None:
    with pytest.raises(SubmissionMalformed):
        list(unpack_entities(pack_entities([_row(0, 1)])[1:]))
