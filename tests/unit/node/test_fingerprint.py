"""Fingerprints: they cover id and both keys, are 12 groups of five digits, and are compared whole."""

import hashlib
import re

import pytest
from unit.node.key_parts import keys_of

from isthmus.contract.ids import PartyId
from isthmus.contract.key_agreement import KeyMember
from isthmus.node.keys.fingerprint import (
    fingerprint,
    fingerprint_groups,
    fingerprint_text,
    is_fingerprint_of,
    qr_text,
    shown,
)

MEMBER = KeyMember(party=PartyId("riverside"), identity_key=bytes(range(32)), agreement_key=bytes(range(32, 64)))
DIGITS = "".join(fingerprint_groups(MEMBER))


def _with(**changes: bytes) -> KeyMember:
    keys = {"identity_key": MEMBER.identity_key, "agreement_key": MEMBER.agreement_key} | changes
    return KeyMember(party=MEMBER.party, **keys)


def test_fingerprint_is_sha256_over_label_id_and_both_keys() -> None:
    expected = hashlib.sha256(b"isthmus/fingerprint/1\0riverside\0" + bytes(range(64))).digest()

    assert fingerprint(MEMBER) == expected
    assert int(DIGITS) == int.from_bytes(expected, "big") % 10**60


def test_text_is_three_lines_of_four_groups_of_five_digits() -> None:
    line = r"\d{5}( \d{5}){3}"

    assert re.fullmatch(f"{line}\n{line}\n{line}", fingerprint_text(MEMBER))
    assert len(fingerprint_groups(MEMBER)) == 12


@pytest.mark.parametrize(
    "other",
    [
        KeyMember(party=PartyId("lakeside"), identity_key=MEMBER.identity_key, agreement_key=MEMBER.agreement_key),
        _with(identity_key=bytes(32)),
        _with(agreement_key=bytes(32)),
        _with(identity_key=MEMBER.agreement_key, agreement_key=MEMBER.identity_key),
        keys_of("riverside").member(),
    ],
)
def test_other_id_or_key_gives_another_fingerprint(other: KeyMember) -> None:
    assert fingerprint_text(other) != fingerprint_text(MEMBER)
    assert not is_fingerprint_of(fingerprint_text(MEMBER), other)


def test_leading_zeros_stay() -> None:
    small = next(
        member
        for number in range(10_000)
        if fingerprint_groups(member := _with(identity_key=number.to_bytes(32, "big")))[0].startswith("0")
    )

    assert [len(group) for group in fingerprint_groups(small)] == [5] * 12


@pytest.mark.parametrize("text", [DIGITS, fingerprint_text(MEMBER), f" {DIGITS[:30]}-{DIGITS[30:]}\r\n"])
def test_digits_are_compared_without_white_space_and_hyphens(text: str) -> None:
    assert is_fingerprint_of(text, MEMBER)


@pytest.mark.parametrize("text", ["", DIGITS[:-1], DIGITS + "0", DIGITS[:-1] + "x", DIGITS[::-1], "٣" * 60])
def test_part_or_other_digits_are_not_the_fingerprint(text: str) -> None:
    assert not is_fingerprint_of(text, MEMBER)


def test_shown_lines_hold_id_digits_and_whatever_draws_the_code() -> None:
    plain = shown(MEMBER)

    assert plain == ["riverside", *fingerprint_text(MEMBER).splitlines()]
    assert shown(MEMBER, qr_lines=lambda text: [f"<{text}>"]) == [*plain, f"<isthmus-fingerprint-1:riverside:{DIGITS}>"]
    assert qr_text(MEMBER) == f"isthmus-fingerprint-1:riverside:{DIGITS}"
