"""Documents of the key agreement: they come back from their bytes, and nothing else is read."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import rfc8785
from unit.node.key_parts import agree, keys_of, terms_of

from isthmus.contract.canonical import Label, sign
from isthmus.contract.errors import (
    IsthmusError,
    MalformedDocument,
    MalformedMessage,
    SignatureInvalid,
    UnsupportedVersion,
)
from isthmus.contract.ids import PartyId
from isthmus.contract.key_agreement import (
    LAST_EPOCH,
    MAX_MEMBERS,
    KeyMember,
    KeyTerms,
    confirmation_from_bytes,
    next_epoch,
    verify_confirmation,
    verify_wraps,
    wraps_from_bytes,
)

OWNERS = [keys_of(name) for name in ("college", "riverside", "workforce")]
TERMS = terms_of(OWNERS)
NODE = agree(TERMS, OWNERS)[0]
WRAPS = NODE.contributions[PartyId("college")].wraps
PROOF = NODE.confirmation


def _wraps(**changes: Any) -> bytes:
    return rfc8785.dumps(msgspec.to_builtins(WRAPS) | changes)


def _proof(**changes: Any) -> bytes:
    return rfc8785.dumps(msgspec.to_builtins(PROOF) | changes)


def _wrap(recipient: str, sealed: str = "00" * 80) -> dict[str, str]:
    return {"recipient": recipient, "sealed": sealed}


def _seen(sender: str, digest: str = "00" * 32) -> dict[str, str]:
    return {"sender": sender, "digest": digest}


def test_documents_come_back_from_their_canonical_bytes() -> None:
    assert wraps_from_bytes(WRAPS.to_bytes()) == WRAPS
    assert confirmation_from_bytes(PROOF.to_bytes()) == PROOF


def test_signature_covers_the_document_without_its_signature_under_a_label_of_its_own() -> None:
    key = OWNERS[0].signing_key
    for document, label in ((WRAPS, Label.KEY_WRAPS), (PROOF, Label.KEY_CONFIRMATION)):
        content = msgspec.to_builtins(document)
        signature = content.pop("signature")
        assert sign(key, label, rfc8785.dumps(content)).hex() == signature


def test_signature_of_another_or_on_a_changed_document_does_not_hold() -> None:
    own, other = (owner.member().identity_key for owner in OWNERS[:2])

    verify_wraps(WRAPS, own)
    verify_confirmation(PROOF, own)
    checks: tuple[Callable[[], None], ...] = (
        lambda: verify_wraps(WRAPS, other),
        lambda: verify_confirmation(PROOF, other),
        lambda: verify_wraps(wraps_from_bytes(_wraps(epoch=2)), own),
        lambda: verify_confirmation(confirmation_from_bytes(_proof(mac="00" * 32)), own),
    )
    for check in checks:
        with pytest.raises(SignatureInvalid):
            check()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"format": "isthmus/key-wraps/2"}, UnsupportedVersion),
        ({"format": "isthmus/key-confirmation/1"}, UnsupportedVersion),
        ({"agreement": "00" * 31}, MalformedDocument),
        ({"agreement": "AA" * 32}, MalformedDocument),
        ({"epoch": 0}, MalformedDocument),
        ({"epoch": LAST_EPOCH + 1}, MalformedDocument),
        ({"epoch": "1"}, MalformedDocument),
        ({"epoch": True}, MalformedDocument),
        ({"sender": "Not An Id"}, MalformedMessage),
        ({"sender": "riverside"}, MalformedDocument),
        ({"commitment": "0"}, MalformedDocument),
        ({"signature": ""}, MalformedDocument),
        ({"signature": "00" * 63}, MalformedDocument),
        ({"wraps": []}, MalformedDocument),
        ({"wraps": [_wrap(f"party-{number:03}") for number in range(MAX_MEMBERS)]}, MalformedDocument),
        ({"wraps": [_wrap("riverside", "00" * 79)]}, MalformedDocument),
        ({"wraps": [_wrap("riverside", "zz" * 80)]}, MalformedDocument),
        ({"wraps": [_wrap("workforce"), _wrap("riverside")]}, MalformedDocument),
        ({"wraps": [_wrap("riverside"), _wrap("riverside")]}, MalformedDocument),
        ({"wraps": [_wrap("River Side")]}, MalformedMessage),
        ({"surprise": 1}, MalformedDocument),
    ],
)
def test_wraps_of_another_shape_are_refused(changes: dict[str, Any], error: type[IsthmusError]) -> None:
    with pytest.raises(error):
        wraps_from_bytes(_wraps(**changes))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"format": "isthmus/key-confirmation/2"}, UnsupportedVersion),
        ({"agreement": ""}, MalformedDocument),
        ({"epoch": -1}, MalformedDocument),
        ({"party": "coordinator"}, MalformedMessage),
        ({"party": "stranger"}, MalformedDocument),
        ({"mac": "00" * 16}, MalformedDocument),
        ({"signature": "x" * 128}, MalformedDocument),
        ({"seen": [_seen("college")]}, MalformedDocument),
        ({"seen": [_seen("riverside"), _seen("college")]}, MalformedDocument),
        ({"seen": [_seen("college"), _seen("college")]}, MalformedDocument),
        ({"seen": [_seen("college"), _seen("riverside", "0")]}, MalformedDocument),
        ({"seen": [_seen("college"), _seen("x-")]}, MalformedMessage),
    ],
)
def test_confirmation_of_another_shape_is_refused(changes: dict[str, Any], error: type[IsthmusError]) -> None:
    with pytest.raises(error):
        confirmation_from_bytes(_proof(**changes))


@pytest.mark.parametrize(
    "data", [b"", b"{}", b" " + WRAPS.to_bytes(), WRAPS.to_bytes()[:-1], b"\xff", PROOF.to_bytes()]
)
def test_bytes_that_are_no_canonical_wraps_are_refused(data: bytes) -> None:
    with pytest.raises(MalformedDocument):
        wraps_from_bytes(data)


def test_party_order_is_ascending_by_id_in_whatever_order_members_are_listed() -> None:
    assert terms_of(OWNERS[::-1]).parties() == ("college", "riverside", "workforce")
    assert TERMS.others(PartyId("riverside")) == ("college", "workforce")


def _member(party: str, identity: int, agreement: int) -> KeyMember:
    return KeyMember(party=PartyId(party), identity_key=bytes([identity] * 32), agreement_key=bytes([agreement] * 32))


@pytest.mark.parametrize(
    "members",
    [
        (),
        (_member("one", 1, 2),),
        (_member("one", 1, 2), _member("one", 3, 4)),
        (_member("one", 1, 2), _member("two", 1, 4)),
        (_member("one", 1, 2), _member("two", 3, 2)),
        (_member("one", 1, 2), _member("two", 3, 1)),
        (_member("one", 1, 1), _member("two", 3, 4)),
        tuple(
            KeyMember(
                party=PartyId(f"party-{number}"),
                identity_key=number.to_bytes(32),
                agreement_key=number.to_bytes(31) + b"x",
            )
            for number in range(300, 301 + MAX_MEMBERS)
        ),
    ],
)
def test_terms_with_too_few_too_many_or_doubled_members_are_refused(members: tuple[KeyMember, ...]) -> None:
    with pytest.raises(MalformedDocument):
        KeyTerms(agreement=bytes(32), epoch=1, members=members)


@pytest.mark.parametrize("epoch", [0, -1, LAST_EPOCH + 1])
def test_terms_of_an_impossible_epoch_are_refused(epoch: int) -> None:
    with pytest.raises(MalformedDocument, match="epoch"):
        KeyTerms(agreement=bytes(32), epoch=epoch, members=TERMS.members)


def test_lengths_of_hash_and_keys_are_checked() -> None:
    with pytest.raises(MalformedMessage, match="agreement"):
        KeyTerms(agreement=bytes(31), epoch=1, members=TERMS.members)
    with pytest.raises(MalformedMessage, match="identity_key"):
        KeyMember(party=PartyId("one"), identity_key=b"", agreement_key=bytes(32))
    with pytest.raises(MalformedMessage, match="agreement_key"):
        KeyMember(party=PartyId("one"), identity_key=bytes(32), agreement_key=bytes(33))


def test_epoch_grows_exactly_when_membership_or_a_key_changes() -> None:
    members = TERMS.members
    new_key = (keys_of("college", "new").member(), *members[1:])

    assert next_epoch(4, before=members, after=members[::-1]) == 4
    assert next_epoch(4, before=members, after=members[:2]) == 5
    assert next_epoch(4, before=members[:2], after=members) == 5
    assert next_epoch(4, before=members, after=new_key) == 5
