"""Buckets of keyed blocks: as the specification says, by other means; counted, withheld, and found too large."""

import hashlib
import hmac
import json
import runpy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from isthmus.contract.keyed_blocks import Blocks
from isthmus.contract.secret import Secret
from isthmus.node.encode.buckets import BucketEncoder, BucketSizes, block_key, bucket_numbers, from_wire, to_wire

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "blocks.json"
CASES: list[dict[str, Any]] = json.loads(VECTORS.read_text(encoding="utf-8"))["cases"]

FIELDS = ("first_name", "last_name", "dob")
BLOCKS = Blocks(keys=("names-year", "first-birth"), buckets=64, least_rows=2, most_rows=3)
KEY = Secret(b"b" * 32)
PEOPLE = [
    ["maria", "oneill", "19910228"],
    ["maria", "li", "19910228"],
    ["μαρια", "oneill", "1991"],
    ["maria", "", "19910228"],
    ["", "", ""],
]


def _columns(people: list[list[str]]) -> list[list[str]]:
    return [list(column) for column in zip(*people, strict=True)]


def _by_hand(name: str, parts: list[str], buckets: int) -> int:
    """Give a bucket by HKDF written out, BLAKE2b and whole numbers."""
    key = hmac.digest(
        hmac.digest(bytes(32), b"b" * 32, "sha256"), f"isthmus/1|block|{name}".encode() + b"\x01", "sha256"
    )
    tag = hashlib.blake2b("\x1f".join(parts).encode(), key=key, digest_size=16).digest()
    return 1 + int.from_bytes(tag[:8], "big") % buckets if all(parts) else 0


@pytest.mark.parametrize("buckets", [16, 64, 4099, 2**24])
def test_bucket_is_the_tag_under_the_block_keys_own_key_modulo_buckets(buckets: int) -> None:
    blocks = Blocks(keys=BLOCKS.keys, buckets=buckets)

    numbers = BucketEncoder(blocks, fields=FIELDS, key=KEY).encode(_columns(PEOPLE))

    assert numbers.dtype == np.uint32
    assert numbers.tolist() == [
        [
            _by_hand("names-year", [first, last, born[:4] if len(born) == 8 else ""], buckets),
            _by_hand("first-birth", [first, born], buckets),
        ]
        for first, last, born in PEOPLE
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["name"]))
def test_tags_and_buckets_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    blocks = Blocks(keys=tuple(case["block_keys"]), buckets=case["buckets"])
    encoder = BucketEncoder(blocks, fields=case["fields"], key=Secret(bytes.fromhex(case["block_key"])))

    tags, numbers = encoder.tags(_columns(case["records"])), encoder.encode(_columns(case["records"]))

    for place, name in enumerate(blocks.keys):
        written = case["block_keys"][name]
        rows = [{"row": row, "tag": tags[row, place].tobytes().hex()} for row in np.flatnonzero(numbers[:, place])]
        assert [{"row": one["row"], "tag": one["tag"]} for one in written["rows"]] == rows
        assert [one["bucket"] for one in written["rows"]] == numbers[numbers[:, place] != 0, place].tolist()


@pytest.mark.parametrize("step", ["key", "tag", "bucket", "row"])
def test_independent_program_notices_a_changed_vector(step: str) -> None:
    verifier = runpy.run_path(str(VECTORS.parents[2] / "scripts" / "verify_vectors"))
    document = json.loads(VECTORS.read_text(encoding="utf-8"))
    written = document["cases"][0]["block_keys"]["first-birth"]
    match step:
        case "key":
            written["key"] = document["cases"][0]["block_keys"]["birth-zip"]["key"]
        case "tag":
            written["rows"][0]["tag"] = written["rows"][1]["tag"]
        case "bucket":
            written["rows"][0]["bucket"] += 1
        case _:
            written["rows"].pop()
    with pytest.raises(verifier["Mismatch"], match="first-birth"):
        verifier["verify_keyed_blocks"](document)


def test_key_of_blocks_is_not_that_of_match_keys_and_each_name_has_its_own() -> None:
    keys = {
        block_key(Secret(secret), name=name).reveal() for secret in (b"a" * 32, KEY.reveal()) for name in BLOCKS.keys
    }

    assert {len(key) for key in keys} == {32}
    assert len(keys) == 4


def test_tag_that_begins_with_zeros_is_in_a_bucket_and_no_tag_in_none() -> None:
    tags = np.zeros((2, 1, 16), np.uint8)
    tags[0, 0, 15] = 1

    assert bucket_numbers(tags, buckets=16).tolist() == [[1], [0]]


@pytest.mark.parametrize("keys", [0, 1, 3])
def test_numbers_are_big_endian_on_the_wire_and_come_back(keys: int) -> None:
    numbers = np.arange(5 * keys, dtype=np.uint32).reshape(5, keys) * np.uint32(259)
    rows = np.hstack([np.full((5, 7), 9, np.uint8), to_wire(numbers)])

    assert rows.shape == (5, 7 + 4 * keys)
    assert [row[7:].tobytes() for row in rows] == [
        b"".join(number.to_bytes(4, "big") for number in row) for row in numbers.tolist()
    ]
    assert np.array_equal(from_wire(rows, block_keys=keys), numbers)


def _sizes(*pieces: list[list[int]]) -> BucketSizes:
    sizes = BucketSizes(BLOCKS)
    for piece in pieces:
        sizes.add(np.array(piece, np.uint32))
    return sizes


def _numbers(*rows: list[int]) -> NDArray[np.uint32]:
    return np.array(rows, np.uint32)


def test_rows_of_small_buckets_are_withheld_under_that_key_alone() -> None:
    rows = _numbers([1, 7], [1, 8], [2, 8], [0, 64])

    hidden = _sizes(rows.tolist()).withhold(rows)

    assert rows.tolist() == [[1, 0], [1, 8], [0, 8], [0, 0]]
    assert hidden.tolist() == [[False, True], [False, False], [True, False], [False, True]]


def test_rows_of_one_bucket_count_together_wherever_they_come() -> None:
    rows = _numbers([5, 0])

    assert not _sizes([[5, 0]], [[6, 0], [5, 0]]).withhold(rows).any()
    assert rows.tolist() == [[5, 0]]


def test_bucket_of_as_many_rows_as_allowed_is_not_too_large() -> None:
    assert _sizes([[5, 9]] * 3, [[6, 0]] * 3).too_large() == {}


def test_too_large_buckets_are_counted_key_by_key() -> None:
    assert _sizes([[5, 9]] * 3, [[6, 9]] * 2, [[0, 0]] * 9).too_large() == {"first-birth": 5}
