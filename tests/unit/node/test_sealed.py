"""Sealed key files: what was sealed comes back under the same opener alone, and nothing else is obeyed."""

import hashlib
import itertools
import json
from typing import Any

import pytest
import rfc8785
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.contract.errors import IsthmusError, MalformedDocument, UnsupportedVersion
from isthmus.contract.secret import Secret
from isthmus.node.keys.errors import WeakSecret, WrongPassphrase
from isthmus.node.keys.sealed import Credential, Opener, Passphrase, ScryptCost, seal, unseal

KEY = Secret(b"what nobody may read")
CHEAP = ScryptCost(n=16, r=1, p=1)
PASSPHRASE = Passphrase(text=Secret("a long päss phrase".encode()), cost=CHEAP)
CREDENTIAL = Credential(key=Secret(bytes(range(32))))
KIND = "identity key"


def _counting(count: int) -> bytes:
    return bytes(range(count))


def _sealed(opener: Opener = PASSPHRASE) -> bytes:
    return seal(KEY, kind=KIND, opener=opener, random_bytes=_counting)


def _changed(**changes: Any) -> bytes:
    return rfc8785.dumps(json.loads(_sealed()) | changes)


@pytest.mark.parametrize("opener", [PASSPHRASE, CREDENTIAL])
def test_content_comes_back_under_the_same_opener(opener: Opener) -> None:
    assert unseal(_sealed(opener), kind=KIND, opener=opener).equals(KEY)
    assert KEY.reveal().hex().encode() not in _sealed(opener)


def test_file_is_scrypt_and_aes_gcm_over_its_own_head() -> None:
    written = json.loads(_sealed())
    sealed = bytes.fromhex(written.pop("sealed"))
    key = hashlib.scrypt(PASSPHRASE.text.reveal(), salt=bytes(range(16)), n=16, r=1, p=1, dklen=32)

    assert AESGCM(key).decrypt(bytes(range(12)), sealed, rfc8785.dumps(written)) == KEY.reveal()
    assert written["opens"] == {"by": "scrypt", "n": 16, "p": 1, "r": 1}


def test_default_cost_is_two_to_the_seventeen() -> None:
    assert Passphrase(text=PASSPHRASE.text).cost == ScryptCost(n=131_072, r=8, p=1)


def test_cost_is_taken_from_the_file() -> None:
    dearer = Passphrase(text=PASSPHRASE.text, cost=ScryptCost(n=64, r=2, p=2))

    assert unseal(_sealed(), kind=KIND, opener=dearer).equals(KEY)


def test_salt_and_nonce_come_from_the_source_for_each_file() -> None:
    numbers = itertools.count()
    first, second = (
        json.loads(seal(KEY, kind=KIND, opener=CREDENTIAL, random_bytes=lambda count: bytes([next(numbers)]) * count))
        for _ in range(2)
    )

    assert len({first["salt"], second["salt"], first["nonce"], second["nonce"], first["sealed"], second["sealed"]}) == 6


@pytest.mark.parametrize(
    ("made", "opener"),
    [
        (PASSPHRASE, Passphrase(text=Secret(b"another passphrase"), cost=CHEAP)),
        (CREDENTIAL, Credential(key=Secret(bytes(32)))),
    ],
)
def test_wrong_passphrase_or_credential_is_an_error_of_its_own(made: Opener, opener: Opener) -> None:
    with pytest.raises(WrongPassphrase, match=KIND) as refused:
        unseal(_sealed(made), kind=KIND, opener=opener)
    assert "passphrase" not in {str(value) for value in refused.value.fields().values()}


@pytest.mark.parametrize(("made", "opener"), [(PASSPHRASE, CREDENTIAL), (CREDENTIAL, PASSPHRASE)])
def test_file_says_what_opens_it(made: Opener, opener: Opener) -> None:
    with pytest.raises(MalformedDocument, match=r"it opens with a (passphrase|credential) only"):
        unseal(_sealed(made), kind=KIND, opener=opener)


def test_file_of_another_kind_is_refused_and_relabelling_it_does_not_help() -> None:
    with pytest.raises(MalformedDocument, match="does not hold the agreement key"):
        unseal(_sealed(), kind="agreement key", opener=PASSPHRASE)
    with pytest.raises(WrongPassphrase):
        unseal(_changed(kind="agreement key"), kind="agreement key", opener=PASSPHRASE)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"format": "isthmus/sealed/2"}, UnsupportedVersion),
        ({"salt": ""}, MalformedDocument),
        ({"nonce": "0" * 22}, MalformedDocument),
        ({"nonce": "zz" * 12}, MalformedDocument),
        ({"sealed": "00" * 15}, MalformedDocument),
        ({"sealed": "0" * 33}, MalformedDocument),
        ({"opens": {"by": "guess"}}, MalformedDocument),
        ({"opens": {"by": "scrypt", "n": 16, "r": 1}}, MalformedDocument),
        ({"opens": {"by": "scrypt", "n": 2**30, "r": 8, "p": 1}}, MalformedDocument),
        ({"opens": {"by": "scrypt", "n": 17, "r": 1, "p": 1}}, MalformedDocument),
        ({"opens": {"by": "scrypt", "n": 0, "r": 1, "p": 1}}, MalformedDocument),
        ({"opens": {"by": "scrypt", "n": 16, "r": 0, "p": 1}}, MalformedDocument),
        ({"opens": {"by": "scrypt", "n": 16, "r": 1, "p": 10**6}}, MalformedDocument),
        ({"more": 1}, MalformedDocument),
    ],
)
def test_file_of_another_shape_or_cost_is_refused(changes: dict[str, Any], error: type[IsthmusError]) -> None:
    with pytest.raises(error):
        unseal(_changed(**changes), kind=KIND, opener=PASSPHRASE)


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, len(_sealed()) - 1), byte=st.integers(0, 255))
def test_file_with_any_changed_byte_never_opens(place: int, byte: int) -> None:
    data = bytearray(_sealed())
    changed = data[place] != byte
    data[place] = byte

    if changed:
        with pytest.raises(IsthmusError):
            unseal(bytes(data), kind=KIND, opener=PASSPHRASE)


def test_short_passphrase_and_credential_of_another_length_are_refused() -> None:
    with pytest.raises(WeakSecret, match="passphrase"):
        Passphrase(text=Secret(b"eleven char"))
    with pytest.raises(WeakSecret, match="credential"):
        Credential(key=Secret(bytes(31)))


def test_openers_show_nothing() -> None:
    assert "long" not in repr(PASSPHRASE)
    assert "00" not in repr(CREDENTIAL)
