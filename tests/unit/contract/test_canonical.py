"""Canonical bytes, hashes, and signatures that cannot pass for one another."""

from itertools import permutations

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from isthmus.contract.canonical import (
    HASH_BYTES,
    SIGNATURE_BYTES,
    Label,
    canonical_bytes,
    check_length,
    read_canonical,
    same_bytes,
    sha256,
    sign,
    verify,
)
from isthmus.contract.errors import MalformedDocument, MalformedMessage, SignatureInvalid

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


class Thing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A small document."""

    count: int
    name: str
    more: dict[str, object] = {}


def test_canonical_bytes_are_those_of_the_example_in_rfc_8785_section_3_2() -> None:
    document = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }

    assert canonical_bytes(document) == (
        b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        b'"string":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_keys_are_sorted_by_utf_16_as_in_rfc_8785_section_3_2_3() -> None:
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]

    read = msgspec.json.decode(canonical_bytes({key: key for key in keys}))

    assert list(read) == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_canonical_bytes_do_not_depend_on_the_order_of_keys() -> None:
    orders = permutations({"b": 1, "a": [2, {"z": "ö", "y": None}], "aa": ""}.items())

    assert {canonical_bytes(dict(order)) for order in orders} == {'{"a":[2,{"y":null,"z":"ö"}],"aa":"","b":1}'.encode()}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1 << 53, "\ud800", {1: 2}])
def test_what_json_cannot_hold_has_no_canonical_bytes(value: object) -> None:
    with pytest.raises(ValueError):
        canonical_bytes({"value": value})


def test_sha256_is_that_of_fips_180() -> None:
    assert sha256(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert len(sha256(b"")) == HASH_BYTES


def test_same_bytes_tells_equal_from_unequal() -> None:
    assert same_bytes(b"abc", b"abc")
    assert not same_bytes(b"abc", b"abd")
    assert not same_bytes(b"abc", b"ab")


@pytest.mark.parametrize("label", list(Label))
def test_signature_is_ed25519_over_label_zero_byte_and_data(label: Label) -> None:
    signature = sign(KEY, label, b"data")

    assert signature == KEY.sign(label.value.encode() + b"\x00data")
    assert len(signature) == SIGNATURE_BYTES
    verify(PUBLIC, label, b"data", signature)


@pytest.mark.parametrize(("signed", "shown"), list(permutations(Label, 2)))
def test_signature_under_one_label_never_verifies_under_another(signed: Label, shown: Label) -> None:
    with pytest.raises(SignatureInvalid) as refused:
        verify(PUBLIC, shown, b"data", sign(KEY, signed, b"data"))

    assert refused.value.document == shown.value


def test_labels_cannot_run_into_the_data() -> None:
    assert not any(one.value.startswith(other.value) for one, other in permutations(Label, 2))
    assert all("\x00" not in label.value for label in Label)


@pytest.mark.parametrize(
    ("public_key", "data", "signature"),
    [
        (PUBLIC, b"other", sign(KEY, Label.RECEIPT, b"data")),
        (PUBLIC, b"data", sign(KEY, Label.RECEIPT, b"data")[:-1]),
        (PUBLIC, b"data", b""),
        (bytes(32), b"data", sign(KEY, Label.RECEIPT, b"data")),
        (b"short", b"data", sign(KEY, Label.RECEIPT, b"data")),
        (b"", b"data", b""),
    ],
)
def test_anything_else_than_the_signed_data_under_the_key_is_refused(
    public_key: bytes, data: bytes, signature: bytes
) -> None:
    with pytest.raises(SignatureInvalid):
        verify(public_key, Label.RECEIPT, data, signature)


def test_length_is_checked_by_field_and_never_shows_the_value() -> None:
    assert check_length(b"abc", 3, "digest") == b"abc"
    with pytest.raises(MalformedMessage, match="digest is not 4 bytes long") as refused:
        check_length(b"abc", 4, "digest")
    assert "abc" not in str(refused.value)


def test_document_is_read_from_its_canonical_bytes() -> None:
    thing = Thing(count=1, name="a")

    assert read_canonical(canonical_bytes(msgspec.to_builtins(thing)), Thing, document="thing") == thing


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b'{"count":1}',
        b'{"count":"1","more":{},"name":"a"}',
        b'{"count":1,"more":{},"name":"a","other":1}',
        b'{"more":{},"name":"a","count":1}',
        b'{"count":1,"more":{},"name":"a" }',
        b'{"count":1,"more":{},"name":"\\u0061"}',
        b'{"count":1,"name":"a"}',
        b'{"count":1,"count":1,"more":{},"name":"a"}',
        b'{"count":9007199254740993,"more":{},"name":"a"}',
        b'{"count":1,"more":{"a":9007199254740993},"name":"a"}',
        b'{"count":1,"more":{},"name":"\xff"}',
        b'{"count":1,"more":{},"name":"\\ud800"}',
        b'{"count":1,"more":' + b'{"a":' * 100_000,
    ],
)
def test_bytes_that_are_not_the_canonical_ones_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedDocument, match="the thing cannot be read"):
        read_canonical(data, Thing, document="thing")
