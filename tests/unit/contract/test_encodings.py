"""The bytes of a submission: rows, chunks and the declaration."""

import hashlib
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.contract.encodings import (
    CHUNK_BYTES,
    MAX_MATCH_KEYS,
    MAX_ROWS,
    MAX_TABLES,
    SUBMISSION_FORMAT,
    Submission,
    chunk_count,
    chunk_rows,
    pack_rows,
    row_bytes,
    rows_per_chunk,
    submission_digest,
    submission_from_bytes,
    tag_words,
    unpack_rows,
)
from isthmus.contract.errors import MalformedDocument, SubmissionMalformed, UnsupportedVersion
from isthmus.contract.ids import PartyId, RoundId

lengths = st.integers(1, (1 << 16) // 8).map(lambda size: size * 8)

SUBMISSION = Submission(
    format=SUBMISSION_FORMAT,
    round_id=RoundId("k12-to-work-1"),
    party=PartyId("riverside"),
    rows=7_282,
    clk_bits=1024,
    tables=1,
    match_keys=0,
    blocks=0,
    chunk_count=2,
    digest="aa" * 32,
    key_check="bb" * 16,
    profile_digest="cc" * 32,
    manifest_hash="dd" * 32,
)


def _changed(**changes: Any) -> bytes:
    return msgspec.structs.replace(SUBMISSION, **changes).to_bytes()


def test_row_is_its_handle_and_then_its_encoding() -> None:
    handles = np.arange(32, dtype=np.uint8).reshape(2, 16)
    clks = np.array([[0xAA, 0xBB], [0xCC, 0xDD]], np.uint8)

    assert pack_rows(handles, clks) == bytes(range(16)) + b"\xaa\xbb" + bytes(range(16, 32)) + b"\xcc\xdd"
    assert row_bytes(1024) == 144


@given(st.integers(0, 20), st.integers(1, 40), st.integers(0, 2**32))
def test_rows_come_back_as_they_were_packed(rows: int, clk_bytes: int, seed: int) -> None:
    numbers = np.random.default_rng(seed)
    handles = numbers.integers(0, 256, (rows, 16), np.uint8)
    clks = numbers.integers(0, 256, (rows, clk_bytes), np.uint8)

    unpacked_handles, unpacked_clks = unpack_rows(pack_rows(handles, clks), row_bits=8 * clk_bytes)

    np.testing.assert_array_equal(unpacked_handles, handles)
    np.testing.assert_array_equal(unpacked_clks, clks)
    assert not unpacked_handles.flags.writeable


@given(lengths, st.integers(1, 200).filter(lambda extra: extra > 0))
def test_part_of_a_row_is_refused(clk_bits: int, extra: int) -> None:
    payload = bytes(row_bytes(clk_bits) * 2 + 1 + extra % (row_bytes(clk_bits) - 1))

    with pytest.raises(SubmissionMalformed, match="whole rows"):
        unpack_rows(payload, row_bits=clk_bits)


@given(lengths)
def test_full_chunk_is_as_many_rows_as_fit_a_mebibyte(clk_bits: int) -> None:
    full = rows_per_chunk(clk_bits)

    assert full >= 1
    assert full * row_bytes(clk_bits) <= CHUNK_BYTES < (full + 1) * row_bytes(clk_bits)


@given(st.integers(1, MAX_ROWS), lengths)
def test_chunks_hold_all_rows_full_but_for_the_last(rows: int, clk_bits: int) -> None:
    count, full = chunk_count(rows=rows, row_bits=clk_bits), rows_per_chunk(clk_bits)
    last = chunk_rows(rows=rows, row_bits=clk_bits, index=count - 1)

    assert (count - 1) * full + last == rows
    assert 1 <= last <= full
    assert count == 1 or chunk_rows(rows=rows, row_bits=clk_bits, index=0) == full


def test_digest_is_sha_256_over_the_digests_of_the_chunks_in_order() -> None:
    one, two = hashlib.sha256(b"one").digest(), hashlib.sha256(b"two").digest()

    assert submission_digest([one, two]) == hashlib.sha256(one + two).digest()
    assert submission_digest([one, two]) != submission_digest([two, one])


def test_declaration_is_read_back_from_its_canonical_bytes() -> None:
    data = SUBMISSION.to_bytes()

    assert submission_from_bytes(data) == SUBMISSION
    assert data.startswith(b'{"blocks":0,"chunk_count":2,"clk_bits":1024,"digest":"aa')


@pytest.mark.parametrize("clk_bits", [8, 1024, 1 << 16])
@pytest.mark.parametrize("rows", [1, MAX_ROWS])
def test_declaration_at_the_bounds_is_read(clk_bits: int, rows: int) -> None:
    data = _changed(clk_bits=clk_bits, rows=rows, chunk_count=chunk_count(rows=rows, row_bits=clk_bits))

    assert submission_from_bytes(data).rows == rows


@pytest.mark.parametrize(
    ("tables", "match_keys", "row_bits"), [(1, 0, 1024), (1, MAX_MATCH_KEYS, 9216), (MAX_TABLES, 16, 67584)]
)
def test_row_is_its_clks_and_its_tags_of_16_bytes(tables: int, match_keys: int, row_bits: int) -> None:
    chunks = chunk_count(rows=7_282, row_bits=row_bits)

    found = submission_from_bytes(_changed(tables=tables, match_keys=match_keys, chunk_count=chunks))

    assert found.row_bits == row_bits


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": 0, "chunk_count": 0},
        {"rows": -1},
        {"rows": MAX_ROWS + 1, "chunk_count": 2_747},
        {"clk_bits": 0},
        {"clk_bits": -8},
        {"clk_bits": 1020},
        {"clk_bits": (1 << 16) + 8},
        {"chunk_count": 1},
        {"chunk_count": 3},
        {"match_keys": 24},
    ],
)
def test_declaration_out_of_bounds_is_refused(changes: dict[str, int]) -> None:
    with pytest.raises(SubmissionMalformed):
        submission_from_bytes(_changed(**changes))


