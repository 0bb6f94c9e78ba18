"""Pseudonyms: 128 bits under a recipient's key, a spine that tells no count, and bytes that tell no order."""

import base64
import hashlib
import hmac
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.contract.errors import SubmissionMalformed
from isthmus.contract.ids import Pseudonym
from isthmus.coordinator.domain.pseudonyms import (
    PSEUDONYM_CHARACTERS,
    PseudonymRow,
    pack_pseudonyms,
    pseudonym,
    pseudonyms,
    spine_slots,
    unpack_pseudonyms,
)

KEY, OTHER_KEY = bytes(32), bytes(range(32))


def _entities(count: int) -> list[bytes]:
    return [hashlib.sha256(index.to_bytes(4, "big")).digest() for index in range(count)]


def test_pseudonym_is_hmac_sha256_cut_to_128_bits_in_base32() -> None:
    entity = _entities(1)[0]
    tag = hmac.new(KEY, entity, hashlib.sha256).digest()[:16]

    name = pseudonym(KEY, entity)

    assert base64.b32decode(name.upper() + "======") == tag
    assert len(name) == PSEUDONYM_CHARACTERS
    assert name == name.lower() and name.isalnum()


def test_pseudonyms_of_two_recipients_have_nothing_in_common() -> None:
    left, right = ({pseudonym(key, entity) for entity in _entities(200)} for key in (KEY, OTHER_KEY))

    assert len(left) == len(right) == 200
    assert not left & right


@pytest.mark.parametrize(
    ("entities", "slots"), [(0, 1000), (1, 1000), (999, 1000), (1000, 2000), (1001, 2000), (2000, 3000)]
)
def test_spine_is_padded_to_the_next_whole_thousand_above(entities: int, slots: int) -> None:
    known, slot_count = spine_slots(_entities(entities), key=KEY)

    assert slot_count == slots
    assert set(known) == set(_entities(entities))
    assert len(set(known.values())) == entities
    assert all(0 <= slot < slots for slot in known.values())


def test_slots_do_not_depend_on_the_order_of_entities_but_on_the_key() -> None:
    entities = _entities(50)

    assert spine_slots(entities, key=KEY) == spine_slots(entities[::-1], key=KEY)
    assert spine_slots(entities, key=KEY) != spine_slots(entities, key=OTHER_KEY)


def test_entities_are_spread_over_the_whole_spine() -> None:
    slots = sorted(spine_slots(_entities(500), key=KEY)[0].values())

    assert slots[0] < 50
    assert slots[-1] >= 950
    assert max(right - left for left, right in pairwise(slots)) < 50


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=9))
def test_pseudonyms_of_many_are_those_of_each(entities: list[bytes]) -> None:
    names = pseudonyms(KEY, np.frombuffer(b"".join(entities), np.uint8).reshape(-1, 32))

    assert [name.tobytes().decode("ascii") for name in names] == [pseudonym(KEY, entity) for entity in entities]


rows = st.builds(
    lambda handle, tag, slot: PseudonymRow(handle=handle, pseudonym=pseudonym(KEY, tag), slot=slot),
    st.binary(min_size=16, max_size=16),
    st.binary(min_size=1, max_size=4),
    st.integers(0, 0xFFFFFFFE),
)


def _pack(given_rows: list[PseudonymRow], *, spine: bool) -> bytes:
    handles = np.frombuffer(b"".join(row.handle for row in given_rows), np.uint8).reshape(-1, 16)
    names = np.frombuffer("".join(row.pseudonym for row in given_rows).encode(), np.uint8).reshape(-1, 26)
    return pack_pseudonyms(handles, names, np.array([row.slot for row in given_rows], np.uint32) if spine else None)


@settings(max_examples=50)
@given(st.lists(rows, unique_by=lambda row: row.handle), st.booleans())
def test_map_comes_back_in_order_of_handle(given_rows: list[PseudonymRow], spine: bool) -> None:
    packed = _pack(given_rows, spine=spine)
    expected = given_rows if spine else [replace(row, slot=None) for row in given_rows]

    assert list(unpack_pseudonyms(packed)) == sorted(expected, key=lambda row: row.handle)
    assert _pack(given_rows[::-1], spine=spine) == packed
    assert len(packed) == 46 * len(given_rows)


def test_map_that_was_cut_is_refused() -> None:
    packed = _pack([PseudonymRow(handle=bytes(16), pseudonym=Pseudonym("a" * 26), slot=1)], spine=True)

    with pytest.raises(SubmissionMalformed):
        list(unpack_pseudonyms(packed[:-1]))
