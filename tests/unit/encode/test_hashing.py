"""Keys and bit positions: lengths, prefixes, edges. That they are clkhash's own is tested in tests/properties."""

import numpy as np
import pytest

from isthmus.contract.linkage_schema import (
    BitsPerFeature,
    BitsPerToken,
    BlakeHash,
    DoubleHash,
    parse_linkage_schema,
    with_kdf_info,
)
from isthmus.node.encode.filters import bits_of_tokens
from isthmus.node.encode.hashing import BlakeHasher, DoubleHasher, TokenHasher, make_hasher
from isthmus.node.encode.keys import derive_feature_keys

KEYS = (b"first key", b"second key")


def _positions(hasher: TokenHasher, token: bytes, count: int) -> list[int]:
    return [int(bit) for bit in hasher.positions([hasher.seed(token, count)], count)[0]]


def _schema(*, digest: str, key_size: int) -> dict[str, object]:
    kdf = {"type": "HKDF", "hash": digest, "keySize": key_size}
    features = [{"identifier": name, "ignored": True} for name in "abc"]
    return {"version": 3, "clkConfig": {"l": 64, "kdf": kdf}, "features": features}


@pytest.mark.parametrize("digest", ["SHA256", "SHA512"])
def test_every_feature_has_two_keys_of_its_own(digest: str) -> None:
    keys = derive_feature_keys(parse_linkage_schema(_schema(digest=digest, key_size=24)), b"secret")
    flat = [key for pair in keys for key in pair]
    assert [len(key) for key in flat] == [24] * 6
    assert len(set(flat)) == 6


def test_keys_depend_on_secret_hash_and_info() -> None:
    schema = parse_linkage_schema(_schema(digest="SHA256", key_size=24))
    other_hash = parse_linkage_schema(_schema(digest="SHA512", key_size=24))
    found = {
        derive_feature_keys(schema, b"secret"),
        derive_feature_keys(schema, b"Secret"),
        derive_feature_keys(other_hash, b"secret"),
        derive_feature_keys(with_kdf_info(schema, b"round 1"), b"secret"),
    }
    assert len(found) == 4


@pytest.mark.parametrize("token_hash", [BlakeHash(), DoubleHash(prevent_singularity=False)])
def test_fewer_positions_are_the_first_of_more(token_hash: BlakeHash | DoubleHash) -> None:
    hasher = make_hasher(token_hash, keys=KEYS, filter_bits=256)
    many = _positions(hasher, b"token", 100)
    assert _positions(hasher, b"token", 33) == many[:33]
    assert all(0 <= bit < 256 for bit in many)


def test_blake_filters_beyond_65536_bits_stay_empty_there() -> None:
    hasher = BlakeHasher(key=b"k", filter_bits=2**20)
    assert max(_positions(hasher, b"token", 500)) < 65_536


def test_seeds_of_different_length_share_a_matrix() -> None:
    hasher = BlakeHasher(key=b"k", filter_bits=64)
    short, long = hasher.seed(b"a", 3), hasher.seed(b"b", 40)
    matrix = hasher.positions([short, long], 40)
    assert matrix[0, :3].tolist() == _positions(hasher, b"a", 3)
    assert matrix[1].tolist() == _positions(hasher, b"b", 40)


def test_singular_token_sets_one_bit_unless_prevented() -> None:
    plain = DoubleHasher(sha1_key=b"1", md5_key=b"2", filter_bits=8, prevent_singularity=False)
    prevented = DoubleHasher(sha1_key=b"1", md5_key=b"2", filter_bits=8, prevent_singularity=True)
    tokens = [str(number).encode() for number in range(200)]
    singular = [token for token in tokens if len(set(_positions(plain, token, 4))) == 1]
    assert singular
    assert all(len(set(_positions(prevented, token, 2))) == 2 for token in singular)
    regular = next(token for token in tokens if token not in singular)
    assert _positions(prevented, regular, 4) == _positions(plain, regular, 4)


def test_no_token_gives_no_positions() -> None:
    for token_hash in (BlakeHash(), DoubleHash(prevent_singularity=True)):
        assert make_hasher(token_hash, keys=KEYS, filter_bits=8).positions([], 0).shape == (0, 0)


def test_bits_of_a_feature_are_shared_and_the_first_tokens_get_the_rest() -> None:
    counts = np.array([3, 0, 1, 4])
    assert bits_of_tokens(counts, BitsPerFeature(bits=5)).tolist() == [2, 2, 1, 5, 2, 1, 1, 1]


def test_bits_per_token_are_the_same_for_all() -> None:
    assert bits_of_tokens(np.array([2, 1]), BitsPerToken(bits=9)).tolist() == [9, 9, 9]
