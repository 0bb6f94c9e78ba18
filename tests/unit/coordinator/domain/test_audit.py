"""Audit events: canonical bytes that bind content, place and everything before."""

import hashlib
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from isthmus.coordinator.domain.audit import GENESIS, AuditEvent, event_bytes, event_hash

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
