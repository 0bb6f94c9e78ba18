"""Audit events: canonical bytes that bind content, place and everything before."""

import hashlib
from collections.abc import Callable
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from isthmus.contract.audit_log import EMPTY, GENESIS, AuditEvent, Head, check_chain, event_bytes, event_hash
from isthmus.contract.errors import MalformedDocument, UnsupportedVersion

EVENT = AuditEvent(
    scope="k12-to-work",
    at=datetime(2026, 1, 15, 12, tzinfo=UTC),
    actor="riverside",
    action="round.sign",
    object="k12-to-work-1",
    outcome="signed",
)


def test_event_has_golden_bytes() -> None:
    assert event_bytes(EVENT, sequence=7, previous=bytes(range(32))) == (
        b'{"action":"round.sign","actor":"riverside","at":"2026-01-15T12:00:00Z","format":"isthmus/audit-event/1",'
        b'"object":"k12-to-work-1","outcome":"signed",'
        b'"previous":"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",'
        b'"scope":"k12-to-work","sequence":7}'
    )


def test_hash_is_sha_256_of_the_bytes() -> None:
    data = event_bytes(EVENT, sequence=1, previous=GENESIS)

    assert event_hash(EVENT, sequence=1, previous=GENESIS) == hashlib.sha256(data).digest()


@pytest.mark.parametrize("name", [field.name for field in fields(AuditEvent)])
def test_every_field_is_bound(name: str) -> None:
    changes: dict[str, Any] = {name: EVENT.at + timedelta(seconds=1) if name == "at" else "something-else"}
    other = replace(EVENT, **changes)

    assert event_hash(other, sequence=1, previous=GENESIS) != event_hash(EVENT, sequence=1, previous=GENESIS)


def test_place_and_past_are_bound() -> None:
    hashes = {event_hash(EVENT, sequence=number, previous=past) for number in (1, 2) for past in (GENESIS, b"\1" * 32)}

    assert len(hashes) == 4


def test_same_moment_in_another_zone_is_the_same_event() -> None:
    elsewhere = replace(EVENT, at=EVENT.at.astimezone(timezone(timedelta(hours=9))))

    assert event_hash(elsewhere, sequence=1, previous=GENESIS) == event_hash(EVENT, sequence=1, previous=GENESIS)


def _chain(count: int, *, scope: str = "k12-to-work") -> list[bytes]:
    head, found = EMPTY, []
    for number in range(1, count + 1):
        data = event_bytes(replace(EVENT, scope=scope, outcome=f"done {number}"), sequence=number, previous=head.hash)
        head = Head(sequence=number, hash=hashlib.sha256(data).digest())
        found.append(data)
    return found


def test_chain_that_holds_is_given_with_its_ends() -> None:
    chain = _chain(3)

    links = list(check_chain(chain, scope="k12-to-work"))

    assert [link.data for link in links] == chain
    assert [link.head for link in links] == [
        Head(sequence=number, hash=hashlib.sha256(data).digest()) for number, data in enumerate(chain, start=1)
    ]
    assert links[1].event.outcome == "done 2"


def test_chain_goes_on_from_an_end_that_is_known() -> None:
    chain = _chain(4)
    half = [link.head for link in check_chain(chain[:2], scope="k12-to-work")][-1]

    assert [link.event.sequence for link in check_chain(chain[2:], scope="k12-to-work", head=half)] == [3, 4]


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        (lambda chain: [chain[0], *chain[2:]], 2),
        (lambda chain: chain[1:], 1),
        (lambda chain: [chain[0], chain[2], chain[1]], 2),
        (lambda chain: [chain[0], chain[1].replace(b"done 2", b"done 9"), chain[2]], 3),
        (lambda chain: [chain[0], chain[1].replace(b"k12", b"k13"), chain[2]], 2),
        (lambda chain: [chain[0], chain[1] + b" ", chain[2]], 2),
        (lambda chain: [chain[0], b"{}", chain[2]], 2),
        (lambda chain: [chain[0], chain[0], *chain[1:]], 2),
    ],
    ids=["removed", "first removed", "swapped", "changed", "of another scope", "not canonical", "no event", "twice"],
)
def test_chain_is_refused_from_the_first_event_that_does_not_follow(
    changed: Callable[[list[bytes]], list[bytes]], place: int
) -> None:
    given: list[int] = []

    with pytest.raises(MalformedDocument, match=f"event {place} of the log of k12-to-work"):
        given.extend(link.event.sequence for link in check_chain(changed(_chain(3)), scope="k12-to-work"))


def test_event_of_a_later_version_is_no_sign_of_tampering() -> None:
    (data,) = _chain(1)

    with pytest.raises(UnsupportedVersion):
        list(check_chain([data.replace(b"audit-event/1", b"audit-event/2")], scope="k12-to-work"))
