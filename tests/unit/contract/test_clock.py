"""Clocks, and time as it stands in documents."""

from datetime import UTC, datetime, timedelta, timezone

from isthmus.contract.clock import FixedClock, SystemClock, to_text

NOON = datetime(2026, 1, 31, 12, 5, 9, 999_999, tzinfo=UTC)


def test_system_clock_is_aware_and_goes_on() -> None:
    clock = SystemClock()

    first, second = clock.now(), clock.now()

    assert first.tzinfo is UTC
    assert first <= second
    assert abs(first - datetime.now(tz=UTC)) < timedelta(minutes=1)


def test_fixed_clock_stands_still_until_it_is_set() -> None:
    clock = FixedClock(NOON)
    assert clock.now() == clock.now() == NOON

    clock.set(NOON + timedelta(days=1))

    assert clock.now() == NOON + timedelta(days=1)


def test_time_in_documents_is_utc_in_whole_seconds() -> None:
    assert to_text(NOON) == "2026-01-31T12:05:09Z"
    assert to_text(NOON.astimezone(timezone(timedelta(hours=-8)))) == "2026-01-31T12:05:09Z"
    assert datetime.fromisoformat(to_text(NOON)) == NOON.replace(microsecond=0)
