"""The fingerprint of a party: 60 digits that two people compare over a channel that the coordinator does not run.

It covers the party's id and both public keys, so a coordinator that puts a key of its own making into a manifest cannot
keep the fingerprint that the party reads out. docs/protocol.md section 4. Drawing a QR code is a caller's
business: `shown` takes the function that does it.
"""

from collections.abc import Callable
from typing import Final

from isthmus.contract.canonical import same_bytes, sha256
from isthmus.contract.key_agreement import KeyMember

GROUPS: Final = 12
DIGITS_PER_GROUP: Final = 5

QrLines = Callable[[str], list[str]]
"""Draws a text as a QR code: lines of characters for a terminal."""

_DIGITS: Final = GROUPS * DIGITS_PER_GROUP
_GROUPS_PER_LINE: Final = 4


def fingerprint(member: KeyMember) -> bytes:
    """Give SHA-256 over label, id, identity key and agreement key, 32 bytes."""
    text = b"isthmus/fingerprint/1\x00" + member.party.encode("ascii") + b"\x00"
    return sha256(text + member.identity_key + member.agreement_key)


def fingerprint_groups(member: KeyMember) -> tuple[str, ...]:
    """Give the fingerprint for people: 12 groups of five digits.

    They are the fingerprint as a big-endian number modulo 10**60, with leading zeros: 199 of its 256 bits, and even to
    one part in 10**17.
    """
    number = int.from_bytes(fingerprint(member), "big") % 10**_DIGITS
    digits = f"{number:0{_DIGITS}d}"
    return tuple(digits[start : start + DIGITS_PER_GROUP] for start in range(0, _DIGITS, DIGITS_PER_GROUP))


def fingerprint_text(member: KeyMember) -> str:
    """Give the fingerprint as three lines of four groups."""
    groups = fingerprint_groups(member)
    return "\n".join(" ".join(groups[start : start + _GROUPS_PER_LINE]) for start in range(0, GROUPS, _GROUPS_PER_LINE))


def is_fingerprint_of(text: str, member: KeyMember) -> bool:
    """Tell whether somebody's typed or scanned digits are this party's; white space and hyphens do not count.

    All 60 digits are compared: whoever compares some of them leaves the rest to an attacker.
    """
    typed = "".join(text.split()).replace("-", "")
    return same_bytes(typed.encode("utf-8"), "".join(fingerprint_groups(member)).encode("ascii"))


def qr_text(member: KeyMember) -> str:
    """Give what the QR code says: version, party and the 60 digits."""
    return f"isthmus-fingerprint-1:{member.party}:{''.join(fingerprint_groups(member))}"


def shown(member: KeyMember, *, qr_lines: QrLines | None = None) -> list[str]:
    """Give the lines to print: the party's id, the digits, and a QR code if there is something that draws one."""
    code = qr_lines(qr_text(member)) if qr_lines else []
    return [member.party, *fingerprint_text(member).splitlines(), *code]
