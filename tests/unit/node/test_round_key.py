"""What derives from a round's master, by RFC 5869 and RFC 2104 written out."""

import hashlib
import hmac

import pytest

from isthmus.contract.ids import ProjectId, RoundId
from isthmus.contract.secret import Secret
from isthmus.node.keys.linkage_key import (
    kdf_info,
    key_check_value,
    round_key,
)

PROJECT, ROUND = ProjectId("k12-to-work"), RoundId("k12-to-work-1")
RAW = bytes(range(32))
KEY = Secret(RAW)


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def _hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 without salt, one block of output."""
    extracted = _hmac(bytes(32), key)
    return _hmac(extracted, info + b"\x01")


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
