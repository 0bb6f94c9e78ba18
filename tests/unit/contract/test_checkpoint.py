"""Checkpoints and acknowledgements: what each signature binds, and what an acknowledgement says of a chain."""

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from isthmus.contract.acknowledgements import Said, read_acknowledgement
from isthmus.contract.audit_log import EMPTY, AuditEvent, Head, Link, check_chain, event_bytes
from isthmus.contract.canonical import Label, sha256, sign
from isthmus.contract.checkpoint import (
    ACKNOWLEDGE,
    check_acknowledgement,
    head_from_text,
    head_text,
    new_checkpoint,
    read_checkpoint,
    sign_acknowledgement,
)
from isthmus.contract.errors import MalformedDocument, SignatureInvalid
from isthmus.contract.ids import PartyId

SCOPE, PARTY = "k12-to-work", PartyId("college")
HUB, KEY, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([byte]) * 32) for byte in (1, 2, 3))
END = Head(sequence=2, hash=sha256(b"the second event"))


def _public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


def _read(data: bytes, *, key: Ed25519PrivateKey = HUB, label: Label = Label.CHECKPOINT) -> Head:
    return read_checkpoint(data, sign(key, label, data), scope=SCOPE, coordinator_key=_public(HUB)).end()


def test_signed_checkpoint_gives_the_end_back() -> None:
    assert _read(new_checkpoint(SCOPE, END, at="2026-01-15T12:00:00Z").to_bytes()) == END


@pytest.mark.parametrize("how", [{"key": OTHER}, {"label": Label.RECEIPT}])
def test_checkpoint_under_another_key_or_label_is_refused(how: dict[str, Any]) -> None:
    with pytest.raises(SignatureInvalid):
        _read(new_checkpoint(SCOPE, END, at="2026-01-15T12:00:00Z").to_bytes(), **how)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"scope":"k12-to-work"', b'"scope":"another"'),
        (b'"sequence":2', b'"sequence":-2'),
        (b'"head":"', b'"head":"g'),
    ],
)
def test_signed_nonsense_is_no_checkpoint(old: bytes, new: bytes) -> None:
    data = new_checkpoint(SCOPE, END, at="2026-01-15T12:00:00Z").to_bytes()
    assert old in data

    with pytest.raises(MalformedDocument):
        _read(data.replace(old, new))


@pytest.mark.parametrize(
    "changed", [{"scope": "another"}, {"party": PartyId("workforce")}, {"head": Head(sequence=3, hash=END.hash)}]
)
def test_acknowledgement_binds_scope_party_and_end(changed: dict[str, Any]) -> None:
    said: dict[str, Any] = {"scope": SCOPE, "party": PARTY, "head": END}
    signature = sign_acknowledgement(KEY, **said)
    check_acknowledgement(_public(KEY), signature, **said)

    with pytest.raises(SignatureInvalid):
        check_acknowledgement(_public(KEY), signature, **(said | changed))


def test_end_as_text_comes_back() -> None:
    assert head_from_text(head_text(END)) == END


@pytest.mark.parametrize("text", ["", "2", ":" + "0" * 64, "2:" + "G" * 64, "-2:" + "0" * 64, "2:00", "²:" + "0" * 64])
def test_text_that_is_no_end_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocument):
        head_from_text(text)


def _chain_with(about: str, outcome: str, *, actor: str = PARTY) -> list[Link]:
    """Give a chain of two events and an acknowledgement as the third."""
    happened = [("operator", "project.add", SCOPE, "x"), ("operator", "round.draft", "r", "y")]
    head, found = EMPTY, []
    for by, action, thing, said in [*happened, (actor, ACKNOWLEDGE, about, outcome)]:
        event = AuditEvent(
            scope=SCOPE, at=datetime(2026, 1, 15, tzinfo=UTC), actor=by, action=action, object=thing, outcome=said
        )
        found.append(event_bytes(event, sequence=head.sequence + 1, previous=head.hash))
        head = Head(sequence=head.sequence + 1, hash=sha256(found[-1]))
    return list(check_chain(found, scope=SCOPE))


SECOND = _chain_with("", "")[1].head


def _said(about: str, outcome: str, *, key: Ed25519PrivateKey = KEY) -> Said:
    chain = _chain_with(about, outcome)
    hashes = {link.head.sequence: link.head.hash for link in chain}
    read = read_acknowledgement(chain[-1], keys={PARTY: [_public(key)]}, hash_at=hashes.get)
    assert read is not None
    assert (read.party, read.sequence) == (PARTY, 3)
    return read.said


def test_acknowledgement_of_this_chain_under_a_known_key_proves_it() -> None:
    assert _said(head_text(SECOND), sign_acknowledgement(KEY, scope=SCOPE, party=PARTY, head=SECOND).hex()) is Said.SAME


def test_acknowledgement_under_an_unknown_key_or_none_proves_nothing() -> None:
    signature = sign_acknowledgement(KEY, scope=SCOPE, party=PARTY, head=SECOND).hex()

    assert _said(head_text(SECOND), signature, key=OTHER) is Said.UNSURE
    assert _said(head_text(SECOND), "no hex") is Said.UNSURE


@pytest.mark.parametrize(
    "about", [head_text(END), f"1:{SECOND.hash.hex()}", f"3:{SECOND.hash.hex()}", "0:" + "0" * 64, "x"]
)
def test_acknowledgement_of_what_this_chain_never_was_speaks_against_it(about: str) -> None:
    signed = sign_acknowledgement(KEY, scope=SCOPE, party=PARTY, head=END).hex()

    assert _said(about, signed) is Said.OTHER


def test_other_events_acknowledge_nothing() -> None:
    chain = _chain_with("", "")

    assert read_acknowledgement(chain[0], keys={}, hash_at=lambda _sequence: None) is None