@pytest.mark.parametrize(
    ("part", "count", "problem"),
    [
        ("tables", 0, "between 1 and 64 CLKs"),
        ("tables", MAX_TABLES + 1, "between 1 and 64 CLKs"),
        ("match_keys", -1, "between 0 and 64 tags"),
        ("match_keys", MAX_MATCH_KEYS + 1, "between 0 and 64 tags"),
    ],
)
def test_declaration_of_too_many_or_too_few_parts_of_a_row_is_refused(part: str, count: int, problem: str) -> None:
    with pytest.raises(SubmissionMalformed, match=problem):
        submission_from_bytes(_changed(**{part: count}))


def test_declaration_of_another_version_is_refused() -> None:
    with pytest.raises(UnsupportedVersion, match="isthmus/submission/2"):
        submission_from_bytes(_changed(format="isthmus/submission/2"))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        SUBMISSION.to_bytes() + b" ",
        SUBMISSION.to_bytes().replace(b'"rows":7282', b'"rows":"7282"'),
        SUBMISSION.to_bytes().replace(b'"rows":7282', b'"rows":7282.5'),
        SUBMISSION.to_bytes().replace(b'"rows":7282', b'"rows":9007199254740993'),
        SUBMISSION.to_bytes().replace(b'"rows":7282', b'"extra":1,"rows":7282'),
        SUBMISSION.to_bytes().replace(b'"match_keys":0,', b""),
        SUBMISSION.to_bytes().replace(b"riverside", b"\xff\xfe"),
    ],
)
def test_declaration_that_is_not_canonical_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedDocument, match="submission manifest"):
        submission_from_bytes(data)


def test_words_of_tags_are_their_first_halves_by_match_key_and_zero_without_a_tag() -> None:
    tags = np.arange(2 * 3 * 16, dtype=np.uint8).reshape(2, 3, 16)
    tags[1, 2] = 0

    words = tag_words(tags)

    assert words.shape == (3, 2)
    assert words.flags.c_contiguous
    assert [words[key, row].tobytes() for key in range(3) for row in range(2)] == [
        tags[row, key, :8].tobytes() for key in range(3) for row in range(2)
    ]
    assert words[2, 1] == 0


@pytest.mark.parametrize("shape", [(0, 3, 16), (5, 0, 16)])
def test_words_of_no_tags_are_none(shape: tuple[int, int, int]) -> None:
    assert tag_words(np.zeros(shape, np.uint8)).shape == (shape[1], shape[0])
