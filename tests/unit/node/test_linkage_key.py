"""The linkage key: what derives from it, by RFC 5869 and RFC 2104 written out, and what its file refuses."""

import base64
import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.contract.errors import MalformedDocument
from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.secret import Secret
from isthmus.node.keys.linkage_key import (
    kdf_info,
    key_check_value,
    key_file_text,
    new_linkage_key,
    read_key_file,
    round_key,
)

PROJECT, ROUND = ProjectId("k12-to-work"), RoundId("k12-to-work-1")
RAW = bytes(range(32))
KEY = Secret(RAW)
FILE = key_file_text(KEY, PROJECT)


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def _hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 without salt, one block of output."""
    extracted = _hmac(bytes(32), key)
    return _hmac(extracted, info + b"\x01")


def test_new_key_is_32_bytes_of_the_source() -> None:
    assert new_linkage_key(lambda count: bytes([9]) * count).reveal() == bytes([9]) * 32


@pytest.mark.parametrize("label", ["encode", "kcv", "pad"])
def test_round_key_is_hkdf_bound_to_label_project_and_round(label: str) -> None:
    expected = _hkdf(RAW, f"isthmus/1|{label}|k12-to-work|k12-to-work-1".encode())

    assert round_key(KEY, project=PROJECT, round_id=ROUND, label=label).reveal() == expected


def test_round_keys_have_golden_bytes() -> None:
    key = round_key(KEY, project=PROJECT, round_id=ROUND, label="encode")

    assert key.reveal() == _hkdf(RAW, b"isthmus/1|encode|k12-to-work|k12-to-work-1")
    assert (
        key_check_value(KEY, project=PROJECT, round_id=ROUND)
        == _hmac(_hkdf(RAW, b"isthmus/1|kcv|k12-to-work|k12-to-work-1"), b"isthmus/key-check/1")[:16]
    )


def test_no_two_rounds_projects_or_labels_share_a_key() -> None:
    keys = {
        round_key(KEY, project=ProjectId(project), round_id=RoundId(round_id), label=label).reveal()
        for project in ("one", "two")
        for round_id in ("one-1", "one-2")
        for label in ("encode", "kcv")
    }

    assert len(keys) == 8


def test_key_check_values_are_equal_exactly_for_equal_keys_in_one_round() -> None:
    value = key_check_value(KEY, project=PROJECT, round_id=ROUND)

    assert value == key_check_value(Secret(bytes(range(32))), project=PROJECT, round_id=ROUND)
    assert value != key_check_value(Secret(bytes(32)), project=PROJECT, round_id=ROUND)
    assert value != key_check_value(KEY, project=PROJECT, round_id=RoundId("k12-to-work-2"))
    assert len(value) == 16


def test_kdf_info_names_profile_project_and_round() -> None:
    assert kdf_info(PROJECT, ROUND) == b"isthmus/interop-1|k12-to-work|k12-to-work-1"


def test_key_file_is_one_line_that_gives_the_key_back() -> None:
    body = f"isthmus-linkage-key-1:k12-to-work:{base64.urlsafe_b64encode(RAW).decode()}"

    assert f"{body}:{hashlib.sha256(body.encode()).hexdigest()[:8]}\n" == FILE
    assert read_key_file(f"\n {FILE} \r\n", PROJECT).equals(KEY)


def test_key_file_of_another_project_is_refused() -> None:
    with pytest.raises(MalformedDocument, match="another project"):
        read_key_file(FILE, ProjectId("other"))


@given(st.integers(0, len(FILE) - 2), st.characters())
def test_key_file_with_a_mistyped_character_is_refused_or_the_same_key(place: int, typed: str) -> None:
    text = FILE[:place] + typed + FILE[place + 1 :]

    if typed == FILE[place]:
        assert read_key_file(text, PROJECT).equals(KEY)
    else:
        with pytest.raises(MalformedDocument) as refused:
            read_key_file(text, PROJECT)
        assert base64.urlsafe_b64encode(RAW).decode()[:8] not in str(refused.value)


@given(st.integers(0, len(FILE) - 2))
def test_key_file_that_was_cut_is_refused(length: int) -> None:
    with pytest.raises(MalformedDocument):
        read_key_file(FILE[:length], PROJECT)


def _with_checksum(key: str, *, version: str = "1") -> str:
    body = f"isthmus-linkage-key-{version}:k12-to-work:{key}"
    return f"{body}:{hashlib.sha256(body.encode()).hexdigest()[:8]}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not a linkage key file of version 1"),
        (_with_checksum("AAAA", version="2"), "not a linkage key file of version 1"),
        (_with_checksum("AAAA"), "wrong length"),
        (_with_checksum("A" * 43), "not base64"),
        (_with_checksum("AA AA"), "not base64"),
        (_with_checksum("ключ"), "not base64"),
        (FILE + FILE, "not a linkage key file of version 1"),
    ],
)
def test_file_that_is_no_key_file_is_refused(text: str, problem: str) -> None:
    with pytest.raises(MalformedDocument, match=re.escape(problem)):
        read_key_file(text, PROJECT)
